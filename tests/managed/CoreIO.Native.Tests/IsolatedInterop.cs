// CoreIO.Interop and CoreIO.Native a second time, with a library of their own: what is loaded, and from where, is state of the assembly, so
// a test that needs another library needs another copy of it. Abstractions is shared, so exceptions and values are the test's own types.
using System.Reflection;
using System.Runtime.Loader;

namespace CoreIO.Native.Tests;

internal sealed class IsolatedInterop : AssemblyLoadContext
{
    private readonly Assembly _interop;
    private readonly Assembly _native;

    internal IsolatedInterop(string? libraryPath)
        : base("isolated", isCollectible: false)
    {
        _interop = LoadFromAssemblyPath(typeof(CoreIONativeLibrary).Assembly.Location);
        _native = LoadFromAssemblyPath(typeof(NativeBackend).Assembly.Location);
        Assert.That(_interop, Is.Not.SameAs(typeof(CoreIONativeLibrary).Assembly));
        if (libraryPath is not null)
        {
            SetPath(libraryPath);
        }
    }

    internal void SetPath(string path) => Unwrapped(() =>
        _interop.GetType("CoreIO.CoreIONativeLibrary")!.GetProperty("Path")!.GetSetMethod()!.Invoke(null, [path]));

    internal object? Load() => Unwrapped(() => _interop.GetType("CoreIO.CoreIONativeLibrary")!.GetMethod("Load")!.Invoke(null, null));

    /// <summary>Calls an extern without parameters, which is bound on the way.</summary>
    internal object? CallExtern(string name) => Unwrapped(() => Method(_interop, "CoreIO.Interop.LibCoreIO", name).Invoke(null, null));

    /// <summary>Calls a static method of CoreIO.Native.</summary>
    internal object? CallNative(string type, string method, params object?[] arguments) =>
        Unwrapped(() => Method(_native, type, method).Invoke(null, arguments));

    /// <summary>Makes an object of CoreIO.Native.</summary>
    internal object Make(string type, params object?[] arguments) => Unwrapped(() => Activator.CreateInstance(
        _native.GetType(type)!, BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic, null, arguments, null))!;

    internal Type Type(string name) => _interop.GetType(name)!;

    // Native finds this copy of Interop; everything else comes from the default context.
    protected override Assembly? Load(AssemblyName assemblyName) => assemblyName.Name == _interop.GetName().Name ? _interop : null;

    private static MethodInfo Method(Assembly assembly, string type, string name) =>
        assembly.GetType(type)!.GetMethod(name, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!;

    private static T Unwrapped<T>(Func<T> call)
    {
        try
        {
            return call();
        }
        catch (TargetInvocationException e) when (e.InnerException is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e.InnerException);
            throw;
        }
    }
}
