// Turns bytes of a log into text that can be shown: docs/formats.md, section 7. Values are decoded here and nowhere else, so that filters
// and groups see the bytes of the line. The result is always valid UTF-8, and in a terminal it holds no control character.
using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace CoreIO.Log;

/// <summary>Where a value is shown, which decides what must be escaped.</summary>
public enum LogTextUse
{
    /// <summary>A program reads it: only bytes that are no UTF-8 are escaped.</summary>
    Data,

    /// <summary>A terminal shows it: control characters are escaped, too.</summary>
    Terminal,
}

/// <summary>Shows values of a log.</summary>
public static class LogText
{
    /// <summary>A byte becomes four at most, as in <c>\xFF</c>.</summary>
    private const int MaxExpansion = 4;

    private const ulong Ones = 0x0101_0101_0101_0101;

    /// <summary>The value as text: <c>\xHH</c>, <c>\"</c> and <c>\\</c> decoded, what cannot be shown as <c>\xHH</c>.</summary>
    public static string Decode(ReadOnlySpan<byte> value, LogTextUse use = LogTextUse.Data)
    {
        if (IsPlain(value, use))
        {
            return ShortText.Of(value);
        }

        byte[] rented = ArrayPool<byte>.Shared.Rent(MaxLength(value.Length));
        int length = Decode(value, rented, use);
        string text = Encoding.UTF8.GetString(rented, 0, length);
        ArrayPool<byte>.Shared.Return(rented);
        return text;
    }

    /// <summary>Escapes text that is no value of a log, such as a path, for a terminal.</summary>
    public static string Escape(string text)
    {
        foreach (char c in text)
        {
            if (c is < ' ' or > '~')
            {
                return EscapeAll(text);
            }
        }

        return text;
    }

    private static string EscapeAll(string text) => ShowRaw(Encoding.UTF8.GetBytes(text), LogTextUse.Terminal);

    /// <summary>Whether the value is shown exactly as its bytes are.</summary>
    /// <remarks>
    /// Backslashes begin what is decoded, controls matter to a terminal only, and bytes from 0x80 on need a check for UTF-8. Eight bytes at a
    /// time, by the arithmetic of Warren (Hacker's Delight, 2012, section 6-1): to search by vectors takes code that is made at run time.
    /// </remarks>
    internal static bool IsPlain(ReadOnlySpan<byte> value, LogTextUse use)
    {
        bool terminal = use == LogTextUse.Terminal;
        while (value.Length >= sizeof(ulong))
        {
            ulong word = BinaryPrimitives.ReadUInt64LittleEndian(value);
            ulong odd = word | Zeros(word ^ ('\\' * Ones));
            odd |= terminal ? ((word - (' ' * Ones)) & ~word) | Zeros(word ^ (0x7F * Ones)) : 0;
            if ((odd & (0x80 * Ones)) != 0)
            {
                return false;
            }

            value = value[sizeof(ulong)..];
        }

        foreach (byte b in value)
        {
            if (b is (byte)'\\' or >= 0x80 || (terminal && b is < 0x20 or 0x7F))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Room that suffices to decode a value.</summary>
    internal static int MaxLength(int valueLength) => checked(valueLength * MaxExpansion);

    /// <summary>Writes the value as UTF-8 and returns how many bytes that took; allocates for short values only on the stack.</summary>
    internal static int Decode(ReadOnlySpan<byte> value, Span<byte> destination, LogTextUse use)
    {
        if (!value.Contains((byte)'\\'))
        {
            return Show(value, destination, use);
        }

        byte[]? rented = value.Length > 1024 ? ArrayPool<byte>.Shared.Rent(value.Length) : null;
        Span<byte> raw = rented ?? stackalloc byte[1024];
        int length = Unescape(value, raw);
        int written = Show(raw[..length], destination, use);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        return written;
    }

    /// <summary>Raw bytes as text, not decoded: a rejected line is shown as it stands.</summary>
    internal static string ShowRaw(ReadOnlySpan<byte> bytes, LogTextUse use = LogTextUse.Data)
    {
        if (IsPlain(bytes, use))
        {
            return ShortText.Of(bytes);
        }

        byte[] room = new byte[MaxLength(bytes.Length)];
        return Encoding.UTF8.GetString(room, 0, Show(bytes, room, use));
    }

    // The highest bit of a byte is set where one is zero; of others it may be above the lowest of those.
    private static ulong Zeros(ulong word) => (word - Ones) & ~word;

    // What nginx (\xHH) and Apache (\xHH, \", \\) write inside quotes becomes the byte it stands for; any other backslash stays.
    private static int Unescape(ReadOnlySpan<byte> value, Span<byte> raw)
    {
        int length = 0;
        int i = 0;
        while (i < value.Length)
        {
            byte b = value[i];
            if (b == '\\' && i + 1 < value.Length)
            {
                byte next = value[i + 1];
                if (next is (byte)'"' or (byte)'\\')
                {
                    raw[length++] = next;
                    i += 2;
                    continue;
                }

                if (next == 'x' && i + 3 < value.Length && Hex(value[i + 2]) is int high and >= 0 && Hex(value[i + 3]) is int low and >= 0)
                {
                    raw[length++] = (byte)((high << 4) | low);
                    i += 4;
                    continue;
                }
            }

            raw[length++] = b;
            i++;
        }

        return length;
    }

    private static int Show(ReadOnlySpan<byte> raw, Span<byte> destination, LogTextUse use)
    {
        int written = 0;
        while (!raw.IsEmpty)
        {
            OperationStatus status = Rune.DecodeFromUtf8(raw, out Rune rune, out int used);
            // Rune.IsControl covers C0, DEL and the C1 controls, which terminals obey as well.
            bool shown = status == OperationStatus.Done && (use == LogTextUse.Data || !Rune.IsControl(rune));
            if (shown)
            {
                raw[..used].CopyTo(destination[written..]);
                written += used;
            }
            else
            {
                foreach (byte b in raw[..used])
                {
                    destination[written++] = (byte)'\\';
                    destination[written++] = (byte)'x';
                    destination[written++] = Digit(b >> 4);
                    destination[written++] = Digit(b & 15);
                }
            }

            raw = raw[used..];
        }

        return written;
    }

    private static byte Digit(int value) => (byte)(value < 10 ? '0' + value : 'A' + value - 10);

    private static int Hex(byte b) => b switch
    {
        >= (byte)'0' and <= (byte)'9' => b - '0',
        >= (byte)'a' and <= (byte)'f' => b - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => b - 'A' + 10,
        _ => -1,
    };
}
