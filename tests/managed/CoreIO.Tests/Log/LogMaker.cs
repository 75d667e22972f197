// Seeded logs: lines that fit a built-in format, the same lines with faults put in, and bytes that are no log at all. Equal seeds make equal
// logs, so a test that fails names all that is needed to see it again.
using System.Globalization;
using System.Text;

namespace CoreIO.Tests.Log;

internal enum LogQuality
{
    /// <summary>Lines that fit, with values of every kind.</summary>
    Fitting,

    /// <summary>Lines with bytes changed, inserted, removed, cut off.</summary>
    Mutated,

    /// <summary>Random bytes, many of them delimiters, NUL, CR and no UTF-8.</summary>
    Garbage,
}

internal sealed class LogMaker(int seed)
{
    private const string Delimiters = "\"\"[]||\\\\  \t\t\r\n\n\0-:,$";

    private readonly Random _random = new(seed);
    private DateTime _clock = new(2023, 2, 27, 11, 53, 25, DateTimeKind.Utc);

    /// <summary>Lines, each with a newline but perhaps the last.</summary>
    public byte[] Log(string format, LogQuality quality, int lines)
    {
        using MemoryStream log = new();
        for (int i = 0; i < lines; i++)
        {
            byte[] line = quality == LogQuality.Garbage ? Garbage() : Encoding.Latin1.GetBytes(Line(format));
            if (quality == LogQuality.Mutated && _random.Next(3) > 0)
            {
                line = Mutate(line);
            }

            log.Write(line);
            if (i < lines - 1 || _random.Next(2) == 0)
            {
                log.Write(_random.Next(20) == 0 ? "\r\n"u8 : "\n"u8);
            }
        }

        return log.ToArray();
    }

