namespace CoreIO.Loop;

/// <summary>What a descriptor is watched for, and what it is ready for; the bits are those of <c>sys/epoll.h</c>.</summary>
[Flags]
public enum LoopInterest : uint
{
    /// <summary>Nothing but errors.</summary>
    None = 0,

    /// <summary><c>EPOLLIN</c>: something can be read, or the end was reached.</summary>
    Read = 1,

    /// <summary><c>EPOLLPRI</c>: something exceptional, such as data out of band.</summary>
    Priority = 1 << 1,

    /// <summary><c>EPOLLOUT</c>: something can be written.</summary>
    Write = 1 << 2,

    /// <summary><c>EPOLLERR</c>: an error; comes unasked.</summary>
    Error = 1 << 3,

    /// <summary><c>EPOLLHUP</c>: the other side has gone; comes unasked.</summary>
    HangUp = 1 << 4,

    /// <summary><c>EPOLLRDHUP</c>: the other side writes no more.</summary>
    ReadHangUp = 1 << 13,

    /// <summary><c>EPOLLEXCLUSIVE</c>: of several loops that watch a descriptor, one or more are told, and not all. For adding alone.</summary>
    Exclusive = 1 << 28,

    /// <summary><c>EPOLLONESHOT</c>: one event, and then none until the interest is set again.</summary>
    OneShot = 1 << 30,

    /// <summary><c>EPOLLET</c>: an event for what is new, and none for what is still there.</summary>
    EdgeTriggered = 1u << 31,
}
