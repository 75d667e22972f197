// What the options and the file of a proxy say, as a plan. A file holds the same options, one a line without the dashes; lines of the same
// option are one list. What the command line says beats the file.
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using CoreIO.Cli.Shell;
using CoreIO.Proxy;

namespace CoreIO.Cli.Commands;

internal sealed class ProxySettings
{
    private const int JournalCapacity = 65536;

    private readonly Dictionary<string, (string? Value, string Place)> _values = [];

    private ProxySettings()
    {
    }

    /// <summary>What the proxy is made of.</summary>
    public ProxyPlan Plan { get; private set; } = null!;

    /// <summary>How long connections may go on when the proxy ends.</summary>
    public TimeSpan Drain { get; private set; }

    /// <summary>Where finished connections are written to; null for nowhere.</summary>
    public string? Log { get; private set; }

    /// <summary>Where metrics are served; null for nowhere.</summary>
    public IPEndPoint? Metrics { get; private set; }

    /// <summary>Where the sockets come from and go to; null for nowhere.</summary>
    public string? Handover { get; private set; }

    public bool Stats => Has("stats");

    public bool Json => Has("json");

    /// <summary>Reads the options and the file they name.</summary>
    /// <exception cref="UsageException">Something is wrong; the message says where.</exception>
    public static ProxySettings Read(CliArguments arguments, CliVerb verb)
    {
        ProxySettings settings = new();
        if (arguments.Get("config") is string path)
        {
            settings.ReadFile(path, verb);
        }

        foreach (CliOption option in verb.Options.Where(option => arguments.Has(option.Name)))
        {
            settings._values[option.Name] = (arguments.Get(option.Name), "--" + option.Name);
        }

        settings.Drain = settings.Time("drain") ?? TimeSpan.FromSeconds(30);
        settings.Metrics = settings.Get("metrics") is string metrics ? settings.MetricsAt(metrics) : null;
        settings.Log = settings.Get("log");
        settings.Handover = settings.Get("handover");
        settings.Plan = settings.MakePlan();
        return settings;
    }

    /// <summary>Keeps what only a restart changes as it is with <paramref name="before"/>.</summary>
    public void Keep(ProxySettings before)
    {
        Log = before.Log;
        Metrics = before.Metrics;
        Handover = before.Handover;
        Plan = Plan with { Options = Plan.Options with { Journal = before.Plan.Options.Journal } };
    }

