// Text to numbers and times (docs/formats.md, section 5). Nothing here allocates or keeps state.
using System.Runtime.CompilerServices;

namespace CoreIO.Managed.Log;

/// <summary>How a field's text becomes a number.</summary>
internal enum Typing
{
    Whole,
    Millionths,

    /// <summary>Sum of the entries.</summary>
    WholeList,

    /// <summary>Sum of the entries.</summary>
    MillionthsList,

    /// <summary>The last entry that is not null.</summary>
    LastOfList,
    TimeLocal,
    TimeIso8601,

    /// <summary>Seconds since 1970, so millionths are microseconds.</summary>
    TimeMsec,

    /// <summary>How many entries a list has.</summary>
    Entries,
}

internal static class Numbers
{
    internal const long Micro = 1_000_000;

    private const int LocalTimeLength = 26;

    /// <summary>Types a text that is not null; false when it is neither null nor of its kind.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static bool TryType(Typing typing, ReadOnlySpan<byte> text, out long value, out bool isNull)
    {
        value = 0;
        isNull = text.IsEmpty;
        if (isNull)
        {
            return true;
        }

        return typing switch
        {
            Typing.Whole => TryReadWhole(text, out value),
            Typing.WholeList => TryReadList(text, false, out value, out isNull),
            Typing.MillionthsList => TryReadList(text, true, out value, out isNull),
            Typing.LastOfList => TryReadLast(text, out value, out isNull),
            Typing.Entries => TryCountEntries(text, out value),
            Typing.TimeLocal => TryReadLocal(text, out value),
            Typing.TimeIso8601 => TryReadIso8601(text, out value),
            _ => TryReadMillionths(text, out value),
        };
    }

    /// <summary>Reads one to eight digits, the last bytes of a word that was loaded so that it ends with them; all at once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool TryReadShort(ulong word, int length, out long value)
    {
        ulong digits = OnlyLast(word, length);
        value = (long)FromDigits(digits);
        return AreDigits(digits);
    }

    /// <summary>Reads seconds as nginx writes them, one to four digits, a point and three more, in millionths.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool TryReadMilliseconds(ulong word, int length, out long value)
    {
        const ulong Point = 0xFFUL << 32;
        ulong digits = OnlyLast(word, length);

        // The point goes, and what stands before it moves up to its place.
        bool hasPoint = (digits & Point) == (ulong)('.' ^ '0') << 32;
        digits = (digits & 0xFFFFFF00_00000000) | (digits & 0xFFFFFFFF) << 8;
        value = (long)FromDigits(digits) * 1000;
        return hasPoint && AreDigits(digits);
    }

    /// <summary><c>-?[0-9]+</c> within int64.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static bool TryReadWhole(ReadOnlySpan<byte> text, out long value)
    {
        if (text.Length - 1 is >= 0 and < 18 && text[0] != (byte)'-')
        {
            // Up to 18 digits cannot overflow.
            long number = 0;
            foreach (byte b in text)
            {
                uint digit = (uint)b - '0';
                if (digit > 9)
                {
                    value = 0;
                    return false;
                }

                number = (number * 10) + digit;
            }

            value = number;
            return true;
        }

        return TryReadNumber(text, 0, out value, out _);
    }

    /// <summary><c>-?[0-9]+(\.[0-9]+)?</c> in millionths; digits after the sixth are dropped.</summary>
    internal static bool TryReadMillionths(ReadOnlySpan<byte> text, out long value) => TryReadNumber(text, 6, out value, out _);

