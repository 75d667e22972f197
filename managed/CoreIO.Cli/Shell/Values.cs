// Values that options take, read from text. Each fault is one sentence that names the option and shows what a value looks like.
using System.Globalization;
using CoreIO.Log;

namespace CoreIO.Cli.Shell;

internal static class Values
{
    private const int AllPermissions = 0x1FF;

    /// <summary><c>10s</c>, <c>500ms</c>, <c>1m</c>, <c>2h</c>, <c>1d</c>.</summary>
    public static TimeSpan Duration(string option, string text)
    {
        int letters = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        long unit = letters <= 0 ? 0 : text[letters..] switch
        {
            "ms" => TimeSpan.TicksPerMillisecond,
            "s" => TimeSpan.TicksPerSecond,
            "m" or "min" => TimeSpan.TicksPerMinute,
            "h" => TimeSpan.TicksPerHour,
            "d" => TimeSpan.TicksPerDay,
            _ => 0,
        };
        if (unit == 0 || !long.TryParse(text.AsSpan(0, letters), out long count)
            || count == 0 || count > TimeSpan.FromDays(36500).Ticks / unit)
        {
            throw new UsageException($"--{option}: '{text}' is no duration; write 10s, 500ms, 1m, 2h or 1d");
        }

        return TimeSpan.FromTicks(count * unit);
    }

    /// <summary><c>0</c>, <c>5</c> and <c>0.5</c> seconds, <c>250us</c>, and what <see cref="Duration"/> takes.</summary>
    public static TimeSpan Timeout(string option, string text)
    {
        int letters = text.AsSpan().IndexOfAnyInRange('a', 'z');
        string unit = letters < 0 ? "s" : text[letters..];
        double scale = unit switch
        {
            "us" => 1e-6,
            "ms" => 1e-3,
            "s" => 1,
            "m" or "min" => 60,
            "h" => 3600,
            "d" => 86400,
            _ => 0,
        };
        return scale > 0 && double.TryParse(letters < 0 ? text : text.AsSpan(0, letters), NumberStyles.AllowDecimalPoint,
                CultureInfo.InvariantCulture, out double count) && count * scale <= TimeSpan.FromDays(36500).TotalSeconds
            ? TimeSpan.FromSeconds(count * scale)
            : throw new UsageException($"--{option}: '{text}' is no time; write 0, 5s, 0.5, 500ms, 1m or 2h");
    }

    /// <summary><c>0600</c>: nine bits of permissions.</summary>
    public static int Mode(string option, string text)
    {
        int mode = 0;
        foreach (char c in text)
        {
            mode = c is >= '0' and <= '7' && mode <= AllPermissions ? (mode << 3) | (c - '0') : int.MaxValue;
        }

        return text.Length > 0 && mode <= AllPermissions ? mode
            : throw new UsageException($"--{option}: '{text}' is no mode; write three octal digits, as in 0600");
    }

    /// <summary><c>4096</c>, <c>4K</c>, <c>1M</c>.</summary>
    public static int Size(string option, string text, int min, int max)
    {
        string digits = text.TrimEnd('K', 'M', 'k');
        long unit = text[digits.Length..] switch { "" => 1, "K" or "k" => 1024, "M" => 1024 * 1024, _ => 0 };
        if (unit == 0 || !int.TryParse(digits, NumberStyles.None, null, out int count) || count * unit < min || count * unit > max)
        {
            throw new UsageException($"--{option}: '{text}' is no size from {min / 1024}K to {max / 1024 / 1024}M; write 64K or 1M");
        }

        return (int)(count * unit);
    }

    /// <summary><c>64K</c>, <c>256M</c>, <c>4G</c>: the size of a file.</summary>
    public static long FileSize(string option, string text)
    {
        string digits = text.TrimEnd('K', 'M', 'G', 'k');
        int shift = text[digits.Length..] switch { "" => 0, "K" or "k" => 10, "M" => 20, "G" => 30, _ => -1 };
        return shift >= 0 && int.TryParse(digits, NumberStyles.None, null, out int count) && (long)count << shift >= 64 * 1024
            ? (long)count << shift
            : throw new UsageException($"--{option}: '{text}' is no size from 64K on; write 64M or 1G");
    }

    /// <summary><c>0,2-3</c>.</summary>
    public static IReadOnlyList<int> Cpus(string option, string text)
    {
        List<int> cpus = [];
        foreach (string part in text.Split(','))
        {
            string[] ends = part.Split('-');
            if (ends.Length > 2 || !int.TryParse(ends[0], NumberStyles.None, null, out int first)
                || !int.TryParse(ends[^1], NumberStyles.None, null, out int last) || last < first || last >= 4096)
            {
                throw new UsageException($"--{option}: '{text}' is no list of CPUs; write 0,2-3");
            }

            for (int cpu = first; cpu <= last; cpu++)
            {
                cpus.Add(cpu);
            }
        }

        return cpus;
    }

    /// <summary>An instant; see <see cref="LogMoment"/>.</summary>
    public static LogMoment Moment(string option, string text) => LogMoment.TryParse(text, out LogMoment moment)
        ? moment
        : throw new UsageException(
            $"--{option}: '{text}' is no time; write 2019-01-22T03:56:00+03:30, without the offset for the log's own");
}
