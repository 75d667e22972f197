using CoreIO.Mq;

namespace CoreIO.Managed.Mq;

/// <summary>Message queues by calls of libc.</summary>
internal sealed class ManagedMqBackend : IMqBackend
{
    public IPosixQueues Posix { get; } = new PosixQueues();

    public ISysVQueues SysV { get; } = new SysVQueues();
}