    private void ReadFile(string path, CliVerb verb)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--config: {path}: {e.Message}");
        }

        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i].Trim();
            if (line.Length > 0 && line[0] != '#')
            {
                ReadLine(line, $"{path}:{i + 1}", verb);
            }
        }
    }

    private void ReadLine(string line, string place, CliVerb verb)
    {
        string[] words = line.Split((char[]?)null, 2, StringSplitOptions.RemoveEmptyEntries);
        string[] names = [.. verb.Options.Where(o => o.Name is not ("config" or "check")).Select(o => o.Name)];
        CliOption option = verb.Options.FirstOrDefault(o => o.Name == words[0] && names.Contains(words[0]))
            ?? throw new UsageException($"{place}: no option '{words[0]}'{DidYouMean.Suffix(words[0], names)}");
        string? value = words.Length > 1 ? words[1] : null;
        if (option.Value is null != value is null)
        {
            throw new UsageException(option.Value is null ? $"{place}: {option.Name} takes no value" : $"{place}: {option.Name} needs a value, {option.Value}");
        }

        _values[option.Name] = _values.TryGetValue(option.Name, out (string? Value, string Place) before) && value is not null
            ? ($"{before.Value},{value}", place)
            : (value, place);
    }

    private bool Has(string option) => _values.ContainsKey(option);

    private string? Get(string option) => _values.GetValueOrDefault(option).Value;

    private UsageException Wrong(string option, string message) => new($"{_values[option].Place}: {message}");

    private string[] List(string option) =>
        Get(option)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

    private TimeSpan? Time(string option) => Get(option) is string text ? Named(option, name => Values.Timeout(name, text)) : null;

    // The readers of values begin their message with the option; here it begins with the place, which may be a line of a file.
    private T Named<T>(string option, Func<string, T> read)
    {
        try
        {
            return read(option);
        }
        catch (UsageException e)
        {
            string prefix = $"--{option}: ";
            throw Wrong(option, e.Message.StartsWith(prefix, StringComparison.Ordinal) ? e.Message[prefix.Length..] : e.Message);
        }
    }

    private int Number(string option, int otherwise, int min, int max) => Get(option) is not string text ? otherwise
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= min && number <= max ? number
        : throw Wrong(option, $"'{text}' is no whole number from {min} to {max}");

    private T Choice<T>(string option, params (string Word, T Value)[] choices)
    {
        if (Get(option) is not string text)
        {
            return choices[0].Value;
        }

        foreach ((string word, T value) in choices)
        {
            if (word == text)
            {
                return value;
            }
        }

        string[] words = [.. choices.Select(choice => choice.Word)];
        throw Wrong(option, $"'{text}' is none of {string.Join(", ", words)}{DidYouMean.Suffix(text, words)}");
    }

    private EndPoint Address(string option, string text)
    {
        try
        {
            return ProxyAddress.Parse(text);
        }
        catch (FormatException e)
        {
            throw Wrong(option, e.Message);
        }
    }

    private IPEndPoint MetricsAt(string text) => Address("metrics", text) as IPEndPoint
        ?? throw Wrong("metrics", $"'{text}' is no address of the internet");

    private ProxyPlan MakePlan()
    {
        string[] headers = List("proxy-protocol");
        if (headers.FirstOrDefault(word => word is not ("in" or "out" or "v1" or "v2")) is string unknown)
        {
            throw Wrong("proxy-protocol", $"'{unknown}' is none of in, out, v1, v2");
        }

        if (headers.Contains("v1") && headers.Contains("v2"))
        {
            throw Wrong("proxy-protocol", "an upstream is sent v1 or v2, not both");
        }

        ProxyHeader sent = headers.Contains("v1") ? ProxyHeader.V1
            : headers.Contains("v2") || headers.Contains("out") ? ProxyHeader.V2 : ProxyHeader.None;
        List<ProxyUpstream> upstreams = [];
        foreach (string option in (string[])["to", "backup"])
        {
            upstreams.AddRange(List(option).Select(text => Upstream(option, text, sent)));
        }

        List<ProxyRoute> routes = [];
        foreach (string text in List("route"))
        {
            AddRoute(text, sent, routes, upstreams);
        }

        bool led = Has("transparent") || Has("redirect");
        if (Has("transparent") && Has("redirect"))
        {
            throw Wrong("redirect", "connections come by TPROXY (--transparent) or by REDIRECT, not by both");
        }

        ProxyListener[] listeners = [.. List("listen").Select(text => Listener(text, headers.Contains("in"), routes.Count > 0))];
        if (listeners.Length == 0)
        {
            throw new UsageException("where do clients connect to? --listen ADDR, as in --listen :8080");
        }

        if (upstreams.Count == 0 && !led)
        {
            throw new UsageException("where do connections go? --to ADDR, as in --to 192.0.2.1:80");
        }

        return new ProxyPlan { Options = Options(), Listeners = listeners, Upstreams = upstreams, Routes = routes };
    }

    private ProxyListener Listener(string text, bool header, bool names)
    {
        EndPoint address = Address("listen", text);
        return address is UnixDomainSocketEndPoint && (Has("transparent") || Has("redirect"))
            ? throw Wrong("listen", $"'{text}' is a unix socket, where no connection is led by netfilter")
            : new ProxyListener
            {
                Address = address,
                Transparent = Has("transparent"),
                Redirected = Has("redirect"),
                Spoof = Has("spoof"),
                Header = header,
                Names = names,
            };
    }

    private ProxyUpstream Upstream(string option, string text, ProxyHeader header)
    {
        int star = text.LastIndexOf('*');
        int weight = 1;
        if (star > 0 && (!int.TryParse(text.AsSpan(star + 1), NumberStyles.None, CultureInfo.InvariantCulture, out weight) || weight is < 1 or > 256))
        {
            throw Wrong(option, $"'{text}' has no weight from 1 to 256 behind its *");
        }

        return new ProxyUpstream
        {
            Address = Address(option, star > 0 ? text[..star] : text),
            Weight = weight,
            Header = header,
            Backup = option == "backup",
        };
    }

    private void AddRoute(string text, ProxyHeader header, List<ProxyRoute> routes, List<ProxyUpstream> upstreams)
    {
        string[] parts = text.Split('=');
        if (parts.Length != 3 || parts[0] != "sni" || parts[1].Length == 0)
        {
            throw Wrong("route", $"'{text}' is no route; write sni=HOST=ADDR, as in sni=example.org=192.0.2.1:443");
        }

        // The addresses of one host are one group; 0 is that of --to.
        ProxyRoute? route = routes.Find(route => string.Equals(route.Host, parts[1], StringComparison.OrdinalIgnoreCase));
        if (route is null)
        {
            route = new ProxyRoute(parts[1], routes.Count + 1);
            routes.Add(route);
        }

        upstreams.Add(Upstream("route", parts[2], header) with { Group = route.Group });
    }

    private ProxyOptions Options()
    {
        ProxyOptions options = new();
        return options with
        {
            Workers = Number("workers", 0, 1, 1024),
            // With one for every CPU each has its own; with fewer, another program, or another proxy, may want the first ones, too.
            Pin = Has("cpus") || !Has("workers"),
            Cpus = Get("cpus") is string cpus ? Named("cpus", name => Values.Cpus(name, cpus)) : [],
            Accept = Choice("accept", ("reuseport", ProxyAccept.ReusePort), ("exclusive", ProxyAccept.Exclusive), ("shared", ProxyAccept.Shared)),
            Balance = Choice("balance", ("round-robin", ProxyBalance.RoundRobin), ("least", ProxyBalance.LeastConnections), ("source", ProxyBalance.Source)),
            Splice = Choice("splice", ("auto", ProxySplice.Auto), ("never", ProxySplice.Never), ("always", ProxySplice.Always)),
            Congestion = Get("congestion") ?? "",
            ConnectTries = Number("tries", options.ConnectTries, 1, 64),
            ConnectTimeout = Time("connect-timeout") ?? options.ConnectTimeout,
            IdleTimeout = Time("idle"),
            HalfCloseTimeout = Time("half-close") ?? options.HalfCloseTimeout,
            Lifetime = Time("lifetime"),
            HeaderTimeout = Time("header-timeout") ?? options.HeaderTimeout,
            MaxConnections = Number("max-connections", 0, 1, int.MaxValue),
            MaxPerSource = Number("max-per-source", 0, 1, int.MaxValue),
            Rate = Number("rate", 0, 1, int.MaxValue),
            Bandwidth = Get("bandwidth") is string bandwidth ? Named("bandwidth", name => Values.Size(name, bandwidth, 1024, int.MaxValue)) : 0,
            CheckInterval = Time("check-interval"),
            Fall = Number("fall", options.Fall, 1, 1000),
            Rise = Number("rise", options.Rise, 1, 1000),
            Journal = Log is null ? 0 : JournalCapacity,
        };
    }
}
