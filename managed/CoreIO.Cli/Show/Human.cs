using System.Globalization;

namespace CoreIO.Cli.Show;

/// <summary>Numbers for people.</summary>
internal static class Human
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary><c>1,234,567</c>.</summary>
    public static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

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

        string number = unit == 0 || value >= 100 ? Math.Floor(value).ToString("0", CultureInfo.InvariantCulture)
            : (Math.Floor(value * 10) / 10).ToString("0.0", CultureInfo.InvariantCulture);
        return $"{(bytes < 0 ? "-" : "")}{number} {Units[unit]}";
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
    public static string Share(long part, long whole) =>
        whole <= 0 ? "" : (100.0 * part / whole).ToString("0.0", CultureInfo.InvariantCulture) + " %";
}
