namespace CoreIO.Mq;

/// <summary>What <see cref="ISysVQueues.Info"/> tells.</summary>
public enum SysVInfoKind
{
    /// <summary><c>IPC_INFO</c>: the limits of this IPC namespace.</summary>
    Limits = 0,

    /// <summary><c>MSG_INFO</c>: what is used of them.</summary>
    Usage = 1,
}
