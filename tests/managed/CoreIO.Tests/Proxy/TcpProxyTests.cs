// The proxy as programs hold it.
using System.Net;
using System.Net.Sockets;
using CoreIO.Proxy;

namespace CoreIO.Tests.Proxy;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class TcpProxyTests(string backend)
{
    private ICoreBackend _backend = null!;

    [SetUp]
    public void Need()
    {
        _ = ProxyRig.Backend(backend);
        _backend = Backends.Get(backend);
    }

    [Test]
    public async Task A_proxy_serves_and_tells_what_it_did()
    {
        using ProxyUpstreamServer upstream = new ProxyUpstreamServer().Answering("answer");
        ProxyPlan plan = ProxyRig.Plan(ProxyRig.One with { Workers = 2 }, upstream.Address);
        using TcpProxy proxy = TcpProxy.Start(plan, _backend);
        Assert.That(proxy.Plan, Is.SameAs(plan));
        Assert.That(proxy.Bound().Port(), Is.Positive);
        Assert.That(proxy.Workers(), Has.Length.EqualTo(ProxyRig.Threads(_backend.Name, 2)));
        using CancellationTokenSource patience = new(ProxyRig.PatienceMs);
        const int Connections = 10;
        for (int i = 0; i < Connections; i++)
        {
            using Socket client = ProxyPeer.Connect(proxy.Bound());
            client.Say("?");
            client.Expect("answer");
            client.ExpectEnd();
        }

        int seen = 0;
        await foreach (ProxyRecord record in proxy.ReadJournalAsync(patience.Token))
        {
            Assert.That((record.End, record.BytesIn, record.BytesOut), Is.EqualTo((ProxyEnd.Done, 1L, 6L)));
            if (++seen == Connections)
            {
                break;
            }
        }

        Assert.That(seen, Is.EqualTo(Connections));
        Assert.That((proxy.Counters.Accepted, proxy.Counters.Ended, proxy.Counters.BytesToClient), Is.EqualTo((10L, 10L, 60L)));
        Assert.That(proxy.Upstreams().Single().Connects, Is.EqualTo(Connections));
        Assert.That(proxy.ReadJournal(new ProxyRecord[1]), Is.Zero);
    }

    [Test]
    public async Task Records_come_until_cancelled()
    {
        using ProxyUpstreamServer upstream = new ProxyUpstreamServer().Answering("!");
        using TcpProxy proxy = TcpProxy.Start(ProxyRig.Plan(ProxyRig.One, upstream.Address), _backend);
        using CancellationTokenSource end = new();
        Task<int> reading = Count();
        ProxyPeer.Connect(proxy.Bound()).Dispose();
        ProxyRig.Until(() => proxy.Counters.Ended == 1, "it has ended");
        Assert.That(await Task.WhenAny(reading, Task.Delay(100)), Is.Not.SameAs(reading), "it waits for more");
        await end.CancelAsync();
        Assert.That(await reading, Is.EqualTo(1));

        async Task<int> Count()
        {
            int count = 0;
            await foreach (ProxyRecord _ in proxy.ReadJournalAsync(end.Token))
            {
                count++;
            }

            return count;
        }
    }

    [Test]
    public async Task A_drain_ends_with_the_last_connection()
    {
        using ProxyUpstreamServer upstream = new();
        using TcpProxy proxy = TcpProxy.Start(ProxyRig.Plan(ProxyRig.One, upstream.Address), _backend);
        using Socket client = ProxyPeer.Connect(proxy.Bound());
        using Socket server = upstream.Accept();
        using CancellationTokenSource impatience = new(100);
        Assert.That(async () => await proxy.DrainAsync(null, impatience.Token), Throws.InstanceOf<OperationCanceledException>());
        client.Reaches(server);
        Task drained = proxy.DrainAsync(null);
        Assert.That(await Task.WhenAny(drained, Task.Delay(100)), Is.Not.SameAs(drained));
        server.Reaches(client);
        client.Dispose();
        server.Dispose();
        await drained.WaitAsync(TimeSpan.FromMilliseconds(ProxyRig.PatienceMs));
        Assert.That((proxy.Counters.Live, proxy.Counters.Ended), Is.EqualTo((0L, 1L)));
    }

    [Test]
    public async Task A_drain_ends_what_is_left()
    {
        using ProxyUpstreamServer upstream = new();
        using TcpProxy proxy = TcpProxy.Start(ProxyRig.Plan(ProxyRig.One, upstream.Address), _backend);
        using Socket client = ProxyPeer.Connect(proxy.Bound());
        using Socket server = upstream.Accept();
        await proxy.DrainAsync(TimeSpan.FromMilliseconds(50)).WaitAsync(TimeSpan.FromMilliseconds(ProxyRig.PatienceMs));
        client.ExpectGone();
        Assert.That(proxy.Counters.Ends[(int)ProxyEnd.Stopped], Is.EqualTo(1));
    }

