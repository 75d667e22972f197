// Limits: who waits, who is closed, and how fast it goes.
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using CoreIO.Proxy;

namespace CoreIO.Tests.Proxy;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class ProxyLimitTests(string backend)
{
    [Test]
    public void Connections_over_the_limit_wait_and_none_is_lost([Values(1, 2)] int workers)
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, ProxyRig.One with { Workers = workers, MaxConnections = 3 }, upstream.Address);
        Queue<(Socket Client, Socket Server)> live = [];
        for (int i = 0; i < 3; i++)
        {
            live.Enqueue(rig.Pair(upstream));
        }

        Dictionary<byte, Socket> waiting = [];
        for (byte i = 0; i < 5; i++)
        {
            waiting.Add(i, rig.Own(rig.Client()));
            waiting[i].Say([i]);
        }

        Assert.That(upstream.Waits(100), Is.False);
        Assert.That(rig.Counters.Live, Is.EqualTo(3));
        // One leaves, one comes, whichever worker has it in its backlog.
        while (live.TryDequeue(out (Socket Client, Socket Server) pair))
        {
            pair.Client.Dispose();
            pair.Server.Dispose();
            if (waiting.Count > 0)
            {
                Socket server = rig.Own(upstream.Accept());
                byte who = server.Hear(1)[0];
                live.Enqueue((waiting[who], server));
                waiting.Remove(who);
                Assert.That(rig.Counters.Live, Is.LessThanOrEqualTo(3));
                Assert.That(upstream.Waits(20), Is.False);
            }
        }

        Assert.That(waiting, Is.Empty);
    }

    [Test]
    public void Too_many_of_one_source_are_closed_and_those_of_others_are_not()
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, ProxyRig.One with { Workers = 2, MaxPerSource = 2 }, upstream.Address);
        Socket leaves = From(2);
        Socket server = rig.Own(upstream.Accept());
        foreach (int host in (int[])[2, 3, 3])
        {
            From(host).Reaches(rig.Own(upstream.Accept()));
        }

        foreach (int host in (int[])[2, 3])
        {
            using Socket third = From(host);
            third.ExpectGone();
            ProxyRecord record = rig.Record();
            Assert.That((record.End, record.SourceText()![..9]), Is.EqualTo((ProxyEnd.Limit, $"127.0.0.{host}")));
        }

        Assert.That(rig.Counters.OverLimit, Is.EqualTo(2));
        From(4).Reaches(rig.Own(upstream.Accept()));
        leaves.Dispose();
        server.Dispose();
        rig.WaitForLive(4);
        From(2).Reaches(rig.Own(upstream.Accept()));

        Socket From(int host) =>
            rig.Own(ProxyPeer.Connect(rig.Front, client => client.Bind(new IPEndPoint(IPAddress.Parse($"127.0.0.{host}"), 0))));
    }

    [Test]
    public void A_source_is_the_one_of_the_header_and_of_IPv6_its_64()
    {
        using ProxyUpstreamServer upstream = new();
        ProxyPlan plan = ProxyRig.Plan(ProxyRig.One with { MaxPerSource = 1 }, upstream.Address);
        using ProxyRig rig = new(backend, plan with { Listeners = [plan.Listeners[0] with { Header = true }] });
        Taken("PROXY TCP4 192.0.2.1 198.51.100.1 1 2\r\n");
        Taken("PROXY TCP4 192.0.2.2 198.51.100.1 1 2\r\n");
        Closed("PROXY TCP4 192.0.2.1 198.51.100.1 7 2\r\n");
        Taken("PROXY TCP6 2001:db8:0:1::1 2001:db8::1 1 2\r\n");
        Closed("PROXY TCP6 2001:db8:0:1:8000::2 2001:db8::1 1 2\r\n");
        Taken("PROXY TCP6 2001:db8:0:2::1 2001:db8::1 1 2\r\n");

        void Taken(string header)
        {
            Socket client = rig.Own(rig.Client());
            client.Say(header);
            client.Reaches(rig.Own(upstream.Accept()));
        }

        void Closed(string header)
        {
            using Socket client = rig.Client();
            client.Say(header);
            client.ExpectGone();
            Assert.That(rig.Record().End, Is.EqualTo(ProxyEnd.Limit), header);
        }
    }

    [Test]
    public void New_connections_come_at_the_rate()
    {
        const int Connections = 25;
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, ProxyRig.One with { Workers = 2, Rate = 50 }, upstream.Address);
        Stopwatch watch = Stopwatch.StartNew();
        for (int i = 0; i < Connections; i++)
        {
            rig.Own(rig.Client());
        }

        for (int i = 0; i < Connections; i++)
        {
            rig.Own(upstream.Accept());
        }

        // A tenth of a second's may come at once; the other twenty take 20 ms each.
        Assert.That(watch.ElapsedMilliseconds, Is.InRange(380, 5000));
    }

    [Test]
    public void Figures_of_many_connections_agree()
    {
        const int Threads = 4;
        const int Each = 100;
        using ProxyUpstreamServer one = new ProxyUpstreamServer().Answering("answer");
        using ProxyUpstreamServer two = new ProxyUpstreamServer().Answering("answer");
        using ProxyRig rig = new(backend, ProxyRig.One with { Workers = 2 }, one.Address, ProxyRig.Refusing(), two.Address);
        Task[] asking = [.. Enumerable.Range(0, Threads).Select(thread => ProxyRig.Beside(() =>
        {
            for (int i = 0; i < Each; i++)
            {
                using Socket client = rig.Client();
                client.Say("ask");
                if (i % 10 == thread)
                {
                    client.Reset();
                }
                else
                {
                    client.Expect("answer");
                    client.ExpectGone();
                }
            }
        }))];
        Assert.That(Task.WaitAll(asking, ProxyRig.PatienceMs), Is.True);
        ProxyRig.Until(() => rig.Counters is { Live: 0, Accepted: Threads * Each }, "all have ended");
        ProxyCounters counters = rig.Counters;
        ReadOnlySpan<long> ends = counters.Ends;
        long sum = 0;
        foreach (long count in ends)
        {
            sum += count;
        }

        ProxyRecord[] records = rig.Records(Threads * Each);
        Assert.That(counters.Accepted, Is.EqualTo(Threads * Each));
        Assert.That((counters.Ended, sum), Is.EqualTo((counters.Accepted, counters.Accepted)));
        for (int i = 0; i < ends.Length; i++)
        {
            Assert.That(ends[i], Is.EqualTo(records.Count(record => (int)record.End == i)), ((ProxyEnd)i).ToString());
        }

        ProxyUpstreamState[] states = rig.Upstreams;
        Assert.That(counters.Connected, Is.EqualTo(states.Sum(state => state.Connects)));
        Assert.That(counters.ConnectRetries, Is.EqualTo(states.Sum(state => state.Failures)).And.EqualTo(records.Sum(record => record.Retries)));
        Assert.That(counters.BytesToClient, Is.EqualTo(states.Sum(state => state.BytesIn)).And.EqualTo(records.Sum(record => record.BytesOut)));
        Assert.That(counters.BytesToUpstream, Is.EqualTo(records.Sum(record => record.BytesIn)));
        Assert.That(states.Select(state => state.Live), Is.All.Zero);
        Assert.That(rig.Workers.Sum(worker => worker.Accepted), Is.EqualTo(counters.Accepted));
        Assert.That((counters.Buffers, counters.AcceptFailures, counters.OverLimit, counters.JournalLost), Is.EqualTo((0L, 0L, 0L, 0L)));
    }
}
