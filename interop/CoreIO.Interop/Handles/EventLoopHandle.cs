using Microsoft.Win32.SafeHandles;

namespace CoreIO.Interop;

/// <summary>Owns a <c>coreio_loop</c>.</summary>
internal sealed unsafe class EventLoopHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private EventLoopHandle(coreio_loop* loop)
        : base(ownsHandle: true) => SetHandle((nint)loop);

    /// <summary>The object; valid while a reference is held.</summary>
    internal coreio_loop* Pointer => (coreio_loop*)handle;

    /// <summary>Makes a loop; the status is 0 or negative, and then there is none.</summary>
    internal static int Create(uint flags, out EventLoopHandle? handle)
    {
        Crossings.Add();
        coreio_loop_options options = new() { size = (uint)sizeof(coreio_loop_options), flags = flags };
        coreio_loop* loop;
        int status = LibCoreIO.coreio_loop_create(&options, &loop);
        handle = status < 0 ? null : new EventLoopHandle(loop);
        return status;
    }

    protected override bool ReleaseHandle()
    {
        Crossings.Add();
        LibCoreIO.coreio_loop_destroy(Pointer);
        return true;
    }
}
