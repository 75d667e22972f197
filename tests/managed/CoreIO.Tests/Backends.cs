// The backends that fixtures take as their source. One that is not in this build is skipped by name; one that is in it and does not load
// fails, so that a broken library cannot pass as a missing one.
namespace CoreIO.Tests;

internal static class Backends
{
    public static readonly string[] Names = [CoreBackends.NativeName, CoreBackends.ManagedName];

    /// <summary>The backend called so, or the end of the test.</summary>
    public static ICoreBackend Get(string name)
    {
        CoreBackendInfo info = CoreBackends.Available.Single(b => b.Name == name);
        if (info.Backend is null && name == CoreBackends.NativeName && !CoreBackends.HasNative)
        {
            Assert.Ignore($"{name}: {info.Reason}");
        }

        return info.Backend ?? throw new AssertionException($"{name}: {info.Reason}");
    }

    /// <summary>Every backend of this build.</summary>
    public static IEnumerable<ICoreBackend> All =>
        Names.Where(name => name != CoreBackends.NativeName || CoreBackends.HasNative).Select(Get);

    /// <summary>Every backend of this build with each kernel that this machine can run.</summary>
    public static IEnumerable<(ICoreBackend Backend, string Kernel)> Kernels =>
        from backend in All
        from kernel in backend.Log.Kernels
        where kernel.Supported
        select (backend, kernel.Name);

    /// <summary>Skips a comparison of two backends in a build that holds one.</summary>
    public static void NeedBoth()
    {
        if (!CoreBackends.HasNative)
        {
            Assert.Ignore("this build holds one backend; there is nothing to compare it with");
        }
    }
}
