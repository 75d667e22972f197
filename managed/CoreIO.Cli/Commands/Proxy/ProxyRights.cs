// What a transparent proxy may do: IP_TRANSPARENT and, where it listens there, ports below 1024, and nothing else.
using System.Net;
using CoreIO.Cli.Shell;
using CoreIO.Proxy;

namespace CoreIO.Cli.Commands;

internal static class ProxyRights
{
    private const int FirstFreePort = 1024;

    /// <summary>
    /// Gives up the capabilities that a proxy does not need, when it is transparent; others keep theirs, for what a reload may ask for. Executes
    /// the program again when there are any, so it comes before all else.
    /// </summary>
    /// <exception cref="CoreIOException">It lacks the one it needs, or could not give up the others.</exception>
    public static void Reduce(ProxySettings settings, string? config)
    {
        ProxyPlan plan = settings.Plan;
        bool spoofs = plan.Listeners.Any(l => l.Spoof) || plan.Upstreams.Any(u => u.Spoof);
        bool binds = spoofs || plan.Listeners.Any(l => l.Transparent);
        if (!binds && !plan.Listeners.Any(l => l.Redirected))
        {
            return;
        }

        ulong has = Capabilities.Effective();
        ulong kept = binds ? Either(has, Capabilities.NetRaw, Capabilities.NetAdmin) : 0;
        if (binds && kept == 0)
        {
            throw new CoreIOException(StatusCode.NotPermitted, "IP_TRANSPARENT needs CAP_NET_RAW or CAP_NET_ADMIN: "
                + "setpriv --inh-caps +net_raw --ambient-caps +net_raw, or AmbientCapabilities of systemd");
        }

        bool low = plan.Listeners.Select(l => l.Address).Append(settings.Metrics).Any(a => a is IPEndPoint { Port: > 0 and < FirstFreePort });
        kept |= low ? has & Bit(Capabilities.BindService) : 0;
        if (!Capabilities.HasMore(kept))
        {
            return;
        }

        if (config is not null && !IsPlain(config))
        {
            throw new UsageException($"--config: {config} is no plain file, and a transparent proxy reads it again when it has given up its capabilities");
        }

        throw new CoreIOException(Capabilities.Keep(kept), "give up the capabilities that a transparent proxy does not need");
    }

    // Pipes and terminals have no length, and options were found in it. Not opened: that may wait for a writer.
    private static bool IsPlain(string path) =>
        (File.ResolveLinkTarget(path, returnFinalTarget: true) ?? new FileInfo(path)) is FileInfo { Exists: true, Length: > 0 };

    private static ulong Either(ulong has, int first, int second) => (has & Bit(first)) != 0 ? Bit(first) : has & Bit(second);

    private static ulong Bit(int capability) => 1UL << capability;
}
