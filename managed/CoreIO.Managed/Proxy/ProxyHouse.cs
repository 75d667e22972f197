namespace CoreIO.Managed.Proxy;

/// <summary>What the connections of a proxy share. After the start nothing here is replaced; each part says who may use it.</summary>
internal sealed class ProxyHouse
{
    internal ProxyHouse(Terms terms)
    {
        Terms = terms;
        Upstreams = new UpstreamTable(terms);
        Journal = new Journal(terms.Journal);
    }

    internal Terms Terms { get; }

    internal UpstreamTable Upstreams { get; }

    internal RouteTable Routes { get; } = new();

    internal List<Listener> Listeners { get; } = [];

    internal SourceLimit Sources { get; } = new();

    internal Tally Tally { get; } = new();

    internal Journal Journal { get; }

    internal ConnectionList Connections { get; } = new();

    /// <summary>The thread that accepts and keeps the time; null before the start.</summary>
    internal AcceptThread? Thread { get; set; }

    internal Deadlines Deadlines => Thread!.Deadlines;

    /// <summary>Whether connections of every listener and route have somewhere to go.</summary>
    internal bool IsComplete => Listeners.Count > 0
        && Listeners.All(listener => listener.Led || (listener.Names && Routes.Count > 0) || Upstreams.Has(listener.Group))
        && Routes.Groups.All(Upstreams.Has);
}
