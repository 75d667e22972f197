namespace CoreIO.Mq;

/// <summary>Flags of System V calls; the numbers are those of <c>sys/ipc.h</c> and <c>sys/msg.h</c>.</summary>
[Flags]
public enum SysVQueueFlags
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary><c>IPC_CREAT</c>: creates the queue when there is none.</summary>
    Create = 0x200,

    /// <summary><c>IPC_EXCL</c>: with <see cref="Create"/>, fails when there is one.</summary>
    Exclusive = 0x400,

    /// <summary><c>IPC_NOWAIT</c>: fails where it would wait.</summary>
    NoWait = 0x800,

    /// <summary><c>MSG_NOERROR</c>: a longer message is cut, and the rest is lost.</summary>
    NoError = 0x1000,

    /// <summary><c>MSG_EXCEPT</c>: any type but the one given.</summary>
    Except = 0x2000,

    /// <summary><c>MSG_COPY</c>: a copy of the message at the place that the type says; needs <see cref="NoWait"/>.</summary>
    Copy = 0x4000,
}
