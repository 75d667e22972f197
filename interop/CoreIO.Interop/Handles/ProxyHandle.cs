using Microsoft.Win32.SafeHandles;

namespace CoreIO.Interop;

/// <summary>Owns a <c>coreio_proxy</c>, which closing stops.</summary>
internal sealed unsafe class ProxyHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private ProxyHandle(coreio_proxy* proxy)
        : base(ownsHandle: true) => SetHandle((nint)proxy);

    /// <summary>The object; valid while a reference is held.</summary>
    internal coreio_proxy* Pointer => (coreio_proxy*)handle;

    /// <summary>Makes a proxy; 0 or a status, and then there is none.</summary>
    /// <remarks>Size and CPUs of <paramref name="options"/> are filled in here.</remarks>
    internal static int Create(coreio_proxy_options options, ReadOnlySpan<int> cpus, out ProxyHandle? proxy)
    {
        options.size = (uint)sizeof(coreio_proxy_options);
        options.cpu_count = cpus.Length;
        coreio_proxy* made;
        int status;
        Crossings.Add();
        fixed (int* start = cpus)
        {
            options.cpus = start;
            status = LibCoreIO.coreio_proxy_create(&options, &made);
        }

        proxy = status < 0 ? null : new ProxyHandle(made);
        return status;
    }

    protected override bool ReleaseHandle()
    {
        Crossings.Add();
        LibCoreIO.coreio_proxy_destroy(Pointer);
        return true;
    }
}
