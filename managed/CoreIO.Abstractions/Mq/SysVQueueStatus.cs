namespace CoreIO.Mq;

/// <summary>What a System V queue is, as <c>struct msqid_ds</c>.</summary>
public readonly record struct SysVQueueStatus
{
    /// <summary>Its identifier.</summary>
    public int Id { get; init; }

    /// <summary>Its key; 0 for none.</summary>
    public int Key { get; init; }

    /// <summary>Owner.</summary>
    public uint Uid { get; init; }

    /// <summary>Owner's group.</summary>
    public uint Gid { get; init; }

    /// <summary>Who created it.</summary>
    public uint CreatorUid { get; init; }

    /// <summary>The creator's group.</summary>
    public uint CreatorGid { get; init; }

    /// <summary>Nine bits of permissions.</summary>
    public int Mode { get; init; }

    /// <summary>Sequence number of its place in the kernel's table.</summary>
    public int Sequence { get; init; }

    /// <summary>Last send, seconds since 1970; 0 for never.</summary>
    public long SendTime { get; init; }

    /// <summary>Last receive, seconds since 1970; 0 for never.</summary>
    public long ReceiveTime { get; init; }

    /// <summary>Creation or last change, seconds since 1970.</summary>
    public long ChangeTime { get; init; }

    /// <summary>Bytes in the queue.</summary>
    public long Bytes { get; init; }

    /// <summary>Messages in the queue.</summary>
    public long Messages { get; init; }

    /// <summary>Bytes it may hold.</summary>
    public long MaxBytes { get; init; }

    /// <summary>Process of the last send; 0 for none.</summary>
    public int LastSender { get; init; }

    /// <summary>Process of the last receive; 0 for none.</summary>
    public int LastReceiver { get; init; }
}
