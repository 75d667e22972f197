using System.Runtime.InteropServices;

namespace CoreIO.Interop;

/// <summary>The descriptor of a <c>coreio_loop</c>, which the loop owns: while this is held, the loop is not destroyed.</summary>
internal sealed class LoopDescriptorHandle : SafeHandle
{
    private readonly EventLoopHandle _loop;

    /// <summary>Takes a reference of the loop.</summary>
    /// <exception cref="ObjectDisposedException">The loop is closed.</exception>
    internal LoopDescriptorHandle(EventLoopHandle loop, int descriptor)
        : base(-1, ownsHandle: true)
    {
        _loop = loop;
        bool added = false;
        loop.DangerousAddRef(ref added);
        SetHandle(descriptor);
    }

    public override bool IsInvalid => handle < 0;

    protected override bool ReleaseHandle()
    {
        _loop.DangerousRelease();
        return true;
    }
}
