namespace CoreIO.Mq;

/// <summary>Where a listing of POSIX queues came from.</summary>
public enum PosixQueueSource
{
    /// <summary>The file system of queues on <see cref="PosixQueues.MountPoint"/>, which somebody mounted.</summary>
    Mounted = 0,

    /// <summary>The file system of queues, mounted for this listing where nobody else sees it.</summary>
    PrivateMount = 1,

    /// <summary>The open descriptors of this process: queues that others hold are missing.</summary>
    OwnDescriptors = 2,
}

/// <summary>Why something of a POSIX queue is not known.</summary>
public enum PosixQueueGap
{
    /// <summary>All is known.</summary>
    None = 0,

    /// <summary>It could not be opened, or not to be read.</summary>
    NotOpened = 1,

    /// <summary>
    /// This process is told of its messages, and closing it after a look would end that; the descriptor that it asked with cannot be read.
    /// </summary>
    OwnNotification = 2,
}

/// <summary>A POSIX queue in a listing. What this process may not know is null.</summary>
/// <param name="Name">With its slash.</param>
public sealed record PosixQueueEntry(string Name)
{
    /// <summary>Owner.</summary>
    public uint? Uid { get; init; }

    /// <summary>Owner's group.</summary>
    public uint? Gid { get; init; }

    /// <summary>Nine bits of permissions.</summary>
    public int? Mode { get; init; }

    /// <summary>Bytes of the messages in it.</summary>
    public long? Bytes { get; init; }

    /// <summary>Messages in it; known where it may be opened.</summary>
    public long? Messages { get; init; }

    /// <summary>Messages it holds; known where it may be opened.</summary>
    public long? MaxMessages { get; init; }

    /// <summary>Bytes a message may have; known where it may be opened.</summary>
    public long? MessageSize { get; init; }

    /// <summary>The process that is told of a message; 0 for none, and also for one of another PID namespace.</summary>
    public int? NotifyProcess { get; init; }

    /// <summary>The signal it is told by; 0 where it is told otherwise.</summary>
    public int? NotifySignal { get; init; }

    /// <summary>Why something is null.</summary>
    public PosixQueueGap Gap { get; init; }
}

/// <summary>POSIX queues.</summary>
/// <param name="Queues">By name.</param>
/// <param name="Source">Where the names came from.</param>
/// <param name="Advice">What may be missing, and what to do; null where all queues of this IPC namespace are listed for certain.</param>
public sealed record PosixQueueListing(IReadOnlyList<PosixQueueEntry> Queues, PosixQueueSource Source, string? Advice);
