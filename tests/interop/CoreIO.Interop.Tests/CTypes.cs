// The C type that a C# type of the bindings stands for.
//
// The type comes from C# itself, since that is what the calls use; only const, which C# cannot say, comes from the NativeTypeName
// that the generator left on the parameter or field.
using System.Reflection;
using System.Runtime.CompilerServices;

namespace CoreIO.Interop.Tests;

internal static class CTypes
{
    internal static string Of(ParameterInfo parameter) => Of(parameter.ParameterType, NativeName(parameter));

    /// <summary>The type of a field; <paramref name="suffix"/> is what C writes after the name, for an array.</summary>
    internal static string Of(FieldInfo field, out string suffix)
    {
        suffix = "";
        if (field.FieldType.GetCustomAttribute<InlineArrayAttribute>() is { } array)
        {
            suffix = $"[{array.Length}]";
            return Of(Bindings.Fields(field.FieldType).Single().FieldType, null);
        }

        return Of(field.FieldType, field.GetCustomAttribute<NativeTypeNameAttribute>()?.Name);
    }

    private static string? NativeName(ParameterInfo parameter) =>
        parameter.GetCustomAttributes(inherit: false).OfType<NativeTypeNameAttribute>().SingleOrDefault()?.Name;

    private static string Of(Type type, string? nativeName)
    {
        string pointee = Plain(type);
        if (nativeName is null || !nativeName.Contains("const", StringComparison.Ordinal))
        {
            return pointee;
        }

        // The dialect of the headers has const in front of a pointer's target only.
        return type.IsPointer && nativeName.LastIndexOf("const", StringComparison.Ordinal) == 0
            ? $"const {pointee}"
            : throw new NotSupportedException($"'{nativeName}' has const where the proof does not expect it.");
    }

    private static string Plain(Type type) => type switch
    {
        _ when type.IsPointer => Plain(type.GetElementType()!) + " *",
        _ when type == typeof(void) => "void",
        _ when type == typeof(byte) => "uint8_t",
        _ when type == typeof(ushort) => "uint16_t",
        _ when type == typeof(int) => "int32_t",
        _ when type == typeof(uint) => "uint32_t",
        _ when type == typeof(long) => "int64_t",
        _ when type == typeof(ulong) => "uint64_t",
        _ when type.IsValueType && type.Name.StartsWith("coreio_", StringComparison.Ordinal) => $"struct {type.Name}",
        _ => throw new NotSupportedException($"{type} is no type of the headers' dialect (fixed-width integers, pointers, structs)."),
    };
}
