// Lines of a made-up site in the formats combined and edge. See LogBenchInput.cs.
using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace CoreIO.Log.Bench;

internal sealed class LogBenchLines
{
    /// <summary>More than any line takes.</summary>
    public const int MaxBytes = 4096;

    // As many as the busiest days of the logs this is modelled on have.
    private const int ClientCount = 13_000;
    private const int PathCount = 5_000;
    private const int AgentCount = 400;
    private const int HostCount = 60;
    private const int LinesPerSecond = 500;

    private static readonly byte[][] Methods = Bytes("GET", "GET", "GET", "GET", "GET", "GET", "GET", "GET", "GET", "POST", "POST", "HEAD");
    private static readonly byte[][] Statuses = Bytes(
        "200", "200", "200", "200", "200", "200", "200", "200", "200", "200", "200", "206", "301", "302", "304", "304", "404", "404", "403", "502", "500", "499");

    private static readonly byte[][] Words = Bytes(
        "img", "static", "product", "assets", "news", "api", "v2", "user", "search", "blog", "media", "thumb", "2019", "category", "filter", "cart");

    // Some sixteen bytes each, as a referer's search words are.
    private static readonly byte[][] Escapes = Bytes("\\x22%20or%201=1", "\\x16\\x03\\x01", "a|b[c]", "\\x5C\\x22quoted\\x22");

    private readonly LogBenchRandom _random;
    private readonly LogBenchZipf _clientOrder = new(ClientCount);
    private readonly LogBenchZipf _pathOrder = new(PathCount);
    private readonly LogBenchZipf _agentOrder = new(AgentCount);
    private readonly LogBenchZipf _hostOrder = new(HostCount);
    private readonly byte[][] _clients;
    private readonly byte[][] _paths;
    private readonly byte[][] _agents;
    private readonly byte[][] _referers;
    private readonly byte[][] _hosts;
    private readonly DateTime _start = new(2023, 2, 27, 11, 53, 25, DateTimeKind.Unspecified);
    private long _line;
    private byte[] _clock = [];
    private byte[] _syslogClock = [];

    public LogBenchLines(ulong seed)
    {
        _random = new LogBenchRandom(seed);
        _clients = Make(ClientCount, _ => $"{10 + _random.Below(200)}.{_random.Below(256)}.{_random.Below(256)}.{_random.Below(256)}");
        _paths = Make(PathCount, i => Path(i));
        _agents = Make(AgentCount, i => Agent(i));
        _hosts = Make(HostCount, i => $"{Word()}{i}.{Word()}.example.com");
        _referers = Make(PathCount, i => i % 8 < 4 ? "-" : $"https://example.com{Path(i)}");
    }

    /// <summary>Writes a line of the format combined, some 206 bytes.</summary>
    public int Combined(Span<byte> into)
    {
        Tick();
        Text line = new(into);
        int client = _clientOrder.Next(_random);
        line.Add(_clients[client]);
        line.Add(_random.Below(50) == 0 ? " - user42 ["u8 : " - - ["u8);
        line.Add(_clock);
        line.Add("] \""u8);
        AddRequest(ref line);
        line.Add("\" "u8);
        line.Add(Statuses[_random.Below(Statuses.Length)]);
        line.Add(" "u8);
        line.Add(Size());
        line.Add(" \""u8);
        line.Add(_referers[_pathOrder.Next(_random)]);
        line.Add("\" \""u8);
        line.Add(AgentOf(client));
        line.Add("\"\n"u8);
        return line.Length;
    }

    /// <summary>Writes a line of the format edge: 45 bracketed fields in some 725 bytes.</summary>
    public int Edge(Span<byte> into)
    {
        Tick();
        Text line = new(into);
        int client = _clientOrder.Next(_random);
        byte[] host = _hosts[_hostOrder.Next(_random)];
        byte[] status = Statuses[_random.Below(Statuses.Length)];
        int size = Size();
        int millis = Millis();
        line.Add(_syslogClock);
        line.Add(" edge"u8);
        line.Add(10 + _random.Below(8));
        line.Add(" nginx: ["u8);
        line.AddHex(_random.Next());
        line.AddHex(_random.Next());
        line.Next(_clock);
        line.Next("https"u8);
        line.Next("120.232.31.196:443"u8);
        line.Next(host);
        line.Next(_clients[client]);
        line.Add(":"u8);
        line.Add(1024 + _random.Below(60000));
        line.Next(status);
        line.Next("30.171.153."u8);
        line.Add(_random.Below(200));
        line.Add(":10000"u8);
        line.Next(status);
        line.Next(""u8);
        line.Add(3_000_000 + (int)(_line / 7));
        line.Next(""u8);
        AddRequest(ref line);
        line.Next(""u8);
        line.Add(300 + _random.Below(700));
        line.Next(""u8);
        line.Add(size);
        line.Next(host);
        line.Next(AgentOf(client));
        line.Next(_referers[_pathOrder.Next(_random)]);
        AddTimes(ref line, millis);
        line.Next(""u8);
        line.Add(1000 + _random.Below(16));
        AddCustom(ref line, client, size);
        line.Add("]\n"u8);
        return line.Length;
    }

    // request_time and the upstream's three.
    private void AddTimes(ref Text line, int millis)
    {
        line.Next(""u8);
        line.AddMillis(millis);
        if (_random.Below(3) == 0)
        {
            line.Next("-"u8);
            line.Next("-"u8);
            line.Next("-"u8);
            return;
        }

        line.Next(""u8);
        line.AddMillis(Math.Max(1, millis - 1));
        line.Next(""u8);
        line.AddMillis(millis / 8);
        line.Next(""u8);
        line.AddMillis(millis / 2);
    }

