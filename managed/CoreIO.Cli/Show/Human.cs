// Numbers for people, made of whole numbers: .NET's own way to write a number with commas or a point takes a millisecond the first time.
using System.Globalization;
using CoreIO.Log;

namespace CoreIO.Cli.Show;

/// <summary>Numbers for people.</summary>
internal static class Human
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary><c>1,234,567</c>.</summary>
    public static string Count(long value)
    {
        string digits = LogNumber.Format(value, 0);
        for (int comma = digits.Length - 3; comma > (value < 0 ? 1 : 0); comma -= 3)
        {
            digits = digits.Insert(comma, ",");
        }

        return digits;
    }

    /// <summary><c>1.2 GiB</c>: three digits at most, cut, never rounded up to the next unit.</summary>
    public static string Bytes(long bytes) => Bytes((double)bytes);

    /// <summary>The same for what 64 bits do not hold.</summary>
    public static string Bytes(double bytes)
    {
        double value = Math.Abs(bytes);
        int unit = 0;
        while (value >= 1024 && unit < Units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        string number = value > long.MaxValue ? Math.Floor(value).ToString("0", CultureInfo.InvariantCulture)
            : unit == 0 || value >= 100 ? LogNumber.Format((long)value, 0)
            : Tenths((long)(value * 10));
        return string.Concat(bytes < 0 ? "-" : "", number, " ", Units[unit]);
    }

    /// <summary><c>0:07</c>, <c>12:30</c>, <c>3:04:05</c>.</summary>
    public static string Duration(TimeSpan time)
    {
        long seconds = (long)Math.Min(Math.Ceiling(time.TotalSeconds), 359_999_999);
        return seconds < 3600
            ? $"{seconds / 60}:{seconds % 60:00}"
            : $"{seconds / 3600}:{seconds / 60 % 60:00}:{seconds % 60:00}";
    }

    /// <summary><c>12.5 %</c> of a whole; nothing where there is none.</summary>
    public static string Share(long part, long whole)
    {
        const long Doubled = 2000;
        return whole <= 0 ? ""
            : part < long.MaxValue / Doubled ? Tenths(((Doubled * part / whole) + 1) / 2) + " %"
            : Tenths((long)Math.Round(Doubled / 2 * (double)part / whole)) + " %";
    }

    private static string Tenths(long tenths) => string.Concat(LogNumber.Format(tenths / 10, 0), ".", LogNumber.Format(tenths % 10, 0));
}
