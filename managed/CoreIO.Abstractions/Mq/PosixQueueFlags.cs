namespace CoreIO.Mq;

/// <summary>How a POSIX queue is opened; the numbers are those of <c>fcntl.h</c>.</summary>
[Flags]
public enum PosixQueueFlags
{
    /// <summary><c>O_RDONLY</c>: to receive.</summary>
    Receive = 0,

    /// <summary><c>O_WRONLY</c>: to send.</summary>
    Send = 1,

    /// <summary><c>O_RDWR</c>: to send and receive.</summary>
    SendReceive = 2,

    /// <summary><c>O_CREAT</c>: creates the queue when there is none.</summary>
    Create = 0x40,

    /// <summary><c>O_EXCL</c>: with <see cref="Create"/>, fails when there is one.</summary>
    Exclusive = 0x80,

    /// <summary><c>O_NONBLOCK</c>: calls fail where they would wait.</summary>
    NonBlocking = 0x800,
}
