using CoreIO.Interop;

namespace CoreIO;

/// <summary>Where <c>libcoreio.so</c> comes from, and what was found.</summary>
public static class CoreIONativeLibrary
{
    /// <summary>The name under which <see cref="AppContext.GetData"/> (or <c>runtimeconfig.json</c>) may hold the path.</summary>
    public const string PathSetting = "CoreIO.NativeLibrary";

    /// <summary>The ABI this build of CoreIO calls; the library must have the same.</summary>
    public const int Abi = LibCoreIO.COREIO_ABI;

    /// <summary>The one file to load. Set it before the first use; null looks in the usual places.</summary>
    /// <exception cref="InvalidOperationException">The library is loaded already.</exception>
    public static string? Path
    {
        get => NativeLibraryLoader.ExplicitPath;
        set => NativeLibraryLoader.ExplicitPath = value;
    }

    /// <summary>Loads the library, unless it is loaded, and tells which one it is.</summary>
    /// <exception cref="CoreIOLibraryException">It cannot be used; the message says why and what to do.</exception>
    public static CoreIONativeLibraryInfo Load()
    {
        NativeLibraryLoader.EnsureLoaded();
        int version = LibCoreIO.coreio_version();
        return new CoreIONativeLibraryInfo(
            NativeLibraryLoader.LoadedFrom,
            LibCoreIO.coreio_abi(),
            new Version(version / 1_000_000, version / 1_000 % 1_000, version % 1_000));
    }
}

/// <summary>The library that was loaded.</summary>
/// <param name="Path">The file it was loaded from.</param>
/// <param name="Abi">Its ABI number.</param>
/// <param name="Version">Its version.</param>
public sealed record CoreIONativeLibraryInfo(string Path, int Abi, Version Version);
