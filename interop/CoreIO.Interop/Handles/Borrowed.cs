using System.Runtime.InteropServices;

namespace CoreIO.Interop;

/// <summary>Keeps a handle's object alive during a call: one reference a batch, released at the end of the <c>using</c>.</summary>
/// <remarks>When another thread disposes the handle meanwhile, the object is destroyed by whoever gives back the last reference.</remarks>
internal readonly ref struct Borrowed : IDisposable
{
    private readonly SafeHandle _handle;

    /// <summary>Takes the reference.</summary>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    internal Borrowed(SafeHandle handle)
    {
        bool added = false;
        handle.DangerousAddRef(ref added);
        _handle = handle;
    }

    public void Dispose() => _handle.DangerousRelease();
}
