// The PROXY protocol, both ways: proxy-protocol.txt, 2020/03/05.
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using CoreIO.Proxy;

namespace CoreIO.Tests.Proxy;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class ProxyHeaderTests(string backend)
{
    private const string Signature = "0D0A0D0A000D0A515549540A";
    private const string Four = "C0000201" + "C6336402" + "DC04" + "01BB";
    private const string Six = "20010DB8000000000000000000000001" + "20010DB8000000000000000000000002" + "0001" + "FFFF";

    // Header, and the source and target it tells; none where it tells nothing.
    private static readonly (string Header, string? Source, string? Target)[] Good =
    [
        (Line("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n"), "192.0.2.1:56324", "198.51.100.2:443"),
        (Line("PROXY TCP4 255.255.255.255 0.0.0.0 65535 0\r\n"), "255.255.255.255:65535", "0.0.0.0:0"),
        (Line("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n"), "[2001:db8::1]:1", "[2001:db8::2]:65535"),
        (Line("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe 65535 65535\r\n"),
            "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe]:65535"),
        (Line("PROXY UNKNOWN\r\n"), null, null),
        (Line("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n"), null, null),
        (Line("PROXY UNKNOWN".PadRight(105) + "\r\n"), null, null),
        (Signature + "2111" + "000C" + Four, "192.0.2.1:56324", "198.51.100.2:443"),
        (Signature + "2121" + "0024" + Six, "[2001:db8::1]:1", "[2001:db8::2]:65535"),
        // TLVs behind the addresses: ALPN h2 and one of a kind that nobody knows.
        (Signature + "2111" + "0015" + Four + "0100026832" + "EE000101", "192.0.2.1:56324", "198.51.100.2:443"),
        (Signature + "2111" + "03F4" + Four + "EE03E5" + Zeros(997), "192.0.2.1:56324", "198.51.100.2:443"),
        // LOCAL, whatever follows; UNSPEC; the addresses of unix sockets.
        (Signature + "2000" + "0000", null, null),
        (Signature + "2011" + "000C" + Four, null, null),
        (Signature + "20FF" + "0003" + "010203", null, null),
        (Signature + "2100" + "0000", null, null),
        (Signature + "2131" + "00D8" + Zeros(216), null, null),
    ];

    private static readonly string[] Bad =
    [
        Line("GET / HTTP/1.1\r\n"),
        Line("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\n"),
        Line("PROXY TCP4 192.0.2.1 198.51.100.2 56324\r\n"),
        Line("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 1\r\n"),
        Line("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 \r\n"),
        Line("PROXY TCP4  192.0.2.1 198.51.100.2 56324 443\r\n"),
        Line("PROXY TCP4 192.0.2.1 198.51.100.2 056324 443\r\n"),
        Line("PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n"),
        Line("PROXY TCP4 192.0.2.1 198.51.100.2 -1 443\r\n"),
        Line("PROXY TCP4 192.0.2.256 198.51.100.2 1 443\r\n"),
        Line("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n"),
        Line("PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n"),
        Line("PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n"),
        Line("PROXY TCP4 192.0.2.1\0 198.51.100.2 1 2\r\n"),
        Line("PROXY\r\n"),
        Line("proxy TCP4 192.0.2.1 198.51.100.2 1 2\r\n"),
        Line("PROXY UNKNOWN".PadRight(106) + "\r\n"),
        Line("PROXY UNKNOWN".PadRight(500)),
        "0D0A0D0A000D0A515549540B" + "2111" + "000C" + Four,
        Signature + "1111" + "000C" + Four,
        Signature + "2211" + "000C" + Four,
        Signature + "2111" + "000B" + Four,
        Signature + "2121" + "000C" + Four,
        Signature + "2141" + "000C" + Four,
        // Longer than anybody needs: it would have to be held.
        Signature + "2111" + "FFFF" + Four,
    ];

