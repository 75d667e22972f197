// A restart within one process: the sockets go through a path, and nobody is refused.
using System.Net;
using System.Net.Sockets;
using CoreIO.Proxy;

namespace CoreIO.Tests.Proxy;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class ProxyHandoverTests(string backend)
{
    private ICoreBackend _backend = null!;
    private TempFolder _folder = null!;
    private string _path = "";

    [SetUp]
    public void Prepare()
    {
        _ = ProxyRig.Backend(backend);
        _backend = Backends.Get(backend);
        _folder = new TempFolder();
        _path = _folder.File("handover");
    }

    [TearDown]
    public void CleanUp() => _folder?.Dispose();

    [Test]
    public async Task Sockets_go_over_under_load_and_nobody_is_refused()
    {
        using ProxyUpstreamServer upstream = new ProxyUpstreamServer().Answering("answer");
        ProxyPlan plan = ProxyRig.Plan(ProxyRig.One with { Workers = 2 }, upstream.Address);
        TcpProxy proxy = TcpProxy.Start(plan, _backend);
        EndPoint front = proxy.Bound();
        plan = plan with { Listeners = [new ProxyListener { Address = front }] };
        try
        {
            using ProxyLoad load = new(front, 3);
            for (int i = 0; i < 3; i++)
            {
                load.WaitFor(50);
                using ProxyHandover handover = ProxyHandover.Listen(_path, _backend);
                Assert.That(handover.Path, Is.EqualTo(_path));
                Assert.That(File.GetUnixFileMode(_path), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
                Task giving = handover.GiveAsync(proxy);
                TcpProxy successor = await ProxyRig.Beside(() => ProxyHandover.TakeOver(plan, _path, _backend)).WaitAsync(Patience);
                await giving.WaitAsync(Patience);
                TcpProxy old = proxy;
                proxy = successor;
                await old.DrainAsync(null).WaitAsync(Patience);
                old.Dispose();
                Assert.That(successor.Bound(), Is.EqualTo(front));
            }

            load.WaitFor(50);
            Assert.That(load.End(), Is.Empty);
        }
        finally
        {
            proxy.Dispose();
        }
    }

    [Test]
    public async Task A_successor_that_cannot_start_changes_nothing()
    {
        using ProxyUpstreamServer upstream = new ProxyUpstreamServer().Answering("answer");
        ProxyPlan plan = ProxyRig.Plan(ProxyRig.One, upstream.Address);
        using TcpProxy proxy = TcpProxy.Start(plan, _backend);
        using ProxyHandover handover = ProxyHandover.Listen(_path, _backend);
        using CancellationTokenSource end = new();
        Task giving = handover.GiveAsync(proxy, end.Token);
        int before = ProxyRig.OpenDescriptors();
        ProxyPlan bad = plan with
        {
            Listeners = [new ProxyListener { Address = proxy.Bound() }, new ProxyListener { Address = upstream.Address }],
        };
        Assert.That(async () => await ProxyRig.Beside(() => ProxyHandover.TakeOver(bad, _path, _backend)).WaitAsync(Patience),
            Throws.TypeOf<TcpProxyException>().With.Property("ErrnoName").EqualTo("EADDRINUSE"));
        Ask(proxy.Bound());
        ProxyRig.Until(() => ProxyRig.OpenDescriptors() <= before, "no descriptor is left");
        // It still waits, and the next one gets them.
        using TcpProxy successor = await ProxyRig.Beside(() => ProxyHandover.TakeOver(
            plan with { Listeners = [bad.Listeners[0]] }, _path, _backend)).WaitAsync(Patience);
        await giving.WaitAsync(Patience);
        proxy.Dispose();
        Ask(successor.Bound());
    }

    [Test]
    public async Task Listeners_that_the_new_plan_lacks_are_closed()
    {
        using ProxyUpstreamServer upstream = new ProxyUpstreamServer().Answering("answer");
        ProxyPlan plan = ProxyRig.Plan(ProxyRig.One, upstream.Address);
        using TcpProxy proxy = TcpProxy.Start(plan with { Listeners = [plan.Listeners[0], plan.Listeners[0]] }, _backend);
        (EndPoint kept, EndPoint dropped) = (proxy.Bound(), proxy.Bound(1));
        using ProxyHandover handover = ProxyHandover.Listen(_path, _backend);
        Task giving = handover.GiveAsync(proxy);
        using TcpProxy successor = await ProxyRig.Beside(() => ProxyHandover.TakeOver(
            plan with { Listeners = [new ProxyListener { Address = kept }] }, _path, _backend)).WaitAsync(Patience);
        await giving.WaitAsync(Patience);
        proxy.Dispose();
        Ask(kept);
        Assert.That(ProxyPeer.Refuses(dropped), Is.True);
    }

    [Test]
    public void Without_somebody_at_the_path_it_starts_on_its_own()
    {
        using ProxyUpstreamServer upstream = new ProxyUpstreamServer().Answering("answer");
        using TcpProxy proxy = ProxyHandover.TakeOver(ProxyRig.Plan(ProxyRig.One, upstream.Address), _path, _backend);
        Ask(proxy.Bound());
    }

    [TestCase("")]
    [TestCase("no address\n")]
    [TestCase("127.0.0.1:80 1\n")]
    [TestCase("127.0.0.1:80 -1\n")]
    public async Task What_is_no_proxy_is_told(string message)
    {
        using ProxyUpstreamServer peer = new(new UnixDomainSocketEndPoint(_path));
        Task answering = ProxyRig.Beside(() =>
        {
            using Socket client = peer.Accept();
            client.Say(message);
        });
        Assert.That(async () => await ProxyRig.Beside(() => ProxyHandover.TakeOver(
                ProxyRig.Plan(ProxyRig.One, ProxyRig.Refusing()), _path, _backend).Dispose()).WaitAsync(Patience),
            Throws.TypeOf<TcpProxyException>().With.Property("Subject").EqualTo(_path).And.Property("Operation").EqualTo("take over from"));
        await answering;
    }

    [Test]
    public async Task Peers_that_go_or_talk_nonsense_get_nothing_for_good()
    {
        using ProxyUpstreamServer upstream = new ProxyUpstreamServer().Answering("answer");
        using TcpProxy proxy = TcpProxy.Start(ProxyRig.Plan(ProxyRig.One, upstream.Address), _backend);
        using ProxyHandover handover = ProxyHandover.Listen(_path, _backend);
        using CancellationTokenSource end = new();
        Task giving = handover.GiveAsync(proxy, end.Token);
        for (int i = 0; i < 3; i++)
        {
            using Socket peer = ProxyPeer.Connect(new UnixDomainSocketEndPoint(_path));
            if (i > 0)
            {
                _ = peer.Receive(new byte[4096]);
            }
        }

        Ask(proxy.Bound());
        await end.CancelAsync();
        Assert.That(async () => await giving.WaitAsync(Patience), Throws.InstanceOf<OperationCanceledException>());
        Ask(proxy.Bound());
    }

    [Test]
    public void A_path_that_cannot_be_is_told() => Assert.That(
        () => ProxyHandover.Listen(_folder.File("none/such"), _backend),
        Throws.TypeOf<TcpProxyException>().With.Message.StartsWith($"take over from {_folder.File("none/such")}: "));

    private static TimeSpan Patience => TimeSpan.FromMilliseconds(ProxyRig.PatienceMs);

    private static void Ask(EndPoint front)
    {
        using Socket client = ProxyPeer.Connect(front);
        client.Say("?");
        client.Expect("answer");
    }
}
