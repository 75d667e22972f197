using CoreIO.Mq;

namespace CoreIO.Native.Mq;

/// <summary>Message queues through <c>coreio/mq.h</c>.</summary>
internal sealed class NativeMqBackend : IMqBackend
{
    public IPosixQueues Posix { get; } = new NativePosixQueues();

    public ISysVQueues SysV { get; } = new NativeSysVQueues();

    public IMqFloors Floors { get; } = new NativeMqFloors();
}
