// What the C# bindings declare, by reflection over CoreIO.Interop: externs, constants, structures, enums.
//
// Everything in the namespace whose name begins with coreio_ is a binding; what is hand-written has C#'s names.
using System.Reflection;
using System.Runtime.InteropServices;

namespace CoreIO.Interop.Tests;

internal static class Bindings
{
    private static readonly Type[] Types =
        [.. typeof(LibCoreIO).Assembly.GetTypes().Where(t => t.Name.StartsWith("coreio_", StringComparison.Ordinal) && !t.IsNested)];

    /// <summary>The functions, in the order of the files.</summary>
    internal static MethodInfo[] Externs { get; } =
        [.. typeof(LibCoreIO).GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
            .Where(m => m.IsDefined(typeof(DllImportAttribute)))];

    /// <summary>The constants that are #defines in C.</summary>
    internal static FieldInfo[] Constants { get; } =
        [.. typeof(LibCoreIO).GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic).Where(f => f.IsLiteral)];

    internal static Type[] Enums { get; } = [.. Types.Where(t => t.IsEnum)];

    /// <summary>Structures with fields.</summary>
    internal static Type[] Structs { get; } = [.. Types.Where(t => t.IsValueType && !t.IsEnum && Fields(t).Length > 0)];

    /// <summary>Structures of which C tells only the name.</summary>
    internal static Type[] Opaque { get; } = [.. Types.Where(t => t.IsValueType && !t.IsEnum && Fields(t).Length == 0)];

    internal static FieldInfo[] Fields(Type type) => type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);

    /// <summary>The names of all bindings, in the words of <see cref="HeaderInventory"/>.</summary>
    internal static SortedSet<string> Inventory()
    {
        SortedSet<string> names = new(StringComparer.Ordinal);
        names.UnionWith(Externs.Select(m => $"function {m.Name}"));
        names.UnionWith(Constants.Select(f => $"constant {f.Name}"));
        names.UnionWith(Opaque.Select(t => $"opaque {t.Name}"));
        names.UnionWith(Enums.SelectMany(t => Enum.GetNames(t).Select(n => $"value {t.Name}.{n}")));
        names.UnionWith(Structs.SelectMany(t => Fields(t).Select(f => $"field {t.Name}.{f.Name}")));
        return names;
    }
}
