// Where clients come from and go to: unix sockets, IPv6, and addresses that are taken or left over.
using System.Net;
using System.Net.Sockets;
using CoreIO.Proxy;

namespace CoreIO.Tests.Proxy;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class ProxySocketTests(string backend)
{
    [Test]
    public async Task Unix_sockets_on_both_sides([Values] ProxySplice splice)
    {
        using TempFolder folder = new();
        using ProxyUpstreamServer upstream = new(new UnixDomainSocketEndPoint(folder.File("back")));
        using ProxyRig rig = Listening(folder.File("front"), upstream.Address, ProxyRig.One with { Splice = splice });
        using CancellationTokenSource patience = new(ProxyRig.PatienceMs);
        (Socket client, Socket server) = rig.Pair(upstream);
        using (client)
        using (server)
        {
            client.Reaches(server);
            server.Reaches(client);
            await ProxyStreams.Exchange(client, server, 3, 900_000, 700_000, 50_000, patience.Token);
        }

        ProxyRecord record = rig.Record();
        Assert.That((record.End, record.BytesIn, record.BytesOut), Is.EqualTo((ProxyEnd.Done, 900_005L, 700_005L)));
        Assert.That((record.SourceText(), record.TargetText()), Is.EqualTo(((string?)null, (string?)null)));
    }

    [TestCase(ProxyHeader.V1, "50524F585920554E4B4E4F574E0D0A")]
    [TestCase(ProxyHeader.V2, "0D0A0D0A000D0A515549540A21000000")]
    public void A_client_of_a_unix_socket_has_no_address_to_tell(ProxyHeader version, string header)
    {
        using TempFolder folder = new();
        using ProxyUpstreamServer upstream = new();
        ProxyPlan plan = ProxyRig.Plan(ProxyRig.One, upstream.Address);
        using ProxyRig rig = new(backend, plan with
        {
            Listeners = [new ProxyListener { Address = new UnixDomainSocketEndPoint(folder.File("front")) }],
            Upstreams = [plan.Upstreams[0] with { Header = version }],
        });
        using Socket client = rig.Client();
        using Socket server = upstream.Accept();
        server.Expect(Convert.FromHexString(header));
        client.Reaches(server);
    }

    [Test]
    public void A_path_goes_with_its_proxy_and_one_that_is_left_over_is_taken()
    {
        using TempFolder folder = new();
        using ProxyUpstreamServer upstream = new();
        string path = folder.File("front");
        using (Socket gone = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            gone.Bind(new UnixDomainSocketEndPoint(folder.File("other")));
            File.Move(folder.File("other"), path);
        }

        using (ProxyRig rig = Listening(path, upstream.Address))
        {
            Assert.That(rig.Front.ToString(), Is.EqualTo(path));
            (Socket client, Socket server) = rig.Pair(upstream);
            rig.Own(server);
            rig.Own(client).Reaches(server);
        }

        Assert.That(File.Exists(path), Is.False);
    }

    [Test]
    public void A_path_that_answers_or_is_no_socket_is_left_alone()
    {
        using TempFolder folder = new();
        using ProxyUpstreamServer taken = new ProxyUpstreamServer(new UnixDomainSocketEndPoint(folder.File("taken"))).Answering("!");
        string file = folder.Write("file", "precious"u8);
        foreach (EndPoint address in (EndPoint[])[taken.Address, new UnixDomainSocketEndPoint(file)])
        {
            ProxyPlan plan = ProxyRig.Plan(ProxyRig.One, taken.Address);
            int status = ProxyRig.Backend(backend).Open(
                plan with { Listeners = [plan.Listeners[0], new ProxyListener { Address = address }] }, out IProxy? proxy, out ProxyFault fault);
            Assert.That((status, fault), Is.EqualTo((StatusCode.AddressInUse, new ProxyFault(ProxyPart.Listener, 1))));
            Assert.That(proxy, Is.Null);
        }

        Assert.That(File.ReadAllText(file), Is.EqualTo("precious"));
        using Socket client = ProxyPeer.Connect(taken.Address);
        client.Say("?");
        client.Expect("!");
    }

