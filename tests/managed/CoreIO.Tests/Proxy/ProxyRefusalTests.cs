// Plans that make no sense or ask for what is not to be had: the status, the part it belongs to, and that nothing was taken.
using System.Net;
using System.Net.Sockets;
using CoreIO.Proxy;

namespace CoreIO.Tests.Proxy;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class ProxyRefusalTests(string backend)
{
    private static readonly ProxyFault OfOptions = new(ProxyPart.Options, 0);
    private static readonly EndPoint Somewhere = new IPEndPoint(IPAddress.Loopback, 9);

    private static readonly Dictionary<string, ProxyOptions> BadOptions = new()
    {
        ["workers"] = new() { Workers = -1 },
        ["many workers"] = new() { Workers = 5000 },
        ["accept"] = new() { Accept = (ProxyAccept)3 },
        ["balance"] = new() { Balance = (ProxyBalance)(-1) },
        ["splice"] = new() { Splice = (ProxySplice)3 },
        ["pipe bytes"] = new() { PipeBytes = -1 },
        ["pipes"] = new() { Pipes = -1 },
        ["many tries"] = new() { ConnectTries = 65 },
        ["tries"] = new() { ConnectTries = -1 },
        ["max connections"] = new() { MaxConnections = -1 },
        ["max per source"] = new() { MaxPerSource = -1 },
        ["rate"] = new() { Rate = -1 },
        ["bandwidth"] = new() { Bandwidth = -1 },
        ["backlog"] = new() { Backlog = -1 },
        ["fall"] = new() { Fall = -1 },
        ["rise"] = new() { Rise = -1 },
        ["journal"] = new() { Journal = -1 },
        ["long journal"] = new() { Journal = (1 << 24) + 1 },
        ["congestion"] = new() { Congestion = "sixteen.letters." },
    };

    [Test]
    public void Options_out_of_range([ValueSource(nameof(OptionNames))] string name) =>
        Refused(Plan(BadOptions[name]), StatusCode.InvalidArgument, OfOptions);

    [Test]
    public void A_CPU_that_is_not_allowed() =>
        Refused(Plan(new ProxyOptions { Pin = true, Cpus = [4095] }), StatusCode.Cpu, OfOptions);

    [Test]
    public void Upstreams_that_make_no_sense()
    {
        ProxyUpstream good = new() { Address = Somewhere };
        foreach (ProxyUpstream bad in (ProxyUpstream[])
            [good with { Weight = 257 }, good with { Weight = -1 }, good with { Group = -1 }, good with { Address = new DnsEndPoint("a.example", 80) }])
        {
            Refused(Plan() with { Upstreams = [good, bad] }, StatusCode.InvalidArgument, new ProxyFault(ProxyPart.Upstream, 1), bad.ToString());
        }
    }

    [Test]
    public void Routes_that_make_no_sense()
    {
        ProxyRoute good = new("a.example", 0);
        foreach (string host in (string[])["", "*.", ".example", "*", "a.*.example", "*a.example", new('a', 254)])
        {
            Refused(Plan() with { Routes = [good, new ProxyRoute(host, 0)] },
                StatusCode.InvalidArgument, new ProxyFault(ProxyPart.Route, 1), host);
        }

        Refused(Plan() with { Routes = [new ProxyRoute("b.example", -1)] }, StatusCode.InvalidArgument, new ProxyFault(ProxyPart.Route, 0));
        Refused(Plan() with { Routes = [good, new ProxyRoute("A.EXAMPLE", 0)] }, StatusCode.Exists, new ProxyFault(ProxyPart.Route, 1));
        // As long as a name may be, and a name beside all names below it.
        using IProxy proxy = ProxyRig.Open(backend, Plan() with { Routes = [good, new("*.a.example", 0), new(new string('a', 253), 0)] });
    }

    [Test]
    public void Listeners_that_make_no_sense()
    {
        ProxyListener good = new() { Address = ProxyRig.Loopback };
        foreach (ProxyListener bad in (ProxyListener[])
        [
            good with { Group = -1 },
            good with { Transparent = true, Redirected = true },
            good with { Address = new DnsEndPoint("a.example", 80) },
            good with { Address = new UnixDomainSocketEndPoint("/tmp/x"), Redirected = true },
        ])
        {
            Refused(Plan() with { Listeners = [good, bad] },
                StatusCode.InvalidArgument, new ProxyFault(ProxyPart.Listener, 1), bad.ToString());
        }
    }

