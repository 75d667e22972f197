// Who gets the next connection: by turns, by the fewest, by the source, and over the workers.
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using CoreIO.Proxy;

namespace CoreIO.Tests.Proxy;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class ProxyBalanceTests(string backend)
{
    private static readonly TimeSpan Long = TimeSpan.FromHours(1);

    [Test]
    public void Turns_go_by_weight()
    {
        using ProxyUpstreamServer one = new();
        using ProxyUpstreamServer two = new();
        using ProxyUpstreamServer three = new();
        ProxyPlan plan = ProxyRig.Plan(ProxyRig.One, one.Address, two.Address, three.Address);
        using ProxyRig rig = new(backend,
            plan with { Upstreams = [plan.Upstreams[0] with { Weight = 5 }, plan.Upstreams[1] with { Weight = 2 }, plan.Upstreams[2]] });
        Open(rig, 80);
        Assert.That(rig.Upstreams.Select(state => state.Connects), Is.EqualTo((long[])[50, 20, 10]));
    }

    [Test]
    public void Turns_of_one_with_a_great_weight_leave_room_for_the_others()
    {
        using ProxyUpstreamServer one = new ProxyUpstreamServer().Answering();
        using ProxyUpstreamServer two = new ProxyUpstreamServer().Answering();
        ProxyPlan plan = ProxyRig.Plan(ProxyRig.One, one.Address, two.Address);
        using ProxyRig rig = new(backend, plan with { Upstreams = [plan.Upstreams[0] with { Weight = 3 }, plan.Upstreams[1]] });
        List<int> turns = [];
        for (int i = 0; i < 16; i++)
        {
            rig.Client().Dispose();
            turns.Add(rig.Record().Upstream);
        }

        // Every four in a row hold one of the other.
        Assert.That(turns.Chunk(4).Select(four => four.Sum()), Is.All.EqualTo(1), string.Join(' ', turns));
    }

    [Test]
    public void The_one_with_the_fewest_connections_for_its_weight_is_next()
    {
        using ProxyUpstreamServer one = new();
        using ProxyUpstreamServer two = new();
        ProxyPlan plan = ProxyRig.Plan(ProxyRig.One with { Balance = ProxyBalance.LeastConnections }, one.Address, two.Address);
        using ProxyRig rig = new(backend, plan with { Upstreams = [plan.Upstreams[0], plan.Upstreams[1] with { Weight = 3 }] });
        Dictionary<int, Socket> clients = Open(rig, 40).ToDictionary(client => client.LocalEndPoint!.Port());
        Assert.That(rig.Upstreams.Select(state => state.Live), Is.EqualTo((long[])[10, 30]));
        // The first ends, and with it its connections; who comes goes there until it is as it was.
        for (int i = 0; i < 10; i++)
        {
            one.Accept().Dispose();
        }

        foreach (Socket client in clients.Values.Where(client => client.Poll(20_000, SelectMode.SelectRead)))
        {
            client.Dispose();
        }

        Assert.That(rig.Records(10).Select(record => record.Upstream), Is.All.Zero);
        Open(rig, 10);
        Assert.That(rig.Upstreams.Select(state => state.Live), Is.EqualTo((long[])[10, 30]));
    }

    [Test]
    public void A_source_keeps_its_upstream_and_only_those_of_one_that_goes_move()
    {
        const int Sources = 60;
        using ProxyUpstreamServer one = new ProxyUpstreamServer().Answering();
        ProxyUpstreamServer two = new ProxyUpstreamServer().Answering();
        using ProxyUpstreamServer three = new ProxyUpstreamServer().Answering();
        using ProxyRig rig = new(backend,
            ProxyRig.One with { Balance = ProxyBalance.Source, Fall = 1, Retry = Long }, one.Address, two.Address, three.Address);
        int[] before;
        int[] again;
        using (two)
        {
            before = [.. Enumerable.Range(1, Sources).Select(Of)];
            again = [.. Enumerable.Range(1, Sources).Select(Of)];
        }

        Assert.That(again, Is.EqualTo(before));
        Assert.That(Enumerable.Range(0, 3).Select(upstream => before.Count(chosen => chosen == upstream)), Is.All.GreaterThanOrEqualTo(6));
        int[] without = [.. Enumerable.Range(1, Sources).Select(Of)];
        for (int i = 0; i < Sources; i++)
        {
            Assert.That(without[i], before[i] == 1 ? Is.Not.EqualTo(1) : Is.EqualTo(before[i]), $"source {i}");
        }

        int Of(int source)
        {
            using (ProxyPeer.Connect(rig.Front, client => client.Bind(new IPEndPoint(IPAddress.Parse($"127.0.3.{source}"), 0))))
            {
            }

            return rig.Record().Upstream;
        }
    }

