// Chooses a backend, once, by name; no other file does. Everything else holds an ICoreBackend. A backend that cannot be had is not an
// error here: it is an entry of Available with the reason, and Default is the best of those that can.
namespace CoreIO;

/// <summary>The backends of this build, and the one that is used when nobody asks for another.</summary>
public static class CoreBackends
{
    /// <summary>The name of the backend over <c>libcoreio.so</c>.</summary>
    public const string NativeName = "native";

    /// <summary>The name of the backend in C#.</summary>
    public const string ManagedName = "managed";

    /// <summary>Whether this build holds the native backend, whether or not its library can be used here.</summary>
#if COREIO_NATIVE
    public static bool HasNative => true;
#else
    public static bool HasNative => false;
#endif

    /// <summary>Every backend by name, the preferred one first, with the reason where one cannot be used.</summary>
    public static IReadOnlyList<CoreBackendInfo> Available => [TheNative.Info, TheManaged.Info];

    /// <summary>Native where it can be used, else managed; <see cref="Available"/> tells why.</summary>
    public static ICoreBackend Default => TheNative.Info.Backend ?? TheManaged.Info.Backend!;

    /// <summary>The backend called <paramref name="name"/>.</summary>
    /// <exception cref="ArgumentException">No backend has this name.</exception>
    /// <exception cref="CoreBackendException">It cannot be used here; the message says why.</exception>
    public static ICoreBackend Get(string name)
    {
        CoreBackendInfo info = name switch
        {
            NativeName => TheNative.Info,
            ManagedName => TheManaged.Info,
            _ => throw new ArgumentException($"'{name}' is no backend; there are {NativeName} and {ManagedName}", nameof(name)),
        };
        return info.Backend ?? throw new CoreBackendException(name, info.Reason!);
    }

#if COREIO_NATIVE
    private static CoreBackendInfo LoadNative()
    {
        try
        {
            CoreIO.Native.NativeBackend backend = new();
            return new CoreBackendInfo(NativeName)
            {
                Backend = backend,
                LibraryPath = backend.Library.Path,
                LibraryVersion = backend.Library.Version,
                LibraryAbi = backend.Library.Abi,
            };
        }
        catch (CoreIOException e)
        {
            return new CoreBackendInfo(NativeName) { Reason = e.Message };
        }
    }
#else
    private static CoreBackendInfo LoadNative() =>
        new(NativeName) { Reason = "this build has no native backend (it was built with -p:CoreIOBackend=managed)" };
#endif

    // Each is made when it is first asked for, once for all threads.
    private static class TheNative
    {
        internal static readonly CoreBackendInfo Info = LoadNative();
    }

    private static class TheManaged
    {
        internal static readonly CoreBackendInfo Info = new(ManagedName) { Backend = new CoreIO.Managed.ManagedBackend() };
    }
}
