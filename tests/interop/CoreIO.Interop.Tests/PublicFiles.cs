using CoreIO.Testing;

namespace CoreIO.Interop.Tests;

/// <summary>The files that the bindings are held against.</summary>
internal static class PublicFiles
{
    internal static string Headers => Repository.PathOf("native/include");

    internal static string ExportsMap => Repository.PathOf("native/exports.map");

    internal static string Interop => Repository.PathOf("interop");
}
