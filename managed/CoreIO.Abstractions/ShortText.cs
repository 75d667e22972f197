using System.Text;

namespace CoreIO;

/// <summary>
/// Text of a few bytes, letter by letter. Encodings go over text by vectors, whose types take a process two milliseconds to load: names,
/// numbers and keys are no reason to.
/// </summary>
internal static class ShortText
{
    private const int MostBytes = 256;

    /// <summary>What <see cref="Encoding.UTF8"/> makes of the bytes; it is asked where they are many, or not all ASCII.</summary>
    internal static string Of(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MostBytes)
        {
            return Encoding.UTF8.GetString(bytes);
        }

        Span<char> text = stackalloc char[MostBytes];
        for (int i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] > 0x7F)
            {
                return Encoding.UTF8.GetString(bytes);
            }

            text[i] = (char)bytes[i];
        }

        return new string(text[..bytes.Length]);
    }
}
