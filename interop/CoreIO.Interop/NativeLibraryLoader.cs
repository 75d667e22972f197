// Finds and loads libcoreio.so for the externs of LibCoreIO, and compares its ABI with ours before any other call.
//
// An explicit path is the only place looked at. Without one: beside the application, then runtimes/<rid>/native below it, then where
// .NET and the dynamic linker look. A file that is there and does not load is an error, not a reason to look further: the next one
// found would be some other version. The outcome of the first success is kept; a failure is not, so a caller may set a path and try
// again before anything was bound.
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CoreIO.Interop;

internal static unsafe class NativeLibraryLoader
{
    // The name in the DllImport attributes of the bindings.
    private const string ImportName = "coreio";
    private const string FileName = "libcoreio.so";
    private const string WayOut =
        $"set {nameof(CoreIONativeLibrary)}.{nameof(CoreIONativeLibrary.Path)} to the file, "
        + "build it with CMake, or use the managed backend";

    // No System.Threading.Lock: its first use asks the environment and makes code at run time, a millisecond of a short process.
    private static readonly object Gate = new();
    private static nint _library;
    private static string _loadedFrom = "";
    private static string? _explicitPath;

    /// <summary>The path that was set, here or in the application's configuration.</summary>
    internal static string? ExplicitPath
    {
        get => _explicitPath ?? AppContext.GetData(CoreIONativeLibrary.PathSetting) as string;
        set
        {
            lock (Gate)
            {
                if (_library != 0 && value != _explicitPath)
                {
                    throw new InvalidOperationException(
                        $"{FileName} is loaded already, from {_loadedFrom}; set the path before the first use.");
                }

                _explicitPath = value;
            }
        }
    }

    /// <summary>The file the library was loaded from; empty before.</summary>
    internal static string LoadedFrom
    {
        get
        {
            lock (Gate)
            {
                return _loadedFrom;
            }
        }
    }

    // An extern has no constructor that could do this, and it must be done before the first one is bound.
#pragma warning disable CA2255
    [ModuleInitializer]
    internal static void Register() => NativeLibrary.SetDllImportResolver(
        typeof(NativeLibraryLoader).Assembly,
        static (name, _, _) => name == ImportName ? EnsureLoaded() : 0);
#pragma warning restore CA2255

    /// <summary>Loads the library once and returns the linker's handle of it.</summary>
    /// <exception cref="CoreIOLibraryException">It cannot be loaded, or is of another ABI.</exception>
    internal static nint EnsureLoaded()
    {
        lock (Gate)
        {
            if (_library == 0)
            {
                string path = ExplicitPath ?? "";
                nint library = path.Length > 0 ? LoadFile(path) : Probe(out path);
                try
                {
                    CompareAbi(library, path);
                }
                catch
                {
                    NativeLibrary.Free(library);
                    throw;
                }

                (_library, _loadedFrom) = (library, path);
            }

            return _library;
        }
    }

    // Tried before it is looked for: to ask .NET for a file takes longer than to load it.
    private static nint Probe(out string path)
    {
        path = Path.Combine(AppContext.BaseDirectory, FileName);
        return NativeLibrary.TryLoad(path, out nint library) ? library : ProbeFurther(path, out path);
    }

    private static nint ProbeFurther(string beside, out string path)
    {
        string architecture = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "x64";
        string inPackage = Path.Combine(AppContext.BaseDirectory, $"runtimes/linux-{architecture}/native/{FileName}");
        path = File.Exists(beside) ? beside : inPackage;
        if (File.Exists(path))
        {
            return LoadFile(path);
        }

        if (NativeLibrary.TryLoad(ImportName, Assembly.GetExecutingAssembly(), null, out nint library))
        {
            path = MappedPath();
            return library;
        }

        throw new CoreIOLibraryException(
            StatusCode.NoEntry,
            $"{FileName} is neither {beside} nor {inPackage} nor where the dynamic linker looks; {WayOut}");
    }

    // The linker does not say which file it took; the kernel knows what is mapped.
    private static string MappedPath()
    {
        string suffix = "/" + FileName;
        string? line = File.ReadLines("/proc/self/maps").FirstOrDefault(line => line.EndsWith(suffix, StringComparison.Ordinal));
        return line is null ? FileName : line[line.IndexOf('/', StringComparison.Ordinal)..];
    }

    private static nint LoadFile(string path)
    {
        if (!File.Exists(path))
        {
            throw new CoreIOLibraryException(StatusCode.NoEntry, $"cannot load {FileName} from {path}: no such file; {WayOut}");
        }

        try
        {
            return NativeLibrary.Load(Path.GetFullPath(path));
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            // .NET's message gives advice first and the linker's own words last.
            string cause = e.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[^1];
            throw new CoreIOLibraryException(StatusCode.NoEntry, $"cannot load {FileName} from {path}: {cause}; {WayOut}", e);
        }
    }

    private static void CompareAbi(nint library, string path)
    {
        if (!NativeLibrary.TryGetExport(library, nameof(LibCoreIO.coreio_abi), out nint function))
        {
            throw new CoreIOLibraryException(StatusCode.Abi, $"{path} is no libcoreio: it has no {nameof(LibCoreIO.coreio_abi)}; {WayOut}");
        }

        int abi = ((delegate* unmanaged[Cdecl]<int>)function)();
        if (abi != LibCoreIO.COREIO_ABI)
        {
            throw new CoreIOLibraryException(
                StatusCode.Abi,
                $"{path} has ABI {abi}, this build of CoreIO needs ABI {LibCoreIO.COREIO_ABI}; "
                + "install both from the same version of CoreIO, or use the managed backend");
        }
    }
}
