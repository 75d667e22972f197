using CoreIO.Interop;
using CoreIO.Loop;

namespace CoreIO.Native.Loop;

/// <summary>Event loops of the library.</summary>
internal sealed class NativeLoopBackend : ILoopBackend
{
    public int Create(LoopOptions options, out IEventLoop? loop)
    {
        ArgumentNullException.ThrowIfNull(options);
        int status = EventLoopHandle.Create(options.Interruptible ? LibCoreIO.COREIO_LOOP_INTERRUPTIBLE : 0, out EventLoopHandle? handle);
        loop = handle is null ? null : new NativeEventLoop(handle);
        return status;
    }
}
