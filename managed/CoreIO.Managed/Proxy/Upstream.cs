using CoreIO.Proxy;

namespace CoreIO.Managed.Proxy;

/// <summary>One upstream; what changes belongs to <see cref="UpstreamTable"/>, whose lock holds it.</summary>
internal sealed class Upstream(int index, ProxyUpstream plan, SocketName name)
{
    internal int Index => index;

    internal int Group => plan.Group;

    internal SocketName Name => name;

    internal ProxyHeader Header => plan.Header;

    internal bool Spoof => plan.Spoof;

    internal bool Backup => plan.Backup;

    internal int Weight { get; } = plan.Weight == 0 ? 1 : plan.Weight;

    /// <summary>Of its address, for hashing by source.</summary>
    internal ulong Key { get; } = Mixing.Hash(name.Bytes);

    /// <summary>What it has gained in smooth weighted round robin and not yet paid.</summary>
    internal long Credit { get; set; } = -index;

    internal bool Up { get; set; } = true;

    /// <summary>Failures in a row.</summary>
    internal int Bad { get; set; }

    /// <summary>Checks in a row that succeeded.</summary>
    internal int Good { get; set; }

    internal int LastError { get; set; }

    /// <summary>When one that is down and not checked is tried again.</summary>
    internal long RetryAt { get; set; }

    internal long Live { get; set; }

    internal long Connects { get; set; }

    internal long Failures { get; set; }

    internal long Checks { get; set; }

    internal long BytesIn { get; set; }

    internal long BytesOut { get; set; }

    internal ProxyUpstreamState State => new()
    {
        Index = index,
        Group = Group,
        Up = Up ? 1 : 0,
        LastError = LastError,
        Live = Live,
        Connects = Connects,
        Failures = Failures,
        Checks = Checks,
        BytesIn = BytesIn,
        BytesOut = BytesOut,
    };

    /// <summary>Whether a plan's upstream makes sense: the upstream, or null.</summary>
    internal static Upstream? Of(int index, ProxyUpstream plan) =>
        plan.Group >= 0 && plan.Weight is >= 0 and <= 256 && SocketName.Of(plan.Address) is { } name ? new Upstream(index, plan, name) : null;
}
