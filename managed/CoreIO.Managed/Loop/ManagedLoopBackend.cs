using CoreIO.Loop;

namespace CoreIO.Managed.Loop;

/// <summary>Event loops by calls of libc.</summary>
internal sealed class ManagedLoopBackend : ILoopBackend
{
    public int Create(LoopOptions options, out IEventLoop? loop)
    {
        ArgumentNullException.ThrowIfNull(options);
        int status = ManagedEventLoop.Create(options, out ManagedEventLoop? made);
        loop = made;
        return status;
    }
}