    [Test]
    public void A_header_says_where_a_client_comes_from()
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = Behind(upstream);
        foreach ((string header, string? source, string? target) in Good)
        {
            using Socket client = rig.Client();
            // In one piece with what follows, which is all that the upstream sees.
            client.Say([.. Convert.FromHexString(header), .. "GET"u8]);
            string own = client.LocalEndPoint!.ToString()!;
            Tells(rig, upstream, client, header, source ?? own, target);
        }
    }

    [Test]
    public void A_header_may_come_byte_by_byte()
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = Behind(upstream);
        foreach ((string header, string? source, string? target) in Good.Where(good => good.Header.Length < 300))
        {
            using Socket client = rig.Client();
            foreach (byte one in Convert.FromHexString(header))
            {
                client.Say([one]);
            }

            client.Say("GET");
            string own = client.LocalEndPoint!.ToString()!;
            Tells(rig, upstream, client, header, source ?? own, target);
        }
    }

    [Test]
    public void A_header_may_be_cut_anywhere()
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = Behind(upstream);
        foreach ((string header, string? source, string? target) in ((string, string?, string?)[])[Good[0], Good[7]])
        {
            byte[] bytes = Convert.FromHexString(header);
            for (int cut = 1; cut < bytes.Length; cut++)
            {
                using Socket client = rig.Client();
                client.Say(bytes.AsSpan(0, cut));
                ProxyRig.Until(() => rig.Counters.Live == 1, "it is accepted");
                client.Say([.. bytes.AsSpan(cut), .. "GET"u8]);
                Tells(rig, upstream, client, header, source!, target);
            }
        }
    }

    [Test]
    public void What_is_no_header_ends_the_connection()
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = Behind(upstream);
        foreach (string header in Bad)
        {
            using Socket client = rig.Client();
            client.Say(Convert.FromHexString(header));
            client.ExpectGone();
            ProxyRecord record = rig.Record();
            Assert.That((record.End, record.Upstream, record.ConnectNs), Is.EqualTo((ProxyEnd.BadHeader, -1, -1L)), Text(header));
        }

        Assert.That(upstream.Waits(), Is.False);
    }

    [Test]
    public void Random_bytes_are_no_header()
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = Behind(upstream);
        Random random = new(5);
        for (int i = 0; i < 200; i++)
        {
            byte[] bytes = new byte[random.Next(20, 200)];
            random.NextBytes(bytes);
            // As far as it is one, so that what comes behind is looked at.
            ReadOnlySpan<byte> begin = i % 2 == 0 ? "PROXY TCP4 "u8 : Convert.FromHexString(Signature + "2111FF");
            begin[..random.Next(begin.Length + 1)].CopyTo(bytes);
            using Socket client = rig.Client();
            client.Say(bytes);
            client.EndSending();
            client.ExpectGone();
            Assert.That(rig.Record().End, Is.EqualTo(ProxyEnd.BadHeader), Convert.ToHexString(bytes));
        }
    }

    [Test]
    public void A_header_that_ends_in_the_middle_is_none()
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = Behind(upstream);
        foreach (string begin in (string[])[Line("PROXY TC"), Signature, Signature + "2111000C"])
        {
            using Socket client = rig.Client();
            client.Say(Convert.FromHexString(begin));
            client.EndSending();
            client.ExpectGone();
            Assert.That(rig.Record().End, Is.EqualTo(ProxyEnd.BadHeader), Text(begin));
        }

        rig.Client().Dispose();
        Assert.That(rig.Record().End, Is.EqualTo(ProxyEnd.ClientGone));
    }

    [Test]
    public void An_upstream_is_told_where_a_client_comes_from([Values(ProxyHeader.V1, ProxyHeader.V2)] ProxyHeader version)
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = Telling(upstream.Address, version, header: false);
        (Socket client, Socket server) = rig.Pair(upstream);
        using (client)
        using (server)
        {
            int from = client.LocalEndPoint!.Port();
            int to = rig.Front.Port();
            server.Expect(Convert.FromHexString(version == ProxyHeader.V1
                ? Line($"PROXY TCP4 127.0.0.1 127.0.0.1 {from} {to}\r\n")
                : Signature + "2111000C" + "7F0000017F000001" + from.ToString("X4", CultureInfo.InvariantCulture)
                    + to.ToString("X4", CultureInfo.InvariantCulture)));
            client.Reaches(server);
            server.Reaches(client);
        }

        // The header is the proxy's own: it is in no figure.
        Assert.That(rig.Record().BytesIn, Is.EqualTo(5));
    }

    [Test]
    public void A_header_is_passed_on_in_the_version_that_is_asked_for()
    {
        string[] lines = [Good[0].Header, Good[2].Header, Line("PROXY UNKNOWN\r\n")];
        string[] binary = [Good[7].Header, Good[8].Header, Signature];
        foreach ((ProxyHeader version, string[] written) in ((ProxyHeader, string[])[])[(ProxyHeader.V1, lines), (ProxyHeader.V2, binary)])
        {
            using ProxyUpstreamServer upstream = new();
            using ProxyRig rig = Telling(upstream.Address, version, header: true);
            for (int i = 0; i < 2; i++)
            {
                foreach (string read in (string[])[lines[i], binary[i]])
                {
                    using Socket client = rig.Client();
                    client.Say([.. Convert.FromHexString(read), .. "GET"u8]);
                    using Socket server = upstream.Accept();
                    server.Expect(Convert.FromHexString(written[i]));
                    server.Expect("GET");
                }
            }
        }
    }

    private static void Tells(ProxyRig rig, ProxyUpstreamServer upstream, Socket client, string header, string source, string? target)
    {
        using (Socket server = upstream.Accept())
        {
            server.Expect("GET");
            server.Reaches(client);
            client.Dispose();
        }

        ProxyRecord record = rig.Record();
        Assert.That(record.SourceText(), Is.EqualTo(source), Text(header));
        Assert.That(record.TargetText(), Is.EqualTo(target), Text(header));
        Assert.That(record.BytesIn, Is.EqualTo(3), Text(header));
    }

    private static string Line(string text) => Convert.ToHexString(Encoding.Latin1.GetBytes(text));

    private static string Text(string header) => Encoding.Latin1.GetString(Convert.FromHexString(header));

    private static string Zeros(int bytes) => new('0', 2 * bytes);

    private ProxyRig Behind(ProxyUpstreamServer upstream) => Telling(upstream.Address, ProxyHeader.None, header: true);

    private ProxyRig Telling(EndPoint upstream, ProxyHeader version, bool header)
    {
        ProxyPlan plan = ProxyRig.Plan(ProxyRig.One, upstream);
        return new ProxyRig(backend, plan with
        {
            Listeners = [plan.Listeners[0] with { Header = header }],
            Upstreams = [plan.Upstreams[0] with { Header = version }],
        });
    }
}

/// <summary>What a record says, as text.</summary>
internal static class ProxyRecordText
{
    public static string? SourceText(this in ProxyRecord record) => Text(record.SourceFamily, record.Source, record.SourcePort);

    public static string? TargetText(this in ProxyRecord record) => Text(record.TargetFamily, record.Target, record.TargetPort);

    private static string? Text(ushort family, ReadOnlySpan<byte> bytes, ushort port) =>
        family == 0 ? null : new IPEndPoint(new IPAddress(bytes[..(family == 2 ? 4 : 16)]), port).ToString();
}
