// Descriptors: none is left behind, however connections end.
using System.Net.Sockets;
using CoreIO.Proxy;

namespace CoreIO.Tests.Proxy;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class ProxyDescriptorTests(string backend)
{
    [Test]
    public void Two_thousand_connections_leave_nothing_behind() => Run(2000);

    [Test]
    [Explicit("takes some minutes")]
    [Category("soak")]
    public void A_million_connections_leave_nothing_behind() => Run(1_000_000);

    [Test]
    public void Descriptors_are_not_inherited()
    {
        using ProxyUpstreamServer upstream = new();
        HashSet<string> before = [.. Sockets()];
        using ProxyRig rig = new(backend, ProxyRig.One with { Splice = ProxySplice.Always }, upstream.Address);
        (Socket client, Socket server) = rig.Pair(upstream);
        rig.Own(client).Reaches(rig.Own(server));
        string[] own = [.. Sockets().Except(before)];
        Assert.That(own, Has.Length.GreaterThanOrEqualTo(5), "a listener, and four sockets of a connection");
        Assert.That(own.Select(descriptor => ProxyLibc.IsCloseOnExec(int.Parse(descriptor, System.Globalization.CultureInfo.InvariantCulture))),
            Is.All.True);
    }

    private static IEnumerable<string> Sockets() =>
        Descriptors().Where(descriptor => NameOf(descriptor).StartsWith("socket:", StringComparison.Ordinal));

    private static IEnumerable<string> Descriptors() => Directory.GetFileSystemEntries("/proc/self/fd").Select(path => Path.GetFileName(path)!);

    private static string NameOf(string descriptor) =>
        ProxyLibc.NameOf(int.Parse(descriptor, System.Globalization.CultureInfo.InvariantCulture));

    private void Run(int connections)
    {
        const int Threads = 4;
        int outside = ProxyRig.OpenDescriptors();
        using (ProxyUpstreamServer upstream = new ProxyUpstreamServer().Answering("answer"))
        {
            using ProxyRig rig = new(backend, ProxyRig.One with { Workers = 2 }, upstream.Address, ProxyRig.Refusing());
            // What is made once is made: two pipes, a few threads.
            Connect(rig, 20, 0);
            rig.WaitForLive(0);
            int before = ProxyRig.OpenDescriptors();
            Task[] clients = [.. Enumerable.Range(0, Threads)
                .Select(thread => Task.Factory.StartNew(() => Connect(rig, connections / Threads, thread), TaskCreationOptions.LongRunning))];
            Task.WaitAll(clients);
            rig.WaitForLive(0);
            ProxyCounters counters = rig.Counters;
            Assert.That(counters.Accepted, Is.EqualTo(connections + 20));
            Assert.That(counters.Ended, Is.EqualTo(counters.Accepted));
            Assert.That(counters.Buffers, Is.Zero);
            ProxyRig.Until(() => ProxyRig.OpenDescriptors() <= before + (2 * (int)rig.Counters.Pipes), "no descriptor is left");
        }

        ProxyRig.Until(() => ProxyRig.OpenDescriptors() <= outside, "no descriptor is left with the proxy's end");
    }

    // Connections that end in every way: asked and answered, reset, without a word, with an end of sending first.
    private static void Connect(ProxyRig rig, int count, int thread)
    {
        for (int i = 0; i < count; i++)
        {
            using Socket client = rig.Client();
            switch ((i + thread) % 4)
            {
                case 0:
                    client.Say("?");
                    client.Expect("answer");
                    client.ExpectEnd();
                    break;
                case 1:
                    client.Say("?");
                    client.Reset();
                    break;
                case 2:
                    break;
                default:
                    client.EndSending();
                    client.ExpectGone();
                    break;
            }
        }
    }
}
