// Writes the C file that compiles only when the bindings fit the headers: each size, offset, field type, constant and signature of C#
// is a statement about C there. What C has and C# lacks is not seen here; that is HeaderInventory's.
using System.Globalization;
using System.Reflection;
using System.Text;

namespace CoreIO.Interop.Tests;

internal static class BindingProof
{
    internal static string Write(IEnumerable<string> words)
    {
        StringBuilder c = new();
        c.Append("#include <stddef.h>\n");
        foreach (string word in words)
        {
            c.Append(CultureInfo.InvariantCulture, $"#include <coreio/{word}.h>\n");
        }

        // _Generic takes the type of an address, so that neither const nor the length of an array is lost.
        c.Append("#define HAS_TYPE(address, type) _Generic((address), type: 1, default: 0)\n");
        foreach (FieldInfo constant in Bindings.Constants)
        {
            AppendConstant(c, constant);
        }

        foreach (Type type in Bindings.Enums)
        {
            AppendEnum(c, type);
        }

        foreach (Type type in Bindings.Structs)
        {
            AppendStruct(c, type);
        }

        foreach (MethodInfo method in Bindings.Externs)
        {
            AppendExtern(c, method);
        }

        return c.ToString();
    }

    private static void AppendConstant(StringBuilder c, FieldInfo constant)
    {
        string type = constant.FieldType == typeof(uint) ? "unsigned int" : "int";
        string value = Convert.ToInt64(constant.GetRawConstantValue(), CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture);
        c.Append(CultureInfo.InvariantCulture, $"_Static_assert({constant.Name} == {value}, \"value of {constant.Name}\");\n");
        c.Append(CultureInfo.InvariantCulture, $"_Static_assert(HAS_TYPE({constant.Name}, {type}), \"type of {constant.Name}\");\n");
    }

    private static void AppendEnum(StringBuilder c, Type type)
    {
        c.Append(
            CultureInfo.InvariantCulture,
            $"_Static_assert(sizeof(enum {type.Name}) == {Layout.SizeOf(type)}, \"size of {type.Name}\");\n");
        foreach (string name in Enum.GetNames(type))
        {
            int value = (int)Enum.Parse(type, name);
            c.Append(CultureInfo.InvariantCulture, $"_Static_assert({name} == ({value}), \"value of {name}\");\n");
        }
    }

    private static void AppendStruct(StringBuilder c, Type type)
    {
        c.Append(
            CultureInfo.InvariantCulture,
            $"_Static_assert(sizeof(struct {type.Name}) == {Layout.SizeOf(type)}, \"size of {type.Name}\");\n");
        foreach (FieldInfo field in Bindings.Fields(type))
        {
            string path = $"{type.Name}.{field.Name}";
            string fieldType = CTypes.Of(field, out string suffix);
            string address = suffix.Length == 0 ? $"{fieldType} *" : $"{fieldType} (*){suffix}";
            c.Append(
                CultureInfo.InvariantCulture,
                $"_Static_assert(offsetof(struct {type.Name}, {field.Name}) == {Layout.OffsetOf(field)}, \"offset of {path}\");\n");
            c.Append(
                CultureInfo.InvariantCulture,
                $"_Static_assert(HAS_TYPE(&((struct {type.Name} *)0)->{field.Name}, {address}), \"type of {path}\");\n");
        }
    }

    private static void AppendExtern(StringBuilder c, MethodInfo method)
    {
        string result = CTypes.Of(method.ReturnParameter);
        string parameters = string.Join(", ", method.GetParameters().Select(CTypes.Of));
        string name = method.Name;
        c.Append(
            CultureInfo.InvariantCulture,
            $"{result} (*const proof_{name})({(parameters.Length == 0 ? "void" : parameters)}) = {name};\n");
    }
}
