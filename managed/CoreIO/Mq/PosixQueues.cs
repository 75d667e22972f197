// Lists POSIX queues: the files of their file system, where this process finds that of its IPC namespace, else its own descriptors, and the
// listing says so. QueueFolder.cs finds it; OwnNotifications.cs has which queues may not be opened for a look.
using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Mq;

/// <summary>The POSIX queues of this IPC namespace.</summary>
public static class PosixQueues
{
    /// <summary>Where the file system of queues is mounted by custom.</summary>
    public const string MountPoint = "/dev/mqueue";

    /// <summary>Lists them.</summary>
    public static PosixQueueListing List(ICoreBackend? backend = null)
    {
        IPosixQueues queues = (backend ?? CoreBackends.Default).Mq.Posix;
        using QueueFolder folder = QueueFolder.Open(queues);
        return new PosixQueueListing(folder.Path is string path ? ListFolder(path, queues) : ListOwn(queues), folder.Source, folder.Advice);
    }

    /// <summary>Describes one queue; null when there is none of this name that may be seen or opened.</summary>
    public static PosixQueueEntry? Find(string name, ICoreBackend? backend = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        IPosixQueues queues = (backend ?? CoreBackends.Default).Mq.Posix;
        lock (OwnNotifications.Gate)
        {
            if (OwnNotifications.TryFind(name, out PosixQueueNotification? holder))
            {
                return Describe(WithOwner(new PosixQueueEntry(name), FileOwner.Of(holder.Queue.Handle)), holder, queues);
            }

            int status = Open(queues, name, out SafeFileHandle queue);
            using (queue)
            {
                if (status >= 0)
                {
                    return Describe(WithOwner(new PosixQueueEntry(name), FileOwner.Of(queue)), queue, queues);
                }
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

    /// <summary>The name of an open queue; empty where it was unlinked, null where /proc does not tell.</summary>
    internal static string? NameOf(SafeFileHandle queue) => FileOwner.Of(queue) is { Links: 0 }
        ? ""
        : ProcText.Link(PathOf(queue)) is string target ? target[Math.Max(0, target.LastIndexOf('/'))..] : null;

    /// <summary>Queues with a name that this process has open; one that was unlinked is no queue that can be found.</summary>
    internal static IEnumerable<(SafeFileHandle Handle, FileOwner File, string Name)> OwnQueues(IPosixQueues queues)
    {
        foreach (string descriptor in ProcText.Names("/proc/self/fd"))
        {
            using SafeFileHandle handle = new(int.Parse(descriptor, CultureInfo.InvariantCulture), ownsHandle: false);
            // A descriptor of a queue is one that has the attributes of a queue; its target in /proc is the queue's name.
            if (queues.GetAttributes(handle, out _) >= 0 && FileOwner.Of(handle) is FileOwner file && NameOf(handle) is { Length: > 0 } name)
            {
                yield return (handle, file, name);
            }
        }
    }

    /// <summary>Opens one to look at it, to receive or to send, whichever is allowed.</summary>
    internal static int Open(IPosixQueues queues, string name, out SafeFileHandle queue)
    {
        int status = queues.Open(name, PosixQueueFlags.Receive | PosixQueueFlags.NonBlocking, 0, null, out queue);
        if (status == StatusCode.AccessDenied)
        {
            queue.Dispose();
            status = queues.Open(name, PosixQueueFlags.Send | PosixQueueFlags.NonBlocking, 0, null, out queue);
        }

        return status;
    }

    private static List<PosixQueueEntry> ListFolder(string folder, IPosixQueues queues)
    {
        List<PosixQueueEntry> entries = [];
        foreach (string file in ProcText.Names(folder).Order(StringComparer.Ordinal))
        {
            lock (OwnNotifications.Gate)
            {
                string path = $"{folder}/{file}";
                if (FileOwner.Of(path) is FileOwner owner)
                {
                    PosixQueueEntry entry = WithOwner(new PosixQueueEntry("/" + file), owner);
                    entries.Add(OwnNotifications.TryFind(owner.File, out PosixQueueNotification? holder)
                        ? Describe(entry, holder, queues) : Look(entry, path, queues));
                }
            }
        }

        return entries;
    }

    // Limits and depth stand in no file: the queue has to be opened.
    private static PosixQueueEntry Look(PosixQueueEntry entry, string path, IPosixQueues queues)
    {
        int status = Open(queues, entry.Name, out SafeFileHandle queue);
        using (queue)
        {
            return status >= 0
                ? Describe(entry, queue, queues)
                : Parse(entry, ProcText.FirstLine(path)) with { Gap = PosixQueueGap.NotOpened };
        }
    }

    private static PosixQueueEntry WithOwner(PosixQueueEntry entry, FileOwner? file) =>
        file is FileOwner owner ? entry with { Uid = owner.Uid, Gid = owner.Gid, Mode = owner.Mode } : entry;

    // A queue that this process is not told of; a descriptor that cannot be read may be opened again, for what its mode allows.
    private static PosixQueueEntry Describe(PosixQueueEntry entry, SafeFileHandle queue, IPosixQueues queues)
    {
        entry = WithAttributes(Parse(entry, Descriptors.ReadText(queue) ?? ProcText.FirstLine(PathOf(queue))), queue, queues);
        return entry.Bytes is null ? entry with { Gap = PosixQueueGap.NotOpened } : entry;
    }

    // A queue that this process is told of, through the descriptor that it asked with. Nothing is opened, for nothing may be closed.
    private static PosixQueueEntry Describe(PosixQueueEntry entry, PosixQueueNotification holder, IPosixQueues queues)
    {
        entry = WithAttributes(entry, holder.Queue.Handle, queues);
        return Descriptors.ReadText(holder.Queue.Handle) is string text
            ? Parse(entry, text)
            : entry with { NotifyProcess = Environment.ProcessId, NotifySignal = holder.Signal, Gap = PosixQueueGap.OwnNotification };
    }

    private static PosixQueueEntry WithAttributes(PosixQueueEntry entry, SafeFileHandle queue, IPosixQueues queues)
    {
        try
        {
            return queues.GetAttributes(queue, out PosixQueueAttributes found) >= 0
                ? entry with { Messages = found.Messages, MaxMessages = found.MaxMessages, MessageSize = found.MessageSize }
                : entry;
        }
        catch (ObjectDisposedException)
        {
            // Another thread has closed the queue that its notification was about.
            return entry;
        }
    }

    private static List<PosixQueueEntry> ListOwn(IPosixQueues queues)
    {
        SortedDictionary<string, PosixQueueEntry> entries = new(StringComparer.Ordinal);
        foreach ((SafeFileHandle handle, FileOwner file, string name) in OwnQueues(queues))
        {
            lock (OwnNotifications.Gate)
            {
                PosixQueueEntry entry = WithOwner(new PosixQueueEntry(name), file);
                entries[name] = OwnNotifications.TryFind(file.File, out PosixQueueNotification? holder)
                    ? Describe(entry, holder, queues) : Describe(entry, handle, queues);
            }
        }

        return [.. entries.Values];
    }
}