    [Test]
    public void An_address_that_is_taken_or_not_this_machine_s()
    {
        using ProxyUpstreamServer taken = new();
        ProxyListener good = new() { Address = ProxyRig.Loopback };
        Refused(Plan() with { Listeners = [good, good with { Address = taken.Address }] },
            StatusCode.AddressInUse, new ProxyFault(ProxyPart.Listener, 1));
        Refused(Plan() with { Listeners = [good with { Address = new IPEndPoint(IPAddress.Parse("192.0.2.77"), 0) }] },
            StatusCode.AddressNotAvailable, new ProxyFault(ProxyPart.Listener, 0));
        Refused(Plan(new ProxyOptions { Congestion = "nonesuch" }), StatusCode.NoEntry, new ProxyFault(ProxyPart.Listener, 0));
        Refused(Plan() with { Listeners = [good with { Address = new UnixDomainSocketEndPoint("/nonexistent/x") }] },
            StatusCode.NoEntry, new ProxyFault(ProxyPart.Listener, 0));
        // What was bound before the one that failed is free again.
        using ProxyUpstreamServer first = new();
        EndPoint address = first.Address;
        first.Dispose();
        Refused(Plan() with { Listeners = [good with { Address = address }, good with { Address = taken.Address }] },
            StatusCode.AddressInUse, new ProxyFault(ProxyPart.Listener, 1));
        Assert.That(ProxyPeer.Refuses(address), Is.True);
    }

    [Test]
    public void Two_proxies_do_not_share_a_port([Values] ProxyAccept accept)
    {
        using ProxyRig rig = new(backend, ProxyRig.One with { Accept = accept }, Somewhere);
        ProxyPlan plan = ProxyRig.Plan(ProxyRig.One with { Accept = ProxyAccept.Shared }, Somewhere);
        Refused(plan with { Listeners = [new ProxyListener { Address = rig.Front }] },
            StatusCode.AddressInUse, new ProxyFault(ProxyPart.Listener, 0));
    }

    [Test]
    public void A_start_without_somewhere_to_go_is_refused()
    {
        foreach (ProxyPlan plan in (ProxyPlan[])
        [
            Plan() with { Upstreams = [] },
            Plan() with { Upstreams = [new ProxyUpstream { Address = Somewhere, Group = 1 }] },
            Plan() with { Routes = [new ProxyRoute("a.example", 7)] },
            Plan() with { Listeners = [] },
        ])
        {
            int status = ProxyRig.Backend(backend).Open(plan, out IProxy? proxy, out _);
            if (status == 0)
            {
                status = proxy!.Start();
                proxy.Dispose();
            }

            Assert.That(status, Is.EqualTo(StatusCode.InvalidArgument));
        }
    }

    [Test]
    public void Descriptors_of_a_plan_that_is_refused_or_not_started_stay_the_caller_s()
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyUpstreamServer taken = new();
        using Socket listening = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listening.Bind(ProxyRig.Loopback);
        listening.Listen();
        int descriptor = (int)listening.Handle;
        ProxyListener own = new() { Address = listening.LocalEndPoint!, Descriptors = [descriptor] };
        Refused(Plan() with { Listeners = [own, new ProxyListener { Address = taken.Address }] },
            StatusCode.AddressInUse, new ProxyFault(ProxyPart.Listener, 1));
        Listens();
        using (ProxyRig.Open(backend, ProxyRig.Plan(ProxyRig.One, upstream.Address) with { Listeners = [own] }))
        {
        }

        Listens();

        void Listens()
        {
            Assert.That(ProxyLibc.IsOpen(descriptor), Is.True);
            using Socket client = ProxyPeer.Connect(listening.LocalEndPoint!);
            using Socket accepted = listening.Accept();
            client.Reaches(accepted);
        }
    }

    [Test]
    public void A_path_of_descriptors_that_are_not_started_stays([Values] bool refused)
    {
        using TempFolder folder = new();
        using ProxyUpstreamServer taken = new();
        string path = folder.File("front");
        ProxyPlan plan = ProxyRig.Plan(ProxyRig.One, taken.Address) with
        {
            Listeners = [new ProxyListener { Address = new UnixDomainSocketEndPoint(path) }],
        };
        using IProxy first = ProxyRig.Open(backend, plan);
        ProxyListener adopting = plan.Listeners[0] with { Descriptors = [.. first.Descriptors(0)] };
        if (refused)
        {
            Refused(plan with { Listeners = [adopting, new ProxyListener { Address = taken.Address }] },
                StatusCode.AddressInUse, new ProxyFault(ProxyPart.Listener, 1));
        }
        else
        {
            ProxyRig.Open(backend, plan with { Listeners = [adopting] }).Dispose();
        }

        ProxyPeer.Connect(new UnixDomainSocketEndPoint(path)).Dispose();
        first.Dispose();
        Assert.That(File.Exists(path), Is.False);
    }

    private static IEnumerable<string> OptionNames => BadOptions.Keys;

    private static ProxyPlan Plan(ProxyOptions? options = null) => ProxyRig.Plan(options ?? ProxyRig.One, Somewhere);

    private void Refused(ProxyPlan plan, int status, ProxyFault fault, string? what = null)
    {
        int before = ProxyRig.OpenDescriptors();
        int got = ProxyRig.Backend(backend).Open(plan, out IProxy? proxy, out ProxyFault told);
        proxy?.Dispose();
        Assert.That((got, told, proxy is null), Is.EqualTo((status, fault, true)), what);
        Assert.That(ProxyRig.OpenDescriptors(), Is.LessThanOrEqualTo(before), "no descriptor is left");
    }
}
