namespace CoreIO.Mq;

/// <summary>How a POSIX queue is opened or created.</summary>
public sealed record PosixQueueOptions
{
    /// <summary>What it is opened for, and whether it is created.</summary>
    public PosixQueueFlags Flags { get; init; } = PosixQueueFlags.SendReceive;

    /// <summary>Permissions of a queue that is created, 0600 unless set; the umask takes bits off.</summary>
    public int Mode { get; init; } = 0x180;

    /// <summary>Messages a queue that is created holds; null for the system's default.</summary>
    public long? MaxMessages { get; init; }

    /// <summary>Bytes a message of a queue that is created may have; null for the system's default.</summary>
    public long? MessageSize { get; init; }

    /// <summary>
    /// The user that must own the queue; null for anybody. Names are public: who creates a queue first owns it, whoever it was meant for.
    /// </summary>
    public uint? ExpectedOwner { get; init; }
}
