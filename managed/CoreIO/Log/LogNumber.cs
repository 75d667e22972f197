// Shows numbers: integers as they are, millionths with up to six decimals, averages rounded half away from zero. All in integers of 128
// bits, so that the same answer is the same text everywhere. Those that need only 64 have a way of their own: methods with integers of 128
// bits are never compiled ahead of time, and a report should not wait for them to be compiled.
using System.Globalization;
using System.Text;

namespace CoreIO.Log;

/// <summary>Values of statistics as text.</summary>
public static class LogNumber
{
    private const int Million = 1_000_000;

    // Nothing on the way to the average of a smaller sum has more than 64 bits.
    private const long MostAveraged = long.MaxValue / (4 * Million);

    /// <summary>Room that suffices for any number as text: a sign, 39 digits, a point.</summary>
    internal const int MaxLength = 48;

    /// <summary>The value of a cell in millionths or ones, whichever <see cref="ScaleOf"/> says; null when no line had a value.</summary>
    public static Int128? ValueOf(LogStatColumn column, LogCell cell)
    {
        return !HasValue(column, cell) ? null : column.Kind == LogStatKind.Avg ? Average(cell.Value, cell.Count, column.Scale) : cell.Value;
    }

    /// <summary>0 when the column's values are ones, 6 when they are millionths; averages always are.</summary>
    public static int ScaleOf(LogStatColumn column) => column.Kind == LogStatKind.Avg ? 6 : column.Scale;

    /// <summary>The value of a cell as text; null when no line had a value.</summary>
    public static string? TextOf(LogStatColumn column, LogCell cell)
    {
        Span<byte> text = stackalloc byte[MaxLength];
        return TryWrite(column, cell, text, out int length) ? ShortText.Of(text[..length]) : null;
    }

    /// <summary>A value as text, as <see cref="Format(Int128, int)"/> writes it.</summary>
    public static string Format(long value, int scale)
    {
        Span<byte> text = stackalloc byte[MaxLength];
        return ShortText.Of(text[..Format(value, scale, text)]);
    }

    /// <summary>A value as text, trailing zeros of the fraction left out: <c>0.25</c>, <c>3</c>, <c>-1.000001</c>.</summary>
    public static string Format(Int128 value, int scale)
    {
        Span<byte> text = stackalloc byte[MaxLength];
        return Encoding.ASCII.GetString(text[..Format(value, scale, text)]);
    }

    /// <summary>Writes the value of a cell as ASCII; false when no line had a value.</summary>
    internal static bool TryWrite(LogStatColumn column, LogCell cell, Span<byte> text, out int length)
    {
        ArgumentNullException.ThrowIfNull(column);
        bool hasValue = HasValue(column, cell);
        length = !hasValue ? 0
            : TryNarrow(column, cell, out long value) ? Format(value, ScaleOf(column), text)
            : WriteWide(column, cell, text);
        return hasValue;
    }

    /// <summary>Whether any line had a value.</summary>
    internal static bool HasValue(LogStatColumn column, LogCell cell) => column.Kind is LogStatKind.Count or LogStatKind.Distinct || cell.Count != 0;

    /// <summary>What <see cref="ValueOf"/> says of a cell that has a value, where 64 bits suffice for it, and all the way to it.</summary>
    internal static bool TryNarrow(LogStatColumn column, LogCell cell, out long value)
    {
        if (!cell.TryGetInt64(out value) || (column.Kind == LogStatKind.Avg && value is <= -MostAveraged or >= MostAveraged))
        {
            return false;
        }

        value = column.Kind == LogStatKind.Avg ? Average(value, cell.Count, column.Scale) : value;
        return true;
    }

    /// <summary>Writes a value as ASCII and returns its length.</summary>
    internal static int Format(long value, int scale, Span<byte> text)
    {
        ulong magnitude = value < 0 ? (ulong)~value + 1 : (ulong)value;
        text[0] = (byte)'-';
        int length = WriteWhole(scale == 0 ? magnitude : magnitude / Million, text, value < 0 ? 1 : 0);
        return WriteFraction(scale == 0 ? 0 : (uint)(magnitude % Million), text, length);
    }

    /// <summary>Writes a value as ASCII and returns its length.</summary>
    internal static int Format(Int128 value, int scale, Span<byte> text)
    {
        int length = 0;
        // The smallest value has no positive counterpart in Int128, but it has one in UInt128.
        UInt128 magnitude = value < 0 ? (UInt128)(~value) + 1 : (UInt128)value;
        if (value < 0)
        {
            text[length++] = (byte)'-';
        }

        UInt128 whole = scale == 0 ? magnitude : magnitude / Million;
        uint fraction = scale == 0 ? 0 : (uint)(magnitude % Million);
        _ = whole.TryFormat(text[length..], out int digits, default, CultureInfo.InvariantCulture);
        return WriteFraction(fraction, text, length + digits);
    }

    private static int WriteWide(LogStatColumn column, LogCell cell, Span<byte> text) =>
        Format(ValueOf(column, cell)!.Value, ScaleOf(column), text);

    // Returns where it ends. Digit by digit: what formats numbers of all kinds asks for a culture first.
    private static int WriteWhole(ulong whole, Span<byte> text, int length)
    {
        int digits = 1;
        for (ulong rest = whole / 10; rest != 0; rest /= 10)
        {
            digits++;
        }

        for (int at = length + digits - 1; at >= length; at--)
        {
            text[at] = (byte)('0' + (whole % 10));
            whole /= 10;
        }

        return length + digits;
    }

    // Millionths behind a whole number that ends at `length`; returns where they end.
    private static int WriteFraction(uint fraction, Span<byte> text, int length)
    {
        if (fraction == 0)
        {
            return length;
        }

        text[length++] = (byte)'.';
        for (uint unit = Million / 10; fraction != 0; unit /= 10)
        {
            text[length++] = (byte)('0' + (fraction / unit));
            fraction %= unit;
        }

        return length;
    }

    // As below, for sums that 64 bits suffice for all the way.
    private static long Average(long sum, long count, int scale)
    {
        (long whole, long rest) = Math.DivRem(sum, count);
        long unit = scale == 0 ? Million : 1;
        (long part, long left) = Math.DivRem(rest * unit, count);
        long twice = left * 2;
        long round = twice >= count ? 1 : twice <= -count ? -1 : 0;
        return (whole * unit) + part + round;
    }

    // The whole part is divided first: only the remainder, below 2^63, is multiplied, so nothing overflows.
    private static Int128 Average(Int128 sum, long count, int scale)
    {
        (Int128 whole, Int128 rest) = Int128.DivRem(sum, count);
        Int128 unit = scale == 0 ? Million : 1;
        (Int128 part, Int128 left) = Int128.DivRem(rest * unit, count);
        Int128 twice = left * 2;
        Int128 round = twice >= count ? 1 : twice <= -count ? -1 : 0;
        return (whole * unit) + part + round;
    }
}
