// What a transparent proxy may do: IP_TRANSPARENT and, where it listens there, ports below 1024, and nothing else.
using System.Net;
using CoreIO.Cli.Shell;
using CoreIO.Proxy;

namespace CoreIO.Cli.Commands;

internal static class ProxyRights
{
    private const int FirstFreePort = 1024;

    /// <summary>
    /// Gives up the capabilities that a plan does not need, when it is transparent; others keep theirs, for what a reload may ask for. Executes
    /// the program again when there are any, so it comes before all else.
    /// </summary>
    public static void Reduce(ProxyPlan plan)
    {
        bool spoofs = plan.Listeners.Any(l => l.Transparent || l.Spoof) || plan.Upstreams.Any(u => u.Spoof);
        if (!spoofs && !plan.Listeners.Any(l => l.Redirected))
        {
            return;
        }

        ulong has = Capabilities.Effective();
        ulong kept = spoofs ? Either(has, Capabilities.NetRaw, Capabilities.NetAdmin) : 0;
        kept |= plan.Listeners.Any(l => l.Address is IPEndPoint { Port: > 0 and < FirstFreePort }) ? has & Bit(Capabilities.BindService) : 0;
        // Without the one it needs, the listener says so and how to get it.
        int status = spoofs && (kept & ~Bit(Capabilities.BindService)) == 0 ? 0 : Capabilities.Keep(kept);
        if (status < 0)
        {
            throw new CoreIOException(status, "give up the capabilities that a transparent proxy does not need");
        }
    }

    private static ulong Either(ulong has, int first, int second) => (has & Bit(first)) != 0 ? Bit(first) : has & Bit(second);

    private static ulong Bit(int capability) => 1UL << capability;
}