    [Test]
    public void An_abstract_name_needs_no_path()
    {
        string name = $"\0coreio-test-{Environment.ProcessId}-{TestContext.CurrentContext.Test.ID}";
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = Listening(name, upstream.Address);
        using Socket client = ProxyPeer.Connect(new UnixDomainSocketEndPoint(name));
        using Socket server = upstream.Accept();
        client.Reaches(server);
        server.Reaches(client);
    }

    [Test]
    public void IPv6_on_both_sides()
    {
        NeedIPv6();
        using ProxyUpstreamServer upstream = new(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        ProxyPlan plan = ProxyRig.Plan(ProxyRig.One, upstream.Address);
        using ProxyRig rig = new(backend, plan with
        {
            Listeners = [new ProxyListener { Address = new IPEndPoint(IPAddress.IPv6Loopback, 0) }],
            Upstreams = [plan.Upstreams[0] with { Header = ProxyHeader.V1 }],
        });
        string from;
        using (Socket client = rig.Client())
        using (Socket server = upstream.Accept())
        {
            from = client.LocalEndPoint!.ToString()!;
            server.Expect($"PROXY TCP6 ::1 ::1 {client.LocalEndPoint!.Port()} {rig.Front.Port()}\r\n");
            client.Reaches(server);
        }

        ProxyRecord record = rig.Record();
        Assert.That((record.SourceText(), record.SourceFamily), Is.EqualTo((from, (ushort)10)));
    }

    [Test]
    public void A_socket_of_IPv6_takes_IPv4_too_unless_told_otherwise([Values] bool only)
    {
        NeedIPv6();
        using ProxyUpstreamServer upstream = new ProxyUpstreamServer().Answering("!");
        ProxyPlan plan = ProxyRig.Plan(ProxyRig.One, upstream.Address);
        using ProxyRig rig = new(backend,
            plan with { Listeners = [new ProxyListener { Address = new IPEndPoint(IPAddress.IPv6Any, 0), V6Only = only }] });
        IPEndPoint four = new(IPAddress.Loopback, rig.Front.Port());
        IPEndPoint six = new(IPAddress.IPv6Loopback, rig.Front.Port());
        using (Socket client = ProxyPeer.Connect(six))
        {
            client.Say("?");
            client.Expect("!");
        }

        Assert.That(rig.Record().SourceFamily, Is.EqualTo(10));
        Assert.That(ProxyPeer.Refuses(four), Is.EqualTo(only));
        if (!only)
        {
            // What comes as ::ffff:127.0.0.1 is told as what it is.
            ProxyRecord record = rig.Record();
            Assert.That((record.SourceFamily, record.SourceText()![..10]), Is.EqualTo(((ushort)2, "127.0.0.1:")));
        }
    }

    [Test]
    public void A_port_is_free_at_once_after_a_stop()
    {
        using ProxyUpstreamServer upstream = new ProxyUpstreamServer().Answering("!");
        EndPoint front = ProxyRig.Loopback;
        for (int i = 0; i < 5; i++)
        {
            ProxyPlan plan = ProxyRig.Plan(ProxyRig.One with { Workers = 2 }, upstream.Address);
            using ProxyRig rig = new(backend, plan with { Listeners = [new ProxyListener { Address = front }] });
            front = rig.Front;
            using Socket client = rig.Client();
            client.Say("?");
            // The proxy closes first, so that what waits for late segments is on its side.
            client.Expect("!");
            client.ExpectEnd();
        }

        ProxyRig.Until(() => ProxyPeer.Refuses(front), "nobody listens");
    }

    private static void NeedIPv6()
    {
        if (!Socket.OSSupportsIPv6 || !File.ReadLines("/proc/net/if_inet6").Any())
        {
            Assert.Ignore("this machine has no IPv6");
        }
    }

    private ProxyRig Listening(string path, EndPoint upstream, ProxyOptions? options = null) => new(backend,
        ProxyRig.Plan(options ?? ProxyRig.One, upstream) with { Listeners = [new ProxyListener { Address = new UnixDomainSocketEndPoint(path) }] });
}