    [Test]
    public void After_a_stop_it_can_be_read_and_after_its_end_it_cannot()
    {
        using ProxyUpstreamServer upstream = new();
        TcpProxy proxy = TcpProxy.Start(ProxyRig.Plan(ProxyRig.One, upstream.Address), _backend);
        EndPoint front = proxy.Bound();
        using Socket client = ProxyPeer.Connect(front);
        using Socket server = upstream.Accept();
        proxy.Stop();
        proxy.Stop();
        client.ExpectGone();
        Assert.That(ProxyPeer.Refuses(front), Is.True);
        Assert.That(proxy.Counters.Ended, Is.EqualTo(1));
        Assert.That(proxy.ReadJournal(new ProxyRecord[4]), Is.EqualTo(1));
        proxy.Dispose();
        proxy.Dispose();
        Assert.That(() => proxy.Counters, Throws.TypeOf<ObjectDisposedException>());
        Assert.That(proxy.Workers, Throws.TypeOf<ObjectDisposedException>());
        Assert.That(proxy.Upstreams, Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => proxy.ReadJournal(new ProxyRecord[1]), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => proxy.DrainAsync(null), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(proxy.Stop, Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void What_is_refused_is_said_with_errno_subject_and_a_way_out()
    {
        using ProxyUpstreamServer taken = new();
        ProxyPlan plan = ProxyRig.Plan(ProxyRig.One, taken.Address);
        TcpProxyException e = Refused(plan with { Listeners = [plan.Listeners[0], new ProxyListener { Address = taken.Address }] });
        Assert.That((e.ErrnoName, e.Errno, e.Status, e.Operation, e.Subject),
            Is.EqualTo(("EADDRINUSE", 98, StatusCode.AddressInUse, "listen on", ProxyAddress.Text(taken.Address))));
        Assert.That(e.Message, Is.EqualTo(
            $"listen on {ProxyAddress.Text(taken.Address)}: address already in use (EADDRINUSE): somebody listens there; 'ss -ltnp' shows who, and a "
            + "running proxy hands its sockets over by --handover"));
        e = Refused(plan with { Upstreams = [plan.Upstreams[0], plan.Upstreams[0] with { Weight = 300 }] });
        Assert.That((e.ErrnoName, e.Operation, e.Subject, e.Advice),
            Is.EqualTo(("EINVAL", "use upstream", ProxyAddress.Text(taken.Address), "a weight is from 1 to 256, a group not below 0")));
        e = Refused(plan with { Routes = [new ProxyRoute("a.example", 0), new ProxyRoute("A.example", 0)] });
        Assert.That((e.ErrnoName, e.Operation, e.Subject, e.Advice), Is.EqualTo(("EEXIST", "route", "A.example", "it is routed already")));
        e = Refused(plan with { Options = ProxyRig.One with { Rate = -1 } });
        Assert.That((e.ErrnoName, e.Operation, e.Advice), Is.EqualTo(("EINVAL", "make", "an option is out of its range")));
        e = Refused(plan with { Options = ProxyRig.One with { Pin = true, Cpus = [4095] } });
        Assert.That((e.ErrnoName, e.Errno), Is.EqualTo(("COREIO_ECPU", 0)));
        e = Refused(plan with { Upstreams = [] });
        Assert.That((e.ErrnoName, e.Operation, e.Advice),
            Is.EqualTo(("EINVAL", "start", "a listener or a route leads to a group without upstreams")));
        Assert.That(() => TcpProxy.Start(null!, _backend), Throws.ArgumentNullException);
    }

    [Test]
    public void A_replacement_takes_the_sockets_over_and_one_that_is_refused_changes_nothing()
    {
        using ProxyUpstreamServer one = new ProxyUpstreamServer().Answering("one");
        using ProxyUpstreamServer two = new ProxyUpstreamServer().Answering("two");
        ProxyPlan plan = ProxyRig.Plan(ProxyRig.One, one.Address);
        using TcpProxy first = TcpProxy.Start(plan, _backend);
        EndPoint front = first.Bound();
        int before = ProxyRig.OpenDescriptors();
        ProxyPlan bad = ProxyRig.Plan(ProxyRig.One with { Workers = -1 }, two.Address) with { Listeners = [new ProxyListener { Address = front }] };
        Assert.That(() => first.Replace(bad), Throws.TypeOf<TcpProxyException>());
        Assert.That(ProxyRig.OpenDescriptors(), Is.LessThanOrEqualTo(before));
        Assert.That(Ask(front), Is.EqualTo("one"));
        using TcpProxy second = first.Replace(bad with { Options = ProxyRig.One });
        Assert.That(second.Bound(), Is.EqualTo(front));
        for (int i = 0; i < 20; i++)
        {
            Assert.That(Ask(front), Is.EqualTo("two"));
        }

        first.Dispose();
        Assert.That(Ask(front), Is.EqualTo("two"));
    }

    [Test]
    public void A_replacement_keeps_the_path_of_a_listener_that_it_has_and_takes_away_one_that_it_lacks()
    {
        using TempFolder folder = new();
        using ProxyUpstreamServer upstream = new ProxyUpstreamServer().Answering("yes");
        (string kept, string dropped) = (folder.File("kept"), folder.File("dropped"));
        ProxyPlan plan = ProxyRig.Plan(ProxyRig.One, upstream.Address) with { Listeners = [Listener(kept), Listener(dropped)] };
        using TcpProxy first = TcpProxy.Start(plan, _backend);
        using TcpProxy second = first.Replace(plan with { Listeners = [Listener(kept)] });
        first.Dispose();
        Assert.That(File.Exists(kept), Is.True);
        Assert.That(File.Exists(dropped), Is.False);
        Assert.That(Ask(new UnixDomainSocketEndPoint(kept)), Is.EqualTo("yes"));
        second.Dispose();
        Assert.That(File.Exists(kept), Is.False);

        static ProxyListener Listener(string path) => new() { Address = new UnixDomainSocketEndPoint(path) };
    }

    private static string Ask(EndPoint front)
    {
        using Socket client = ProxyPeer.Connect(front);
        client.Say("?");
        return System.Text.Encoding.ASCII.GetString(client.Hear(3));
    }

    private TcpProxyException Refused(ProxyPlan plan)
    {
        try
        {
            TcpProxy.Start(plan, _backend).Dispose();
        }
        catch (TcpProxyException e)
        {
            return e;
        }

        throw new AssertionException("it is not refused");
    }
}
