// Reads the times of docs/formats.md, section 5, where a whole scan would be too much: to choose a format by a sample, and to learn the
// offset from UTC that the log is written in. The times of an answer come from the backends, never from here.
using System.Buffers.Text;
using System.Globalization;

namespace CoreIO.Log;

/// <summary>An instant as a log writes it.</summary>
/// <param name="Micros">Microseconds since 1970 UTC.</param>
/// <param name="OffsetMinutes">Minutes that the log's wall clock is ahead of UTC.</param>
public readonly record struct LogInstant(long Micros, int OffsetMinutes);

/// <summary>Reads and writes instants.</summary>
public static class LogClock
{
    private const int LocalLength = 26;

    /// <summary>The names of the fields that can be a line's clock, the preferred first.</summary>
    internal static readonly string[] Fields = ["time_local", "time_iso8601", "msec"];

    /// <summary>Reads a value of the field <paramref name="field"/>; false when it is none of its kind.</summary>
    public static bool TryRead(string field, ReadOnlySpan<byte> value, out LogInstant instant)
    {
        instant = default;
        return field switch
        {
            "time_local" => TryLocal(value, out instant),
            "time_iso8601" => TryIso(value, out instant),
            "msec" => TrySeconds(value, out instant),
            _ => false,
        };
    }

    /// <summary>
    /// RFC 3339 in the given offset: <c>2019-01-22T03:56:00+03:30</c>, or <c>Z</c> for none; a fraction only where there is one.
    /// </summary>
    public static string Format(long micros, int offsetMinutes)
    {
        long local = micros + (offsetMinutes * 60_000_000L);
        // Beyond the years 1 to 9999 there is no such notation; seconds since 1970 are still true.
        if (local < DateTime.MinValue.Ticks / 10 - EpochMicros || local > (DateTime.MaxValue.Ticks / 10) - EpochMicros)
        {
            return LogNumber.Format(micros, 6);
        }

        DateTime time = new((local + EpochMicros) * 10);
        string fraction = micros % 1_000_000 == 0 ? "" : time.ToString(".FFFFFF", CultureInfo.InvariantCulture);
        string offset = offsetMinutes == 0
            ? "Z"
            : $"{(offsetMinutes < 0 ? '-' : '+')}{Math.Abs(offsetMinutes) / 60:00}:{Math.Abs(offsetMinutes) % 60:00}";
        return time.ToString("s", CultureInfo.InvariantCulture) + fraction + offset;
    }

    private static long EpochMicros => DateTime.UnixEpoch.Ticks / 10;

    private static bool TryLocal(ReadOnlySpan<byte> v, out LogInstant instant)
    {
        instant = default;
        if (v.Length != LocalLength || v[2] != '/' || v[6] != '/' || v[11] != ':' || v[20] != ' ')
        {
            return false;
        }

        int month = Month(v.Slice(3, 3));
        return month > 0 && TryDigits(v[..2], out int day) && TryDigits(v.Slice(7, 4), out int year)
            && TryTime(v.Slice(12, 8), out int seconds) && TryOffset(v[21], v.Slice(22, 2), v.Slice(24, 2), out int offset)
            && TryMake(year, month, day, seconds, offset, out instant);
    }

    private static bool TryIso(ReadOnlySpan<byte> v, out LogInstant instant)
    {
        instant = default;
        if (v.Length < 20 || v[4] != '-' || v[7] != '-' || v[10] != 'T')
        {
            return false;
        }

        int offset = 0;
        ReadOnlySpan<byte> zone = v[19..];
        bool zoneRead = zone.Length == 1
            ? zone[0] == 'Z'
            : zone.Length == 6 && zone[3] == ':' && TryOffset(zone[0], zone.Slice(1, 2), zone.Slice(4, 2), out offset);
        return zoneRead && TryDigits(v[..4], out int year) && TryDigits(v.Slice(5, 2), out int month)
            && TryDigits(v.Slice(8, 2), out int day) && TryTime(v.Slice(11, 8), out int seconds)
            && TryMake(year, month, day, seconds, offset, out instant);
    }

    private static bool TrySeconds(ReadOnlySpan<byte> v, out LogInstant instant)
    {
        instant = default;
        int point = v.IndexOf((byte)'.');
        ReadOnlySpan<byte> whole = point < 0 ? v : v[..point];
        ReadOnlySpan<byte> fraction = point < 0 ? default : v[(point + 1)..];
        if (!Utf8Parser.TryParse(whole, out long seconds, out int used) || used != whole.Length || whole[0] == '+'
            || (point >= 0 && (fraction.IsEmpty || fraction.ContainsAnyExceptInRange((byte)'0', (byte)'9')))
            || seconds is > (long.MaxValue / 1_000_000) - 1 or < -(long.MaxValue / 1_000_000) + 1)
        {
            return false;
        }

        long micros = 0;
        for (int i = 0; i < 6; i++)
        {
            micros = (micros * 10) + (i < fraction.Length ? fraction[i] - '0' : 0);
        }

        instant = new LogInstant((seconds * 1_000_000) + (whole[0] == '-' ? -micros : micros), 0);
        return true;
    }

    private static bool TryMake(int year, int month, int day, int seconds, int offset, out LogInstant instant)
    {
        instant = default;
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month))
        {
            return false;
        }

        long micros = (new DateTime(year, month, day).Ticks / 10) - EpochMicros + ((seconds - (offset * 60L)) * 1_000_000);
        instant = new LogInstant(micros, offset);
        return true;
    }

    private static bool TryTime(ReadOnlySpan<byte> v, out int seconds)
    {
        seconds = 0;
        if (v[2] != ':' || v[5] != ':' || !TryDigits(v[..2], out int hour) || !TryDigits(v.Slice(3, 2), out int minute)
            || !TryDigits(v.Slice(6, 2), out int second) || hour > 23 || minute > 59 || second > 60)
        {
            return false;
        }

        seconds = (hour * 3600) + (minute * 60) + Math.Min(second, 59);
        return true;
    }

    private static bool TryOffset(byte sign, ReadOnlySpan<byte> hours, ReadOnlySpan<byte> minutes, out int offset)
    {
        offset = 0;
        if (sign is not ((byte)'+' or (byte)'-') || !TryDigits(hours, out int hour) || !TryDigits(minutes, out int minute)
            || hour > 14 || minute > 59)
        {
            return false;
        }

        offset = ((hour * 60) + minute) * (sign == '-' ? -1 : 1);
        return true;
    }

    private static bool TryDigits(ReadOnlySpan<byte> digits, out int value)
    {
        value = 0;
        foreach (byte b in digits)
        {
            if (b is < (byte)'0' or > (byte)'9')
            {
                return false;
            }

            value = (value * 10) + (b - '0');
        }

        return true;
    }

    private static int Month(ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> names = "JanFebMarAprMayJunJulAugSepOctNovDec"u8;
        for (int month = 1; month <= 12; month++)
        {
            if (name.SequenceEqual(names.Slice((month - 1) * 3, 3)))
            {
                return month;
            }
        }

        return 0;
    }
}
