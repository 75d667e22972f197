// How a proxy ends: it drains, hands its sockets over, stops, and can be read afterwards.
using System.Net;
using System.Net.Sockets;
using CoreIO.Proxy;

namespace CoreIO.Tests.Proxy;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class ProxyDrainTests(string backend)
{
    [Test]
    public void Connections_go_on_and_nobody_new_is_taken()
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, ProxyRig.One with { Workers = 2 }, upstream.Address);
        EndPoint front = rig.Front;
        (Socket client, Socket server) = rig.Pair(upstream);
        using (client)
        using (server)
        {
            Assert.That(rig.Calls.Drain(null), Is.Zero);
            ProxyRig.Until(() => ProxyPeer.Refuses(front), "nobody new is taken");
            client.Reaches(server);
            server.Reaches(client);
            Assert.That(rig.Counters.Live, Is.EqualTo(1));
        }

        rig.WaitForLive(0);
        Assert.That(rig.Record().End, Is.EqualTo(ProxyEnd.Done));
    }

    [Test]
    public void What_is_queued_is_taken_before_the_drain_returns([Values] ProxyAccept accept)
    {
        const int Clients = 50;
        using ProxyUpstreamServer upstream = new();
        using IProxy proxy = ProxyRig.Open(backend, ProxyRig.Plan(ProxyRig.One with { Workers = 2, Accept = accept }, upstream.Address));
        List<Socket> clients = [];
        try
        {
            // Before the start, so that all of them are queued.
            for (int i = 0; i < Clients; i++)
            {
                clients.Add(ProxyPeer.Connect(proxy.Bound(0)));
            }

            Assert.That(proxy.Start(), Is.Zero);
            Assert.That(proxy.Drain(null), Is.Zero);
            proxy.Read(out ProxyCounters counters);
            Assert.That(counters.Accepted, Is.EqualTo(Clients));
            clients.ForEach(client => client.Say("asked"));
            for (int i = 0; i < Clients; i++)
            {
                using Socket server = upstream.Accept();
                server.Expect("asked");
            }
        }
        finally
        {
            clients.ForEach(client => client.Dispose());
        }
    }

    [Test]
    public void What_is_left_after_its_time_is_ended_and_the_time_can_be_changed()
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, ProxyRig.One, upstream.Address);
        (Socket client, Socket server) = rig.Pair(upstream);
        using (client)
        using (server)
        {
            client.Reaches(server);
            Assert.That(rig.Calls.Drain(TimeSpan.FromHours(1)), Is.Zero);
            client.ExpectSilence(100);
            Assert.That(rig.Calls.Drain(TimeSpan.FromMilliseconds(200)), Is.Zero);
            client.ExpectSilence(100);
            client.ExpectGone();
            server.ExpectGone();
        }

        Assert.That(rig.Record().End, Is.EqualTo(ProxyEnd.Stopped));
        rig.WaitForLive(0);
    }

    [Test]
    public void A_stop_ends_everything_and_what_happened_can_still_be_read()
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, ProxyRig.One with { Workers = 2 }, upstream.Address);
        EndPoint front = rig.Front;
        (Socket client, Socket server) = rig.Pair(upstream);
        using (client)
        using (server)
        {
            client.Reaches(server);
            server.Reaches(client, "an answer");
            Assert.That(rig.Calls.Stop(), Is.Zero);
            client.ExpectGone();
            server.ExpectGone();
            Assert.That(ProxyPeer.Refuses(front), Is.True);
        }

        Assert.That(rig.Calls.Stop(), Is.Zero);
        ProxyCounters counters = rig.Counters;
        Assert.That((counters.Accepted, counters.Ended, counters.Live, counters.Pipes, counters.Buffers), Is.EqualTo((1L, 1L, 0L, 0L, 0L)));
        Assert.That(counters.Ends[(int)ProxyEnd.Stopped], Is.EqualTo(1));
        Assert.That(rig.Workers, Has.Length.EqualTo(ProxyRig.Threads(backend, 2)));
        Assert.That((rig.Upstreams[0].Connects, rig.Upstreams[0].BytesIn, rig.Upstreams[0].BytesOut, rig.Upstreams[0].Live), Is.EqualTo((1L, 9L, 5L, 0L)));
        ProxyRecord record = rig.Record();
        Assert.That((record.End, record.BytesIn, record.BytesOut), Is.EqualTo((ProxyEnd.Stopped, 5L, 9L)));
    }

    [Test]
    public void Calls_out_of_order_are_told_apart()
    {
        using ProxyUpstreamServer upstream = new();
        using IProxy proxy = ProxyRig.Open(backend, ProxyRig.Plan(ProxyRig.One, upstream.Address));
        Assert.That(proxy.Drain(null), Is.EqualTo(StatusCode.InvalidArgument), "not started");
        Assert.That(proxy.Stop(), Is.Zero, "not started");
        Assert.That(proxy.Start(), Is.Zero);
        Assert.That(proxy.Start(), Is.EqualTo(StatusCode.Busy));
        Assert.That(proxy.Stop(), Is.Zero);
        Assert.That(proxy.Stop(), Is.Zero);
        Assert.That(proxy.Drain(null), Is.EqualTo(StatusCode.Closed));
        proxy.Dispose();
        proxy.Dispose();
    }

    [Test]
    public void Who_connects_before_the_start_is_served_after_it()
    {
        using ProxyUpstreamServer upstream = new();
        using IProxy proxy = ProxyRig.Open(backend, ProxyRig.Plan(ProxyRig.One, upstream.Address));
        using Socket client = ProxyPeer.Connect(proxy.Bound(0));
        client.Say("early");
        Assert.That(upstream.Waits(100), Is.False);
        Assert.That(proxy.Start(), Is.Zero);
        using Socket server = upstream.Accept();
        server.Expect("early");
    }

    [Test]
    public void Handed_over_nothing_more_is_taken_and_the_successor_takes_it()
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, ProxyRig.One with { Workers = 2 }, upstream.Address);
        (Socket client, Socket server) = rig.Pair(upstream);
        using (client)
        using (server)
        using (IProxy successor = Adopt(rig.Calls, rig.Front, upstream.Address))
        {
            Assert.That(rig.Calls.HandOver(0), Is.Zero);
            Assert.That(rig.Calls.Drain(null), Is.Zero);
            using Socket late = ProxyPeer.Connect(successor.Bound(0));
            late.Say("late");
            Assert.That(upstream.Waits(100), Is.False, "it waits for the successor");
            Assert.That(rig.Counters.Accepted, Is.EqualTo(1));
            Assert.That(successor.Start(), Is.Zero);
            using Socket lateServer = upstream.Accept();
            lateServer.Expect("late");
            client.Reaches(server);
            // The end of the one is nothing to the other.
            rig.Dispose();
            late.Reaches(lateServer, "still here");
            using Socket next = ProxyPeer.Connect(successor.Bound(0));
            next.Reaches(upstream.Accept());
        }
    }

    [Test]
    public void What_is_queued_is_taken_of_listeners_that_were_not_handed_over()
    {
        using ProxyUpstreamServer upstream = new();
        ProxyPlan plan = ProxyRig.Plan(ProxyRig.One with { MaxConnections = 1 }, upstream.Address);
        using IProxy proxy = ProxyRig.Open(backend, plan with { Listeners = [plan.Listeners[0], plan.Listeners[0]] });
        Assert.That(proxy.Start(), Is.Zero);
        using Socket client = ProxyPeer.Connect(proxy.Bound(0));
        using Socket server = upstream.Accept();
        client.Reaches(server);
        // There are as many as may be: these are queued.
        using Socket handedOver = ProxyPeer.Connect(proxy.Bound(0));
        using Socket dropped = ProxyPeer.Connect(proxy.Bound(1));
        Assert.That(proxy.HandOver(0), Is.Zero);
        Assert.That(proxy.HandOver(2), Is.EqualTo(StatusCode.InvalidArgument));
        Assert.That(proxy.Drain(null), Is.Zero);
        using Socket droppedServer = upstream.Accept();
        dropped.Reaches(droppedServer);
        droppedServer.Reaches(dropped);
        Assert.That(upstream.Waits(100), Is.False, "it waits for the successor");
        proxy.Read(out ProxyCounters counters);
        Assert.That(counters.Accepted, Is.EqualTo(2));
    }

    [Test]
    public void Sockets_are_adopted_under_load_without_one_failed_request([Values] ProxyAccept accept)
    {
        const int Times = 5;
        int before = ProxyRig.OpenDescriptors();
        using (ProxyUpstreamServer upstream = new ProxyUpstreamServer().Answering("answer"))
        {
            IProxy proxy = ProxyRig.Open(backend, ProxyRig.Plan(ProxyRig.One with { Workers = 2, Accept = accept }, upstream.Address));
            try
            {
                Assert.That(proxy.Start(), Is.Zero);
                using ProxyLoad load = new(proxy.Bound(0), 3);
                for (int i = 0; i < Times; i++)
                {
                    load.WaitFor(100);
                    IProxy next = Adopt(proxy, proxy.Bound(0), upstream.Address, accept);
                    Assert.That(next.Start(), Is.Zero);
                    Assert.That(proxy.HandOver(0), Is.Zero);
                    Assert.That(proxy.Drain(null), Is.Zero);
                    IProxy old = proxy;
                    proxy = next;
                    ProxyRig.Until(() =>
                    {
                        old.Read(out ProxyCounters counters);
                        return counters.Live == 0;
                    }, "it drains");
                    old.Dispose();
                }

                load.WaitFor(100);
                Assert.That(load.End(), Is.Empty);
            }
            finally
            {
                proxy.Dispose();
            }
        }

        ProxyRig.Until(() => ProxyRig.OpenDescriptors() <= before, "no descriptor is left");
    }

    private IProxy Adopt(IProxy from, EndPoint address, EndPoint upstream, ProxyAccept accept = ProxyAccept.ReusePort)
    {
        int[] descriptors = [.. from.Descriptors(0).Select(ProxyLibc.Duplicate)];
        ProxyPlan plan = ProxyRig.Plan(ProxyRig.One with { Workers = 2, Accept = accept }, upstream);
        return ProxyRig.Open(backend, plan with { Listeners = [new ProxyListener { Address = address, Descriptors = descriptors }] });
    }
}

