// Routes by the name in the ClientHello, which is read and passed on as it came.
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using CoreIO.Proxy;

namespace CoreIO.Tests.Proxy;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class ProxyNameTests(string backend)
{
    [TestCase("a.example", 1)]
    [TestCase("A.EXAMPLE", 1)]
    [TestCase("b.example", 2)]
    [TestCase("x.y.example", 2)]
    [TestCase("x.deep.example", 3)]
    [TestCase("x.y.Deep.Example", 3)]
    [TestCase("deep.example", 2)]
    [TestCase("example", 0)]
    [TestCase("a.example.org", 0)]
    [TestCase("xa.example2", 0)]
    [TestCase(null, 0)]
    public void A_name_leads_to_its_group(string? name, int group)
    {
        using Routed routed = new(backend);
        using Socket client = routed.Rig.Client();
        routed.Reaches(client, ClientHello.Of(name), group);
    }

    [Test]
    public void A_hello_may_come_byte_by_byte()
    {
        using Routed routed = new(backend);
        using Socket client = routed.Rig.Client();
        byte[] hello = ClientHello.Of("a.example");
        foreach (byte one in hello.AsSpan(0, hello.Length - 1))
        {
            client.Say([one]);
        }

        Assert.That(routed.Servers[1].Waits(30), Is.False, "nobody is connected before the hello is whole");
        routed.Reaches(client, hello, 1, sent: hello.Length - 1);
    }

    [Test]
    public void A_hello_may_be_cut_into_records([Values(1, 2, 7, 60)] int size)
    {
        using Routed routed = new(backend);
        using Socket client = routed.Rig.Client();
        routed.Reaches(client, ClientHello.Of("a.example", record: size), 1);
    }

    [Test]
    public void A_long_hello_is_read_to_the_name([Values] bool padFirst)
    {
        using Routed routed = new(backend);
        using Socket client = routed.Rig.Client();
        routed.Reaches(client, ClientHello.Of("a.example", padding: 9000, padFirst: padFirst), 1);
    }