    /// <summary>Reads a number in units of 10^-<paramref name="scale"/>; tells how many decimals were written.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static bool TryReadNumber(ReadOnlySpan<byte> text, int scale, out long value, out int decimals)
    {
        value = 0;
        decimals = 0;
        bool negative = !text.IsEmpty && text[0] == (byte)'-';
        int at = negative ? 1 : 0;
        int first = at;

        // Counted downwards, for the negative range is the larger one.
        Int128 number = 0;
        for (; at < text.Length && char.IsAsciiDigit((char)text[at]); at++)
        {
            number = (number * 10) - (text[at] - '0');
            if (number < long.MinValue)
            {
                return false;
            }
        }

        if (at == first)
        {
            return false;
        }

        if (scale > 0)
        {
            int fraction = 0;
            if (at < text.Length && text[at] == (byte)'.')
            {
                int point = at++;
                for (; at < text.Length && char.IsAsciiDigit((char)text[at]); at++)
                {
                    if (at - point <= scale)
                    {
                        fraction = (fraction * 10) + (text[at] - '0');
                    }
                }

                decimals = at - point - 1;
                if (decimals == 0)
                {
                    return false;
                }
            }

            for (int i = decimals; i < scale; i++)
            {
                fraction *= 10;
            }

            number = (number * Micro) - fraction;
        }

        if (at != text.Length || number < (negative ? long.MinValue : -long.MaxValue))
        {
            return false;
        }

        value = (long)(negative ? number : -number);
        return true;
    }

