namespace CoreIO.Interop;

/// <summary>The C type that a binding stands for, as the generator read it.</summary>
/// <remarks>
/// It stays in the metadata: the proof that the bindings fit the headers (tests/interop) takes from it what C# cannot say, which is
/// <c>const</c>.
/// </remarks>
[AttributeUsage(AttributeTargets.All)]
internal sealed class NativeTypeNameAttribute(string name) : Attribute
{
    /// <summary>The type in C's words, such as <c>const uint8_t *</c>.</summary>
    public string Name { get; } = name;
}
