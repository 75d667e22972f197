using System.Text;

namespace CoreIO;

/// <summary>
/// Text of a few bytes, letter by letter. Encodings go over text by vectors, whose types take a process a millisecond to load: names, numbers,
/// paths and short reports are no reason to.
/// </summary>
internal static class ShortText
{
    private const int MostBytes = 256;

    // Longer text is soon as long to go over as the types are to load.
    private const int MostLetters = 8192;

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

    /// <summary>What <see cref="Encoding.UTF8"/> makes of the text; it is asked where that is long, or has letters of two units.</summary>
    internal static byte[] BytesOf(string text)
    {
        if (text.Length > MostLetters)
        {
            return Encoding.UTF8.GetBytes(text);
        }

        int length = 0;
        foreach (char c in text)
        {
            if (char.IsSurrogate(c))
            {
                return Encoding.UTF8.GetBytes(text);
            }

            length += c < 0x80 ? 1 : c < 0x800 ? 2 : 3;
        }

        byte[] bytes = new byte[length];
        int at = 0;
        foreach (char c in text)
        {
            if (c < 0x80)
            {
                bytes[at++] = (byte)c;
                continue;
            }

            if (c < 0x800)
            {
                bytes[at++] = (byte)(0xC0 | (c >> 6));
            }
            else
            {
                bytes[at++] = (byte)(0xE0 | (c >> 12));
                bytes[at++] = (byte)(0x80 | ((c >> 6) & 0x3F));
            }

            bytes[at++] = (byte)(0x80 | (c & 0x3F));
        }

        return bytes;
    }
}
