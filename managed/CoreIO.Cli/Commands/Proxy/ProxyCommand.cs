// `coreio proxy`: options to a plan, and a plan to a proxy that runs until it is told to end.
using CoreIO.Cli.Shell;
using CoreIO.Proxy;

namespace CoreIO.Cli.Commands;

internal static class ProxyCommand
{
    private const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    private static readonly CliOption[] Ways =
    [
        new("listen", "ADDR,...", "where clients connect to") { Letter = 'l', Group = "Ways" },
        new("to", "ADDR,...", "upstreams; ADDR*3 has three times the weight") { Letter = 't', Group = "Ways" },
        new("backup", "ADDR,...", "upstreams for when no other is up") { Group = "Ways", Short = false },
        new("route", "sni=HOST=ADDR", "upstreams by the name a TLS client asks for")
        {
            Group = "Ways",
            Short = false,
            More = ["*.HOST is all names below it; others go to --to."],
        },
        new("balance", "HOW", "round-robin (default), least, source")
        {
            Group = "Ways",
            Short = false,
            Choices = ["round-robin", "least", "source"],
        },
        new("proxy-protocol", "LIST", "PROXY headers: in, out (v2), v1, v2")
        {
            Group = "Ways",
            Choices = ["in", "out", "v1", "v2"],
            Open = true,
            More = ["in: clients begin with one; else upstreams get one"],
        },
        new("transparent", null, "original destinations behind TPROXY") { Group = "Ways" },
        new("redirect", null, "original destinations behind REDIRECT") { Group = "Ways", Short = false },
        new("spoof", null, "upstreams see the clients' addresses") { Group = "Ways", Short = false },
    ];

    private static readonly CliOption[] Limits =
    [
        new("connect-timeout", "T", "of one try (5s)") { Group = "Limits", Short = false },
        new("tries", "N", "upstreams tried for a connection (3)") { Group = "Limits", Short = false },
        new("idle", "T", "without a byte both ways (never)") { Group = "Limits" },
        new("half-close", "T", "without a byte after one side ended (30s)") { Group = "Limits", Short = false },
        new("lifetime", "T", "of a connection (never)") { Group = "Limits", Short = false },
        new("header-timeout", "T", "for a PROXY header or ClientHello (5s)") { Group = "Limits", Short = false },
        new("max-connections", "N", "at a time; more wait to be accepted") { Group = "Limits", Short = false },
        new("max-per-source", "N", "of one address (IPv6: /64); more are closed") { Group = "Limits", Short = false },
        new("rate", "N", "new connections a second; more wait") { Group = "Limits", Short = false },
        new("bandwidth", "BYTES", "a second and direction of a connection: 512K, 10M") { Group = "Limits", Short = false },
        new("check-interval", "T", "between checks of an upstream (none)") { Group = "Limits", Short = false },
        new("fall", "N", "failures that take an upstream down (3)") { Group = "Limits", Short = false },
        new("rise", "N", "good checks that bring it back (2)") { Group = "Limits", Short = false },
        new("drain", "T", "for connections to end by themselves (30s)") { Group = "Limits", Short = false },
    ];

    private static readonly CliOption[] Workers =
    [
        new("workers", "N", "threads; without it one pinned to each CPU") { Letter = 'w', Group = "Workers" },
        new("cpus", "LIST", "pin them: 0,2-3") { Group = "Workers", Short = false },
        new("accept", "HOW", "reuseport (default), exclusive, shared")
        {
            Group = "Workers",
            Short = false,
            Choices = ["reuseport", "exclusive", "shared"],
        },
        new("splice", "WHEN", "auto (default), never, always") { Group = "Workers", Short = false, Choices = ["auto", "never", "always"] },
        new("congestion", "NAME", "TCP congestion control of both sides") { Group = "Workers", Short = false },
    ];

    private static readonly CliOption[] Running =
    [
        new("config", "FILE", "options, one a line without the dashes") { Letter = 'c', Group = "Running", IsPath = true },
        new("check", null, "only says whether the options make sense") { Group = "Running", Short = false },
        new("handover", "PATH", "take the sockets of the proxy there, then be it") { Group = "Running", IsPath = true },
        new("log", "FILE", "a line for each finished connection; - is stdout") { Group = "Running", IsPath = true },
        new("metrics", "ADDR:PORT", "Prometheus at /metrics") { Group = "Running" },
        new("stats", null, "a live table; JSON lines without a terminal") { Group = "Running" },
        new("json", null, "--stats as JSON lines, always") { Group = "Running", Short = false },
        MqCommand.Backend with { Group = "Running" },
    ];

    public static CliVerb Verb { get; } = new("proxy", "a TCP proxy: balancing, transparent, restarts unseen")
    {
        Children = [new("rules", () => ProxyRules.Verb)],
        Options = [.. Ways, .. Limits, .. Workers, .. Running],
        Run = Run,
        Notes =
        [
            """
            ADDR is 192.0.2.1:80, [2001:db8::1]:80, :80, unix:/run/x.sock or, for upstreams,
            example.org:80. 'coreio proxy rules' prints what TPROXY and REDIRECT need.
            """,
            """
            SIGTERM ends accepting, waits for the connections (--drain) and exits with 0; a
            second one ends all. SIGHUP reads --config again and refuses nobody meanwhile.
            """,
            "Exit codes: 0 drained, 2 a failure, 64 usage, 130 ended at once.",
        ],
    };

    private static int Run(CliArguments arguments)
    {
        ProxySettings settings = ProxySettings.Read(arguments, Verb);
        if (arguments.Has("check"))
        {
            ProxyPlan plan = settings.Plan;
            return Cli.Print($"the options make sense: {Plural(plan.Listeners.Count, "listener")}, {Plural(plan.Upstreams.Count, "upstream")}, "
                + $"{Plural(plan.Routes.Count, "route")}\n");
        }

        ProxyRights.Reduce(settings, arguments.Get("config"));
        ICoreBackend backend = LogCommand.BackendOf(arguments);
        CarryInline(backend);
        using ProxySession session = new(arguments, settings, backend);
        return session.Run();
    }

    // A proxy on System.Net.Sockets does nothing but pass bytes on, so what the threads of the sockets find is carried on these threads: a hop
    // to the pool doubles the price of a small message. The runtime reads this with its first socket; what the user has set stays.
    private static void CarryInline(ICoreBackend backend)
    {
        if (!backend.Features.HasFlag(BackendFeatures.CrossesBoundary) && Environment.GetEnvironmentVariable(InlineCompletions) is null)
        {
            Environment.SetEnvironmentVariable(InlineCompletions, "1");
        }
    }

    internal static string Plural(int count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";
}
