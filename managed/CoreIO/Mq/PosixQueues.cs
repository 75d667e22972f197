// Lists POSIX queues. Their names are files of a file system of its own, one for each IPC namespace: mounted on /dev/mqueue on many machines,
// else mounted for a moment where nobody sees it, which takes CAP_SYS_ADMIN. Without either a process sees its own descriptors only, and
// the listing says so.
using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Mq;

/// <summary>The POSIX queues of this IPC namespace.</summary>
public static class PosixQueues
{
    /// <summary>Where the file system of queues is mounted by custom.</summary>
    public const string MountPoint = "/dev/mqueue";

    private const string Advice =
        $"only queues that this process has open are listed: {MountPoint} is not mounted here, and a private mount needs CAP_SYS_ADMIN; "
        + $"as root: mkdir -p {MountPoint} && mount -t mqueue none {MountPoint}";

    /// <summary>Lists them.</summary>
    public static PosixQueueListing List(ICoreBackend? backend = null)
    {
        IPosixQueues queues = (backend ?? CoreBackends.Default).Mq.Posix;
        if (IsMounted())
        {
            return new PosixQueueListing(ListFolder(MountPoint, queues), PosixQueueSource.Mounted, null);
        }

        int status = queues.Mount(out SafeFileHandle root);
        using (root)
        {
            return status >= 0
                ? new PosixQueueListing(ListFolder(PathOf(root), queues), PosixQueueSource.PrivateMount, null)
                : new PosixQueueListing(ListOwn(queues), PosixQueueSource.OwnDescriptors, Advice);
        }
    }

    /// <summary>Describes one queue; null when there is none of this name that may be seen or opened.</summary>
    public static PosixQueueEntry? Find(string name, ICoreBackend? backend = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        IPosixQueues queues = (backend ?? CoreBackends.Default).Mq.Posix;
        int status = Open(queues, name, out SafeFileHandle queue);
        using (queue)
        {
            if (status >= 0)
            {
                return Describe(new PosixQueueEntry(name), queue, queues);
            }
        }

        return List(backend).Queues.FirstOrDefault(entry => entry.Name == name);
    }

    /// <summary>What the kernel writes about an open queue, taken apart: <c>QSIZE:0 NOTIFY:0 SIGNO:0 NOTIFY_PID:0</c>.</summary>
    internal static PosixQueueEntry Parse(PosixQueueEntry entry, string? text)
    {
        foreach (string part in (text ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            int colon = part.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0 && long.TryParse(part.AsSpan(colon + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value))
            {
                entry = part[..colon] switch
                {
                    "QSIZE" => entry with { Bytes = value },
                    "SIGNO" => entry with { NotifySignal = (int)value },
                    "NOTIFY_PID" => entry with { NotifyProcess = (int)value },
                    _ => entry,
                };
            }
        }

        return entry;
    }

    /// <summary>A path to what a descriptor is open on.</summary>
    internal static string PathOf(SafeFileHandle handle) =>
        string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{handle.DangerousGetHandle()}");

    private static bool IsMounted() => ProcText.Lines("/proc/self/mounts")
        .Any(line => line.Split(' ') is [_, MountPoint, "mqueue", ..]);

    private static List<PosixQueueEntry> ListFolder(string folder, IPosixQueues queues)
    {
        List<PosixQueueEntry> entries = [];
        foreach (string file in ProcText.Names(folder).Order(StringComparer.Ordinal))
        {
            string path = $"{folder}/{file}";
            if (FileOwner.Of(path) is FileOwner owner)
            {
                PosixQueueEntry entry = new("/" + file) { Uid = owner.Uid, Gid = owner.Gid, Mode = owner.Mode };
                entries.Add(WithLimits(Parse(entry, ProcText.FirstLine(path)), queues));
            }
        }

        return entries;
    }

    // Limits and depth stand in no file: the queue has to be opened, to receive or to send, whichever is allowed.
    private static PosixQueueEntry WithLimits(PosixQueueEntry entry, IPosixQueues queues)
    {
        int status = Open(queues, entry.Name, out SafeFileHandle queue);
        using (queue)
        {
            return status >= 0 ? WithAttributes(entry, queue, queues) : entry;
        }
    }

    private static int Open(IPosixQueues queues, string name, out SafeFileHandle queue)
    {
        int status = queues.Open(name, PosixQueueFlags.Receive | PosixQueueFlags.NonBlocking, 0, null, out queue);
        if (status == StatusCode.AccessDenied)
        {
            queue.Dispose();
            status = queues.Open(name, PosixQueueFlags.Send | PosixQueueFlags.NonBlocking, 0, null, out queue);
        }

        return status;
    }

    private static PosixQueueEntry Describe(PosixQueueEntry entry, SafeFileHandle queue, IPosixQueues queues)
    {
        string path = PathOf(queue);
        if (FileOwner.Of(path) is FileOwner owner)
        {
            entry = entry with { Uid = owner.Uid, Gid = owner.Gid, Mode = owner.Mode };
        }

        return WithAttributes(Parse(entry, ProcText.FirstLine(path)), queue, queues);
    }

    private static PosixQueueEntry WithAttributes(PosixQueueEntry entry, SafeFileHandle queue, IPosixQueues queues) =>
        queues.GetAttributes(queue, out PosixQueueAttributes found) >= 0
            ? entry with { Messages = found.Messages, MaxMessages = found.MaxMessages, MessageSize = found.MessageSize }
            : entry;

    // A descriptor of a queue is one that has the attributes of a queue; its target in /proc is the queue's name.
    private static List<PosixQueueEntry> ListOwn(IPosixQueues queues)
    {
        SortedDictionary<string, PosixQueueEntry> entries = new(StringComparer.Ordinal);
        foreach (string descriptor in ProcText.Names("/proc/self/fd"))
        {
            using SafeFileHandle handle = new(int.Parse(descriptor, CultureInfo.InvariantCulture), ownsHandle: false);
            if (queues.GetAttributes(handle, out _) >= 0 && ProcText.Link(PathOf(handle)) is string name)
            {
                name = name[name.LastIndexOf('/')..];
                entries[name] = Describe(new PosixQueueEntry(name), handle, queues);
            }
        }

        return [.. entries.Values];
    }
}