    /// <summary>One line of a built-in format, without its newline.</summary>
    public string Line(string format)
    {
        _clock = _clock.AddSeconds(_random.Next(4));
        string common = $"{Address()} - {Pick("-", "bob", "a b", "x [y")} [{Time()}] \"{Request()}\" {Status()} {Size()}";
        string combined = $"{common} \"{Quoted()}\" \"{Quoted()}\"";
        return format switch
        {
            "common" => common,
            "combined" => combined,
            "main" => $"{combined} \"{Pick("-", Address())}\"",
            "vhost_combined" => $"{Pick("www.example.com", "api.example.org", "-")}:{Pick("80", "443")} {combined}",
            "edge" => Edge(),
            "delimited" => Delimited(),
            _ => throw new ArgumentException($"no lines are made for {format}", nameof(format)),
        };
    }

    public byte[] Garbage()
    {
        // Now and then a line is longer than any window of a kernel and than the smallest block.
        int length = _random.Next(40) == 0 ? _random.Next(20_000) : _random.Next(120);
        byte[] bytes = new byte[length];
        int mix = _random.Next(3);
        for (int i = 0; i < length; i++)
        {
            bytes[i] = mix == 0 || _random.Next(4) > 0 ? (byte)_random.Next(256) : (byte)Delimiters[_random.Next(Delimiters.Length)];
        }

        return bytes;
    }

    private string Pick(params string[] items) => items[_random.Next(items.Length)];

    private string Status() => Pick("200", "200", "200", "206", "301", "304", "404", "499", "500", "502", "-", "000", "999");

    private string Size() => _random.Next(12) switch
    {
        0 => "-",
        1 => "0",
        2 => _random.NextInt64(long.MaxValue).ToString(CultureInfo.InvariantCulture),
        _ => _random.Next(100_000).ToString(CultureInfo.InvariantCulture),
    };

    private string Time()
    {
        string offset = Pick("+0000", "+0800", "-0330", "+1459");
        return _random.Next(40) == 0 ? "-" : _clock.ToString("dd/MMM/yyyy:HH:mm:ss ", CultureInfo.InvariantCulture) + offset;
    }

    private string Address() => _random.Next(8) switch
    {
        0 => $"2001:db8::{_random.Next(99):x}",
        1 => $"10.0.0.{_random.Next(256)}:{_random.Next(65536)}",
        2 => "-",
        _ => $"10.{_random.Next(3)}.{_random.Next(20)}.{_random.Next(256)}",
    };

    private string Request() => _random.Next(12) switch
    {
        0 => "-",
        1 => "\\x16\\x03\\x01",
        2 => "GET /a b?c HTTP/1.1",
        3 => "GET /only",
        4 => $"POST /say?\\\"{_random.Next(9)}\\\" HTTP/1.1",
        _ => $"{Pick("GET", "GET", "POST", "HEAD", "M-SEARCH")} /p{_random.Next(60)}/{Pick("", "x.php", "a|b", "[c]")}?q={_random.Next(9)} HTTP/{Pick("1.0", "1.1", "2.0")}",
    };

    private string Quoted() => Pick(
        "-", "", "curl/7.88.1", "Mozilla/5.0 (X11; Linux x86_64)", "a \\\"quoted\\\" b", "\\\\", "caf\u00c3\u00a9", "\u00ff\u00fe", "[bracket] | bar", "\u001b[31m");

    private string Seconds() => Pick("-", "0.000", $"{_random.Next(3)}.{_random.Next(1000):000}", "0.1234567", $"{_random.Next(40)}");

    private string Upstreams(Func<string> one)
    {
        StringBuilder list = new(one());
        for (int i = _random.Next(6); i > 3; i--)
        {
            list.Append(Pick(", ", " : ")).Append(one());
        }

        return list.ToString();
    }

    private string Edge()
    {
        StringBuilder line = new(_clock.ToString("MMM dd HH:mm:ss", CultureInfo.InvariantCulture));
        line.Append(CultureInfo.InvariantCulture, $" edge0{_random.Next(5)} nginx{Pick(":", "", "::")}");
        string[] fields =
        [
            Pick("-", "7f3a"), Time(), Pick("http", "https"), "10.1.1.1:443", Pick("a.example.com", "-"), Address(), Status(),
            Upstreams(() => Pick("10.2.0.1:80", "10.2.0.2:80", "-")), Upstreams(() => Pick("200", "502", "-")),
            $"{_random.Next(9999)}", Request().Replace("]", "", StringComparison.Ordinal), $"{_random.Next(999)}", Size(),
            Pick("a.example.com", "b.example.com:8443", "-", "[::1\\]:80"), Pick("ua | x", "a\\]b", "-"), "-", Seconds(),
            Upstreams(Seconds), Upstreams(Seconds), Upstreams(Seconds), $"{_random.Next(9999)}", "r", "-", "x y",
        ];
        int count = _random.Next(5) == 0 ? _random.Next(fields.Length) : fields.Length;
        for (int i = 0; i < count; i++)
        {
            line.Append(_random.Next(30) == 0 ? "" : " ").Append('[').Append(fields[i]).Append(']');
        }

        return line.Append(Pick("", "", " tail|end", " \"q|\" ||")).ToString();
    }

    private string Delimited()
    {
        StringBuilder line = new();
        for (int i = _random.Next(9); i > 0; i--)
        {
            line.Append(Pick("a", "bc", "17", "-", "2.5", "\"q | [x] \\\" y\"", "[b \" | c]", "\"\"", "\\", "]", "\u00e9", "[\\]]"));
            line.Append(Pick(" ", "  ", "\t", "|", " | ", "||", ""));
        }

        return line.ToString();
    }

    private byte[] Mutate(byte[] line)
    {
        List<byte> bytes = [.. line];
        for (int i = 1 + _random.Next(3); i > 0 && bytes.Count > 0; i--)
        {
            int at = _random.Next(bytes.Count);
            byte b = _random.Next(2) == 0 ? (byte)Delimiters[_random.Next(Delimiters.Length)] : (byte)_random.Next(256);
            switch (_random.Next(5))
            {
                case 0:
                    bytes[at] = b;
                    break;
                case 1:
                    bytes.Insert(at, b);
                    break;
                case 2:
                    bytes.RemoveAt(at);
                    break;
                case 3:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                default:
                    // A piece of the line once more: literals that stand twice.
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(bytes.Count - at, _random.Next(40))));
                    break;
            }
        }

        return [.. bytes];
    }
}
