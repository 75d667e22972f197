using Microsoft.Win32.SafeHandles;

namespace CoreIO.Managed.Mq;

/// <summary>Keeps a descriptor open during a call: one reference a call, however often the call tries; nothing for null.</summary>
internal readonly ref struct Held : IDisposable
{
    private readonly SafeFileHandle? _handle;

    /// <summary>Takes the reference.</summary>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    internal Held(SafeFileHandle? handle)
    {
        Descriptor = -1;
        if (handle is not null)
        {
            bool added = false;
            handle.DangerousAddRef(ref added);
            _handle = handle;
            Descriptor = (int)handle.DangerousGetHandle();
        }
    }

    /// <summary>The descriptor; -1 for null, which poll(2) passes over.</summary>
    internal int Descriptor { get; }

    public void Dispose() => _handle?.DangerousRelease();
}