    /// <summary>The last bytes of a word, each less a zero digit; the others are 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong OnlyLast(ulong word, int length)
    {
        int others = 64 - (8 * length);
        return (word ^ 0x30303030_30303030) >> others << others;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool AreDigits(ulong digits) => ((digits | (digits + 0x76767676_76767676)) & 0x80808080_80808080) == 0;

    /// <summary>Eight digits, the first in the lowest byte: pairs, then fours, then all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong FromDigits(ulong digits)
    {
        digits = ((digits * 10) + (digits >> 8)) & 0x00FF00FF_00FF00FF;
        digits = ((digits * 100) + (digits >> 16)) & 0x0000FFFF_0000FFFF;
        return ((digits * 10000) + (digits >> 32)) & 0xFFFFFFFF;
    }

    private static bool TryReadList(ReadOnlySpan<byte> list, bool millionths, out long value, out bool isNull)
    {
        long sum = 0;
        isNull = true;
        value = 0;
        bool more = true;
        while (more)
        {
            ReadOnlySpan<byte> entry = NextEntry(ref list, out more);
            if (IsAbsent(entry))
            {
                continue;
            }

            long number;
            if (!(millionths ? TryReadMillionths(entry, out number) : TryReadWhole(entry, out number)))
            {
                return false;
            }

            long next = unchecked(sum + number);
            if (((sum ^ next) & (number ^ next)) < 0)
            {
                return false;
            }

            sum = next;
            isNull = false;
        }

        value = sum;
        return true;
    }

    private static bool TryReadLast(ReadOnlySpan<byte> list, out long value, out bool isNull)
    {
        ReadOnlySpan<byte> found = default;
        bool more = true;
        while (more)
        {
            ReadOnlySpan<byte> entry = NextEntry(ref list, out more);
            if (!IsAbsent(entry))
            {
                found = entry;
            }
        }

        value = 0;
        isNull = found.IsEmpty;
        return isNull || TryReadWhole(found, out value);
    }

    private static bool TryCountEntries(ReadOnlySpan<byte> list, out long value)
    {
        value = 0;
        bool more = true;
        while (more)
        {
            NextEntry(ref list, out more);
            value++;
        }

        return true;
    }

    private static bool IsAbsent(ReadOnlySpan<byte> entry) => entry.IsEmpty || (entry.Length == 1 && entry[0] == (byte)'-');

    /// <summary>Takes the next entry off a list; entries are separated by <c>", "</c> and <c>" : "</c>.</summary>
    private static ReadOnlySpan<byte> NextEntry(scoped ref ReadOnlySpan<byte> rest, out bool more)
    {
        ReadOnlySpan<byte> entry = rest;
        more = false;
        for (int i = 0; i + 1 < rest.Length; i++)
        {
            int separator = rest[i] == (byte)',' && rest[i + 1] == (byte)' ' ? 2
                : rest[i] == (byte)' ' && rest[i + 1] == (byte)':' && i + 2 < rest.Length && rest[i + 2] == (byte)' ' ? 3
                : 0;
            if (separator > 0)
            {
                entry = rest[..i];
                rest = rest[(i + separator)..];
                more = true;
                break;
            }
        }

        return entry.Trim((byte)' ');
    }

    /// <summary><c>27/Feb/2023:11:53:25 +0800</c></summary>
    private static bool TryReadLocal(ReadOnlySpan<byte> text, out long value)
    {
        value = 0;
        if (text.Length != LocalTimeLength
            || text[2] != (byte)'/' || text[6] != (byte)'/' || text[11] != (byte)':' || text[20] != (byte)' '
            || !TryReadOffset(text[21..], 0, out int offset))
        {
            return false;
        }

        return TryMakeTime(Digits(text.Slice(7, 4)), Month(text.Slice(3, 3)), Digits(text[..2]), Clock(text[12..20]), offset, out value);
    }

    /// <summary><c>2023-02-27T11:53:25+08:00</c>, or Z for the offset.</summary>
    private static bool TryReadIso8601(ReadOnlySpan<byte> text, out long value)
    {
        value = 0;
        int offset = 0;
        if (text.Length is not (20 or 25) || text[4] != (byte)'-' || text[7] != (byte)'-' || text[10] != (byte)'T')
        {
            return false;
        }

        bool zone = text.Length == 20 ? text[19] == (byte)'Z' : text[22] == (byte)':' && TryReadOffset(text[19..], 1, out offset);
        return zone
            && TryMakeTime(Digits(text[..4]), Digits(text.Slice(5, 2)), Digits(text.Slice(8, 2)), Clock(text[11..19]), offset, out value);
    }

    private static bool TryMakeTime(int year, int month, int day, int clock, int offset, out long value)
    {
        value = 0;
        if (year < 0 || month is < 1 or > 12 || day < 1 || day > DaysOfMonth(year, month) || clock < 0)
        {
            return false;
        }

        value = ((DaysFromDate(year, month, day) * 86400) + clock - offset) * Micro;
        return true;
    }

    /// <summary>Days since 1970 of a date of the proleptic Gregorian calendar (Hinnant's algorithm); the year is not negative.</summary>
    private static long DaysFromDate(int year, int month, int day)
    {
        int shifted = month <= 2 ? year - 1 : year;
        int era = (shifted >= 0 ? shifted : shifted - 399) / 400;
        int yearOfEra = shifted - (era * 400);
        int dayOfYear = (((153 * (month + (month > 2 ? -3 : 9))) + 2) / 5) + day - 1;
        int dayOfEra = (yearOfEra * 365) + (yearOfEra / 4) - (yearOfEra / 100) + dayOfYear;
        return ((long)era * 146097) + dayOfEra - 719468;
    }

    private static int DaysOfMonth(int year, int month)
    {
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        ReadOnlySpan<byte> days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        return days[month - 1] + (month == 2 && leap ? 1 : 0);
    }

    private static int Month(ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> names = "JanFebMarAprMayJunJulAugSepOctNovDec"u8;
        for (int i = 0; i < 12; i++)
        {
            if (name.SequenceEqual(names.Slice(3 * i, 3)))
            {
                return i + 1;
            }
        }

        return -1;
    }

    /// <summary>HH:MM:SS as seconds, or -1; second 60 counts as 59.</summary>
    private static int Clock(ReadOnlySpan<byte> text)
    {
        int hour = Digits(text[..2]);
        int minute = Digits(text.Slice(3, 2));
        int second = Digits(text.Slice(6, 2));
        bool valid = text[2] == (byte)':' && text[5] == (byte)':'
            && hour is >= 0 and <= 23 && minute is >= 0 and <= 59 && second is >= 0 and <= 60;
        return valid ? (hour * 3600) + (minute * 60) + Math.Min(second, 59) : -1;
    }

    /// <summary>A sign, HH, <paramref name="gap"/> bytes and MM as seconds.</summary>
    private static bool TryReadOffset(ReadOnlySpan<byte> text, int gap, out int seconds)
    {
        int hour = Digits(text.Slice(1, 2));
        int minute = Digits(text.Slice(3 + gap, 2));
        seconds = ((hour * 60) + minute) * 60 * (text[0] == (byte)'-' ? -1 : 1);
        return text[0] is (byte)'+' or (byte)'-' && hour is >= 0 and <= 14 && minute is >= 0 and <= 59;
    }

    /// <summary>The number of a text of digits, or -1.</summary>
    private static int Digits(ReadOnlySpan<byte> text)
    {
        int number = 0;
        foreach (byte b in text)
        {
            uint digit = (uint)b - '0';
            if (digit > 9)
            {
                return -1;
            }

            number = (number * 10) + (int)digit;
        }

        return number;
    }
}