    // What the operator of a network adds: 24 more fields, most of them short, the last two without a space between.
    private void AddCustom(ref Text line, int client, int size)
    {
        line.Next(_random.Below(4) > 0 ? "HIT"u8 : "MISS"u8);
        line.Next("TLSv1.3"u8);
        line.Next("TLS_AES_256_GCM_SHA384"u8);
        line.Next("h2"u8);
        line.Next("gzip, deflate, br"u8);
        line.Next(client % 3 == 0 ? "zh-CN,zh;q=0.9,en;q=0.8"u8 : "en-US,en;q=0.5"u8);
        line.Next("image/avif,image/webp|*/*"u8);
        line.Next("-"u8);
        line.Next(""u8);
        line.AddHex(_random.Next());
        line.Next("bytes=0-1023"u8);
        line.Next("-"u8);
        line.Next("max-age=86400,public"u8);
        line.Next("cn-south-1a"u8);
        line.Next(""u8);
        line.Add(size + 512);
        line.Next("-"u8);
        line.Next("node"u8);
        line.Add(_random.Below(24));
        line.Next("-"u8);
        line.Next("cdn|edge|tier1"u8);
        line.Next("-"u8);
        line.Next("keep-alive"u8);
        line.Next("application/json"u8);
        line.Next("-"u8);
        line.Next("r"u8);
        line.Add("][-"u8);
    }

    private void AddRequest(ref Text line)
    {
        line.Add(Methods[_random.Below(Methods.Length)]);
        line.Add(" "u8);
        line.Add(_paths[_pathOrder.Next(_random)]);
        int kind = _random.Below(1000);
        if (kind < 250)
        {
            line.Add("?id="u8);
            line.Add(_random.Below(1_000_000));
        }
        else if (kind < 254)
        {
            line.Add("?q="u8);
            line.Add(Escapes[_random.Below(Escapes.Length)]);
        }

        line.Add(kind % 4 == 0 ? " HTTP/2.0"u8 : " HTTP/1.1"u8);
    }

    // Most clients keep to one agent.
    private byte[] AgentOf(int client) =>
        _agents[_random.Below(16) > 0 ? client * 7 % AgentCount : _agentOrder.Next(_random)];

    // Small answers are frequent, large ones rare: the bits of a size are equally likely.
    private int Size() => _random.Below(1 << (8 + _random.Below(13)));

    private int Millis() => _random.Below(1 << (3 + _random.Below(11)));

    private string Word() => Encoding.ASCII.GetString(Words[_random.Below(Words.Length)]);

    private string Path(int index) => (index % 4) switch
    {
        0 => $"/{Word()}/{Word()}/{index}/{Word()}-{_random.Below(10000)}.jpg",
        1 => $"/{Word()}/{index}",
        2 => $"/{Word()}/{Word()}/{Word()}_{index}.html",
        _ => $"/{Word()}/{index}/{Word()}.css",
    };

    private string Agent(int index)
    {
        int major = 60 + _random.Below(60);
        return (index % 8) switch
        {
            0 or 1 or 2 => $"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{major}.0.{4000 + index}.{_random.Below(200)} Safari/537.36",
            3 => $"Mozilla/5.0 (iPhone; CPU iPhone OS 16_{index % 7} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.{index % 9} Mobile/15E{index} Safari/604.1",
            4 or 5 => $"Mozilla/5.0 (X11; Linux x86_64; rv:{major}.0) Gecko/20100101 Firefox/{major}.{index}",
            6 => $"Mozilla/5.0 (compatible; Googlebot/2.{index}; +http://www.google.com/bot.html)",
            _ => $"okhttp/4.{index}.{_random.Below(20)}",
        };
    }

    // The clock goes on once in so many lines, and is written once for all of them.
    private void Tick()
    {
        if (_line++ % LinesPerSecond == 0)
        {
            DateTime now = _start.AddSeconds(_line / LinesPerSecond);
            _clock = Encoding.ASCII.GetBytes(now.ToString("dd/MMM/yyyy:HH:mm:ss", CultureInfo.InvariantCulture) + " +0800");
            _syslogClock = Encoding.ASCII.GetBytes(
                now.ToString("MMM ", CultureInfo.InvariantCulture) + $"{now.Day,2} " + now.ToString("HH:mm:ss", CultureInfo.InvariantCulture));
        }
    }

    private static byte[][] Make(int count, Func<int, string> make) => [.. Enumerable.Range(0, count).Select(i => Encoding.ASCII.GetBytes(make(i)))];

    private static byte[][] Bytes(params string[] texts) => [.. texts.Select(Encoding.ASCII.GetBytes)];

    /// <summary>A line that grows.</summary>
    private ref struct Text(Span<byte> into)
    {
        private readonly Span<byte> _into = into;

        public int Length { get; private set; }

        public void Add(ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(_into[Length..]);
            Length += bytes.Length;
        }

        public void Add(int number)
        {
            _ = Utf8Formatter.TryFormat(number, _into[Length..], out int written);
            Length += written;
        }

        public void AddHex(ulong number)
        {
            _ = Utf8Formatter.TryFormat(number, _into[Length..], out int written, new System.Buffers.StandardFormat('x', 16));
            Length += written;
        }

        /// <summary>Seconds with three decimals.</summary>
        public void AddMillis(int millis)
        {
            Add(millis / 1000);
            Add("."u8);
            _ = Utf8Formatter.TryFormat(millis % 1000, _into[Length..], out int written, new System.Buffers.StandardFormat('D', 3));
            Length += written;
        }

        /// <summary>Closes a bracketed field and begins the next with these bytes.</summary>
        public void Next(ReadOnlySpan<byte> bytes)
        {
            Add("] ["u8);
            Add(bytes);
        }
    }
}