    [Test]
    public void A_source_of_IPv6_is_its_64()
    {
        using ProxyUpstreamServer one = new ProxyUpstreamServer().Answering();
        using ProxyUpstreamServer two = new ProxyUpstreamServer().Answering();
        using ProxyUpstreamServer three = new ProxyUpstreamServer().Answering();
        ProxyPlan plan = ProxyRig.Plan(ProxyRig.One with { Balance = ProxyBalance.Source }, one.Address, two.Address, three.Address);
        using ProxyRig rig = new(backend, plan with { Listeners = [plan.Listeners[0] with { Header = true }] });
        HashSet<int> used = [];
        for (int network = 0; network < 20; network++)
        {
            HashSet<int> chosen = [];
            for (int host = 1; host < 6; host++)
            {
                using Socket client = rig.Client();
                client.Say(string.Create(CultureInfo.InvariantCulture, $"PROXY TCP6 2001:db8:0:{network}:{host}::{host} 2001:db8::1 1 2\r\n"));
                client.EndSending();
                client.ExpectEnd();
                chosen.Add(rig.Record().Upstream);
            }

            Assert.That(chosen, Has.Count.EqualTo(1), $"network {network}");
            used.UnionWith(chosen);
        }

        Assert.That(used, Has.Count.EqualTo(3));
    }

    [Test]
    public void Every_way_to_accept_serves([Values] ProxyAccept accept)
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, ProxyRig.One with { Workers = 4, Accept = accept }, upstream.Address);
        Assert.That(rig.Calls.Descriptors(0), Has.Count.EqualTo(accept == ProxyAccept.ReusePort ? ProxyRig.Threads(backend, 4) : 1));
        for (int i = 0; i < 16; i++)
        {
            (Socket client, Socket server) = rig.Pair(upstream);
            rig.Own(client);
            rig.Own(server);
            client.Reaches(server);
        }

        ProxyWorker[] workers = rig.Workers;
        Assert.That(workers, Has.Length.EqualTo(ProxyRig.Threads(backend, 4)));
        Assert.That(workers.Sum(worker => worker.Live), Is.EqualTo(16));
        Assert.That(workers.Sum(worker => worker.Accepted), Is.EqualTo(16));
        Assert.That(workers.Select(worker => worker.Cpu), Is.All.EqualTo(-1));
        Assert.That(workers.Select(worker => worker.Live), Is.All.EqualTo(16 / workers.Length), "a few are spread evenly");
    }

    [Test]
    public void Connections_keep_their_place_when_asked()
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, ProxyRig.One with { Workers = 4, KeepPlace = true }, upstream.Address);
        Open(rig, 40);
        Assert.That(rig.Counters.HandedOver, Is.Zero);
        Assert.That(rig.Workers.Select(worker => worker.Live), Is.EqualTo(rig.Workers.Select(worker => worker.Accepted)));
    }

    /// <summary>Opens connections and waits until their upstreams have them.</summary>
    private static List<Socket> Open(ProxyRig rig, int count)
    {
        List<Socket> clients = [];
        for (int i = 0; i < count; i++)
        {
            long connected = rig.Counters.Connected;
            clients.Add(rig.Own(rig.Client()));
            ProxyRig.Until(() => rig.Counters.Connected == connected + 1, "it is connected");
        }

        return clients;
    }
}