    [Test]
    public void What_is_no_TLS_goes_where_unknown_names_go()
    {
        using Routed routed = new(backend);
        foreach (byte[] bytes in (byte[][])[Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\n"), [0x16, 0x03, 0x01, 0, 4, 2, 0, 0, 0], [0]])
        {
            using Socket client = routed.Rig.Client();
            routed.Reaches(client, bytes, 0);
        }
    }

    [Test]
    public void A_hello_that_ends_in_the_middle_goes_where_unknown_names_go()
    {
        using Routed routed = new(backend);
        using Socket client = routed.Rig.Client();
        byte[] half = ClientHello.Of("a.example")[..40];
        client.Say(half);
        client.EndSending();
        using Socket server = routed.Servers[0].Accept();
        server.Expect(half);
        server.ExpectEnd();
        server.Reaches(client);
    }

    [Test]
    public async Task A_name_of_a_real_client_leads_to_its_group()
    {
        using Routed routed = new(backend);
        using Socket client = routed.Rig.Client();
        await using NetworkStream stream = new(client);
        await using SslStream tls = new(stream);
        Task handshake = tls.AuthenticateAsClientAsync("x.Deep.example");
        using (Socket server = routed.Servers[3].Accept())
        {
            Assert.That(server.Hear(1)[0], Is.EqualTo(0x16));
        }

        Assert.That(async () => await handshake, Throws.InstanceOf<Exception>());
    }

    [Test]
    public void Without_a_group_for_others_they_have_no_upstream()
    {
        using ProxyUpstreamServer upstream = new();
        ProxyPlan plan = ProxyRig.Plan(ProxyRig.One, upstream.Address);
        using ProxyRig rig = new(backend, plan with
        {
            Listeners = [plan.Listeners[0] with { Names = true }],
            Upstreams = [plan.Upstreams[0] with { Group = 4 }],
            Routes = [new ProxyRoute("a.example", 4)],
        });
        Ends(ClientHello.Of("b.example"), ProxyEnd.NoUpstream);
        Ends(ClientHello.Of(null), ProxyEnd.NoUpstream);
        Ends("GET / HTTP/1.1\r\n"u8, ProxyEnd.BadHeader);
        using Socket client = rig.Client();
        client.Say(ClientHello.Of("a.example"));
        using Socket server = upstream.Accept();
        server.Expect(ClientHello.Of("a.example"));

        void Ends(ReadOnlySpan<byte> bytes, ProxyEnd end)
        {
            using Socket refused = rig.Client();
            refused.Say(bytes);
            refused.ExpectGone();
            ProxyRecord record = rig.Record();
            Assert.That((record.End, record.Upstream, record.ConnectNs), Is.EqualTo((end, -1, -1L)));
        }
    }

    [Test]
    public void A_name_may_stand_behind_a_header()
    {
        using Routed routed = new(backend, header: true);
        using Socket client = routed.Rig.Client();
        client.Say("PROXY TCP4 192.0.2.1 198.51.100.2 5 443\r\n");
        routed.Reaches(client, ClientHello.Of("a.example"), 1);
        client.Dispose();
        Assert.That(routed.Rig.Record().SourceText(), Is.EqualTo("192.0.2.1:5"));
    }

    [Test]
    public void Random_damage_never_loses_a_connection()
    {
        using Routed routed = new(backend);
        Random random = new(12);
        for (int i = 0; i < 100; i++)
        {
            byte[] hello = ClientHello.Of("a.example");
            for (int j = 0; j < 3; j++)
            {
                hello[random.Next(hello.Length)] = (byte)random.Next(256);
            }

            using Socket client = routed.Rig.Client();
            client.Say(hello);
            client.EndSending();
            // To some group, with every byte.
            ProxyUpstreamServer? found = null;
            ProxyRig.Until(() => (found = routed.Servers.FirstOrDefault(server => server.Waits())) is not null, Convert.ToHexString(hello));
            using Socket server = found!.Accept();
            server.Expect(hello);
            server.ExpectEnd();
        }
    }

    /// <summary>A proxy with groups behind names.</summary>
    private sealed class Routed : IDisposable
    {
        public Routed(string backend, bool header = false)
        {
            Servers = [.. Enumerable.Range(0, 4).Select(_ => new ProxyUpstreamServer())];
            ProxyPlan plan = ProxyRig.Plan(ProxyRig.One, Servers.Select(server => server.Address));
            Rig = new ProxyRig(backend, plan with
            {
                Listeners = [plan.Listeners[0] with { Names = true, Header = header }],
                Upstreams = [.. plan.Upstreams.Select((upstream, group) => upstream with { Group = group })],
                Routes = [new ProxyRoute("a.Example", 1), new ProxyRoute("*.example", 2), new ProxyRoute("*.deep.example", 3)],
            });
        }

        public ProxyUpstreamServer[] Servers { get; }

        public ProxyRig Rig { get; }

        /// <summary>Sends bytes, of which some are sent already, and sees all of them come to a group.</summary>
        public void Reaches(Socket client, byte[] bytes, int group, int sent = 0)
        {
            client.Say(bytes.AsSpan(sent));
            using Socket server = Servers[group].Accept();
            server.Expect(bytes);
            server.Reaches(client);
            client.Reaches(server);
            Assert.That(Servers.Any(other => other.Waits()), Is.False);
        }

        public void Dispose()
        {
            Rig.Dispose();
            Array.ForEach(Servers, server => server.Dispose());
        }
    }
}

/// <summary>What a TLS client says first: RFC 8446, section 4.1.2.</summary>
internal static class ClientHello
{
    /// <summary>A hello with a server name or without one, in records of at most so many bytes.</summary>
    public static byte[] Of(string? name, int record = 16384, int padding = 0, bool padFirst = false)
    {
        byte[] host = Encoding.ASCII.GetBytes(name ?? "");
        byte[] names = name is null ? [] : [0, 0, .. Sized([.. Sized([0, .. Sized(host)])])];
        byte[] pad = padding == 0 ? [] : [0, 21, .. Sized(new byte[padding])];
        byte[] versions = [0, 43, .. Sized([2, 3, 4])];
        byte[] extensions = Sized(padFirst ? [.. pad, .. versions, .. names] : [.. versions, .. names, .. pad]);
        byte[] random = new byte[32];
        new Random(32).NextBytes(random);
        byte[] body = [3, 3, .. random, 32, .. random, .. Sized([0x13, 1, 0x13, 2]), 1, 0, .. extensions];
        byte[] message = [1, (byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length, .. body];
        return [.. message.Chunk(record).SelectMany(part => (byte[])[0x16, 3, 1, .. Sized(part)])];
    }

    private static byte[] Sized(byte[] bytes) => [(byte)(bytes.Length >> 8), (byte)bytes.Length, .. bytes];
}
