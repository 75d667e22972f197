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

    /// <summary>What was said of each option, where a file says it on several lines in their order.</summary>
    private readonly Dictionary<string, List<Said>> _values = [];

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
            settings._values[option.Name] = [new Said(arguments.Get(option.Name), "--" + option.Name, null)];
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
            throw FileFault.Of($"--config: {path}", path, e);
        }

        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i].TrimEnd();
            int indent = line.Length - line.TrimStart().Length;
            if (line.Length > indent && line[indent] != '#')
            {
                ReadLine(line, indent, $"{path}:{i + 1}", verb);
            }
        }
    }

    private void ReadLine(string line, int indent, string place, CliVerb verb)
    {
        string[] words = line.Split((char[]?)null, 2, StringSplitOptions.RemoveEmptyEntries);
        string name = $"{place}:{indent + 1}";
        string[] names = [.. verb.Options.Where(o => o.Name is not ("config" or "check")).Select(o => o.Name)];
        CliOption option = verb.Options.FirstOrDefault(o => o.Name == words[0] && names.Contains(words[0]))
            ?? throw new UsageException($"{name}: no option '{words[0]}'{DidYouMean.Suffix(words[0], names)}");
        string? value = words.Length > 1 ? words[1] : null;
        if (option.Value is null != value is null)
        {
            throw new UsageException(option.Value is null ? $"{name}: {option.Name} takes no value" : $"{name}: {option.Name} needs a value, {option.Value}");
        }

        Said said = value is null ? new Said(null, name, null) : new Said(value, place, line.Length - value.Length);
        if (value is null || !_values.TryGetValue(option.Name, out List<Said>? before))
        {
            _values[option.Name] = [said];
        }
        else
        {
            before.Add(said);
        }
    }

    private bool Has(string option) => _values.ContainsKey(option);

    private string? Get(string option) =>
        _values.TryGetValue(option, out List<Said>? said) && said[0].Value is not null ? string.Join(',', said.Select(part => part.Value)) : null;

    private UsageException Wrong(string option, string message) => new($"{_values[option][^1].At(0)}: {message}");

    private static UsageException Wrong(Item item, string message) => new($"{item.Place}: {message}");

    private IEnumerable<Item> List(string option) => _values.TryGetValue(option, out List<Said>? said) ? said.SelectMany(part => part.Items()) : [];

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

    private static EndPoint Address(Item item)
    {
        try
        {
            return ProxyAddress.Parse(item.Text);
        }
        catch (FormatException e)
        {
            throw Wrong(item, e.Message);
        }
    }

    private IPEndPoint MetricsAt(string text) => Address(new Item(text, _values["metrics"][^1].At(0))) as IPEndPoint
        ?? throw Wrong("metrics", $"'{text}' is no address of the internet");

    private ProxyPlan MakePlan()
    {
        Item[] words = [.. List("proxy-protocol")];
        int unknown = Array.FindIndex(words, word => word.Text is not ("in" or "out" or "v1" or "v2"));
        if (unknown >= 0)
        {
            throw Wrong(words[unknown], $"'{words[unknown].Text}' is none of in, out, v1, v2");
        }

        string[] headers = [.. words.Select(word => word.Text)];

        if (headers.Contains("v1") && headers.Contains("v2"))
        {
            throw Wrong("proxy-protocol", "an upstream is sent v1 or v2, not both");
        }

        ProxyHeader sent = headers.Contains("v1") ? ProxyHeader.V1
            : headers.Contains("v2") || headers.Contains("out") ? ProxyHeader.V2 : ProxyHeader.None;
        List<ProxyUpstream> upstreams = [];
        foreach (string option in (string[])["to", "backup"])
        {
            upstreams.AddRange(List(option).Select(item => Upstream(item, sent) with { Backup = option == "backup" }));
        }

        List<ProxyRoute> routes = [];
        foreach (Item item in List("route"))
        {
            AddRoute(item, sent, routes, upstreams);
        }

        bool led = Has("transparent") || Has("redirect");
        if (Has("transparent") && Has("redirect"))
        {
            throw Wrong("redirect", "connections come by TPROXY (--transparent) or by REDIRECT, not by both");
        }

        ProxyListener[] listeners = [.. List("listen").Select(item => Listener(item, headers.Contains("in"), routes.Count > 0))];
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

    private ProxyListener Listener(Item item, bool header, bool names)
    {
        EndPoint address = Address(item);
        return address is UnixDomainSocketEndPoint && (Has("transparent") || Has("redirect"))
            ? throw Wrong(item, $"'{item.Text}' is a unix socket, where no connection is led by netfilter")
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

    private static ProxyUpstream Upstream(Item item, ProxyHeader header)
    {
        string text = item.Text;
        int star = text.LastIndexOf('*');
        int weight = 1;
        if (star > 0 && (!int.TryParse(text.AsSpan(star + 1), NumberStyles.None, CultureInfo.InvariantCulture, out weight) || weight is < 1 or > 256))
        {
            throw Wrong(item, $"'{text}' has no weight from 1 to 256 behind its *");
        }

        return new ProxyUpstream
        {
            Address = Address(star > 0 ? item with { Text = text[..star] } : item),
            Weight = weight,
            Header = header,
        };
    }

    private static void AddRoute(Item item, ProxyHeader header, List<ProxyRoute> routes, List<ProxyUpstream> upstreams)
    {
        string[] parts = item.Text.Split('=');
        if (parts.Length != 3 || parts[0] != "sni" || parts[1].Length == 0)
        {
            throw Wrong(item, $"'{item.Text}' is no route; write sni=HOST=ADDR, as in sni=example.org=192.0.2.1:443");
        }

        // The addresses of one host are one group; 0 is that of --to.
        ProxyRoute? route = routes.Find(route => string.Equals(route.Host, parts[1], StringComparison.OrdinalIgnoreCase));
        if (route is null)
        {
            route = new ProxyRoute(parts[1], routes.Count + 1);
            routes.Add(route);
        }

        upstreams.Add(Upstream(item with { Text = parts[2] }, header) with { Group = route.Group });
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

    /// <summary>An entry of a list.</summary>
    /// <param name="Text">What it says.</param>
    /// <param name="Place">Where an error has to look.</param>
    private readonly record struct Item(string Text, string Place);

    /// <summary>What one line of a file or the command line says of an option.</summary>
    /// <param name="Value">Its value; null where it takes none.</param>
    /// <param name="Place">The option of the command line, or file and line.</param>
    /// <param name="Column">Characters of that line before the value; null where <paramref name="Place"/> says all.</param>
    private sealed record Said(string? Value, string Place, int? Column)
    {
        /// <summary>The place of what begins so many characters behind the value's begin.</summary>
        public string At(int offset) => Column is int column ? $"{Place}:{column + offset + 1}" : Place;

        /// <summary>The entries of a list, without the empty ones.</summary>
        public IEnumerable<Item> Items()
        {
            string value = Value ?? "";
            for (int begin = 0; begin <= value.Length;)
            {
                int comma = value.IndexOf(',', begin);
                int end = comma < 0 ? value.Length : comma;
                string text = value[begin..end].TrimStart();
                if (text.Length > 0)
                {
                    yield return new Item(text.TrimEnd(), At(end - text.Length));
                }

                begin = end + 1;
            }
        }
    }
}
