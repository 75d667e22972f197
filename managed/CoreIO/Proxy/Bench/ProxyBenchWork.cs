namespace CoreIO.Proxy.Bench;

/// <summary>What is done with proxies.</summary>
public sealed record ProxyBenchWork
{
    private ProxyBenchWork()
    {
    }

    /// <summary>Its name: <c>bulk1</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What it is, in a sentence.</summary>
    public required string Text { get; init; }

    /// <summary>Connections at a time; 0 where an option says it.</summary>
    public required int Connections { get; init; }

    /// <summary>Workers of the contestant.</summary>
    public int Workers { get; private init; } = 2;

    /// <summary>Whether it is measured by congestion control.</summary>
    public bool IsBulk { get; private init; }

    /// <summary>Whether connections are held, and nothing is asked: direct connections and a process for each have no part in that.</summary>
    public bool IsHeld { get; private init; }

    internal LoadExchange? Exchange { get; private init; }

    internal bool Closes { get; private init; }

    /// <summary>Every work.</summary>
    public static IReadOnlyList<ProxyBenchWork> All { get; } =
    [
        new() { Name = "bulk1", Text = "one stream, as fast as it goes", Connections = 1, IsBulk = true },
        new() { Name = "bulk4", Text = "four streams, as fast as they go", Connections = 4, IsBulk = true },
        new() { Name = "http", Text = "64 kept connections: a GET, a reply of 1 byte", Connections = 64, Exchange = LoadExchange.Http },
        new() { Name = "close", Text = "64 at a time: a connection for each GET", Connections = 64, Exchange = LoadExchange.Http, Closes = true },
        new() { Name = "redis", Text = "50 kept connections: a GET as redis has it", Connections = 50, Exchange = LoadExchange.Redis },
        new() { Name = "idle", Text = "connections that are held after one byte", Connections = 0, Exchange = LoadExchange.Echo, IsHeld = true },
        new() { Name = Spread, Text = "16 connections over 4 workers", Connections = 16, Exchange = LoadExchange.Echo, IsHeld = true, Workers = 4 },
    ];

    internal const string Spread = "spread";

    /// <summary>The work of a name; null for none.</summary>
    public static ProxyBenchWork? Find(string name) => All.FirstOrDefault(work => work.Name == name);
}