/// <summary>Clients that ask one connection after the other and remember what went wrong.</summary>
internal sealed class ProxyLoad : IDisposable
{
    private readonly Thread[] _threads;
    private readonly List<string> _faults = [];
    private readonly EndPoint _address;
    private readonly string _answer;
    private int _served;
    private volatile bool _end;

    public ProxyLoad(EndPoint address, int threads, string answer = "answer")
    {
        _address = address;
        _answer = answer;
        _threads = [.. Enumerable.Range(0, threads).Select(_ => new Thread(Run) { IsBackground = true })];
        Array.ForEach(_threads, thread => thread.Start());
    }

    /// <summary>Waits until so many more were served, or one failed.</summary>
    public void WaitFor(int more)
    {
        int enough = Volatile.Read(ref _served) + more;
        ProxyRig.Until(() => Volatile.Read(ref _served) >= enough || Faults > 0, $"{more} more are served");
    }

    /// <summary>Ends it; what went wrong.</summary>
    public IReadOnlyList<string> End()
    {
        _end = true;
        Array.ForEach(_threads, thread => thread.Join());
        return _faults;
    }

    public void Dispose() => End();

    private int Faults
    {
        get
        {
            lock (_faults)
            {
                return _faults.Count;
            }
        }
    }

    private void Run()
    {
        while (!_end)
        {
            try
            {
                using Socket client = ProxyPeer.Connect(_address);
                client.Say("?");
                client.Expect(_answer);
                client.ExpectEnd();
                Interlocked.Increment(ref _served);
            }
            catch (Exception e)
            {
                lock (_faults)
                {
                    _faults.Add(e.Message);
                }

                return;
            }
        }
    }
}
