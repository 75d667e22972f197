namespace CoreIO.Mq;

/// <summary>Which queue is described.</summary>
public enum SysVStatKind
{
    /// <summary><c>IPC_STAT</c>: the queue with this id.</summary>
    Id = 0,

    /// <summary><c>MSG_STAT</c>: the queue at this index of the kernel's table.</summary>
    Index = 1,

    /// <summary><c>MSG_STAT_ANY</c>: likewise, whether or not it may be read.</summary>
    AnyIndex = 2,
}
