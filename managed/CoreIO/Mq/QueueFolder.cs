// Where the names of POSIX queues are read: a file system of its own for each IPC namespace. A private mount, which takes CAP_SYS_ADMIN, is
// that of this namespace for certain. What is mounted on /dev/mqueue is that of whoever mounted it: a process that was moved into another
// namespace still sees the old one there. So it is held against queues that can be opened by their names.
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Mq;

internal sealed class QueueFolder : IDisposable
{
    private const string Place = PosixQueues.MountPoint;
    private const string NoMount = "a private mount needs CAP_SYS_ADMIN";
    private const string OnlyOwn = "only queues that this process has open are listed: ";

    private const string NotMounted =
        $"{OnlyOwn}{Place} is not mounted here, and {NoMount}; as root: mkdir -p {Place} && mount -t mqueue none {Place}";

    private const string Foreign =
        $"{OnlyOwn}what is mounted on {Place} belongs to another IPC namespace, and {NoMount}; as root in this namespace: "
        + $"mount -t mqueue none {Place}";

    private const string Unproven =
        $"{Place} is listed, and whether it belongs to this IPC namespace is not known: it has no queue that this user may open to see, and "
        + NoMount;

    private readonly SafeFileHandle? _root;

    private QueueFolder(PosixQueueSource source, string? path, string? advice, SafeFileHandle? root = null)
    {
        Source = source;
        Path = path;
        Advice = advice;
        _root = root;
    }

    /// <summary>What was found.</summary>
    internal PosixQueueSource Source { get; }

    /// <summary>The folder; null where there is none of this namespace.</summary>
    internal string? Path { get; }

    /// <summary>What is missing, and what to do; null when this folder is that of this namespace for certain.</summary>
    internal string? Advice { get; }

    /// <summary>Finds it.</summary>
    internal static QueueFolder Open(IPosixQueues queues)
    {
        int status = queues.Mount(out SafeFileHandle root);
        if (status >= 0)
        {
            return new QueueFolder(PosixQueueSource.PrivateMount, PosixQueues.PathOf(root), null, root);
        }

        root.Dispose();
        return !IsMounted() ? new QueueFolder(PosixQueueSource.OwnDescriptors, null, NotMounted)
            : IsOfThisNamespace(queues) switch
            {
                true => new QueueFolder(PosixQueueSource.Mounted, Place, null),
                false => new QueueFolder(PosixQueueSource.OwnDescriptors, null, Foreign),
                null => new QueueFolder(PosixQueueSource.Mounted, Place, Unproven),
            };
    }

    public void Dispose() => _root?.Dispose();

    // What was mounted last is what is seen.
    private static bool IsMounted() => ProcText.Lines("/proc/self/mounts")
        .Select(line => line.Split(' ')).LastOrDefault(fields => fields is [_, Place, ..]) is [_, _, "mqueue", ..];

    // All queues of a namespace are on one device, mounted or not, and no other namespace has it. Null where nothing tells.
    private static bool? IsOfThisNamespace(IPosixQueues queues)
    {
        ulong? device = FileOwner.Of(Place)?.File.Device;
        foreach (string file in ProcText.Names(Place))
        {
            if (Belongs("/" + file, device, queues) is bool known)
            {
                return known;
            }
        }

        return PosixQueues.OwnQueues(queues).Select(own => (bool?)(own.File.File.Device == device)).FirstOrDefault();
    }

    private static bool? Belongs(string name, ulong? device, IPosixQueues queues)
    {
        FileId? listed = FileOwner.Of(Place + name)?.File;
        lock (OwnNotifications.Gate)
        {
            if (OwnNotifications.TryFind(name, out _))
            {
                // Closing it would end this process's notification.
                return null;
            }

            int status = PosixQueues.Open(queues, name, out SafeFileHandle queue);
            using (queue)
            {
                // A name that is listed all the time and that nobody has here is one of another namespace.
                return status >= 0 ? FileOwner.Of(queue)?.File.Device == device
                    : status == StatusCode.NoEntry && listed is not null && FileOwner.Of(Place + name)?.File == listed ? false
                    : null;
            }
        }
    }
}
