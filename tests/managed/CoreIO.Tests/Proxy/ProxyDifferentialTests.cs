// One backend held against the other on random input: what a header or a hello is taken for.
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using CoreIO.Proxy;

namespace CoreIO.Tests.Proxy;

internal sealed class ProxyDifferentialTests
{
    private const int Rounds = 300;

    [SetUp]
    public void Need()
    {
        Backends.NeedBoth();
        Array.ForEach(Backends.Names, name => ProxyRig.Backend(name));
    }

    [Test]
    public void Headers_are_taken_for_the_same()
    {
        string[][] told = [.. Backends.Names.Select(name => Run(name, new ProxyListener { Address = ProxyRig.Loopback, Header = true }, Header))];
        Assert.That(told[1], Is.EqualTo(told[0]));
        Assert.That(told[0].Count(text => text.StartsWith("Done", StringComparison.Ordinal)), Is.InRange(20, Rounds - 20), "of each kind some");
    }

    [Test]
    public void Hellos_are_taken_for_the_same()
    {
        string[][] told = [.. Backends.Names.Select(name => Run(name, new ProxyListener { Address = ProxyRig.Loopback, Names = true }, Hello))];
        Assert.That(told[1], Is.EqualTo(told[0]));
        Assert.That(told[0].Distinct().Count(), Is.GreaterThanOrEqualTo(3));
    }

    // Parts of lines that are right more often than not, and binary ones with some bytes changed.
    private static byte[] Header(Random random)
    {
        if (random.Next(2) == 0)
        {
            string[] words = ["PROXY", Any(random, "TCP4", "TCP6", "TCP4", "UNKNOWN"), Any(random, "192.0.2.1", "192.0.2.1", "2001:db8::1", "1.2.3"),
                Any(random, "198.51.100.2", "198.51.100.2", "::1", "0.0.0.0"), Any(random, "1", "65535", "65536", "01", "x"), Any(random, "0", "443", "")];
            return Encoding.ASCII.GetBytes(string.Join(random.Next(20) == 0 ? "  " : " ", words) + Any(random, "\r\n", "\r\n", "\r\n", "\n"));
        }

        byte[] bytes = Convert.FromHexString("0D0A0D0A000D0A515549540A" + Any(random, "21", "21", "20") + Any(random, "11", "21", "00", "31")
            + "00" + random.Next(10, 50).ToString("X2", CultureInfo.InvariantCulture) + new string('7', 96));
        if (random.Next(3) == 0)
        {
            bytes[random.Next(16)] = (byte)random.Next(256);
        }

        return bytes;
    }

    private static byte[] Hello(Random random)
    {
        byte[] bytes = ClientHello.Of(Any(random, "a.example", "b.example", "x.y.example", ""), record: random.Next(1, 200));
        for (int i = random.Next(3); i > 0; i--)
        {
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        }

        return bytes[..random.Next(bytes.Length / 2, bytes.Length + 1)];
    }

    private static string Any(Random random, params string[] of) => of[random.Next(of.Length)];

    private static string[] Run(string backend, ProxyListener listener, Func<Random, byte[]> make)
    {
        using ProxyUpstreamServer one = new ProxyUpstreamServer().Answering();
        using ProxyUpstreamServer two = new ProxyUpstreamServer().Answering();
        ProxyPlan plan = ProxyRig.Plan(ProxyRig.One, one.Address, two.Address);
        using ProxyRig rig = new(backend, plan with
        {
            Listeners = [listener],
            Upstreams = [plan.Upstreams[0], plan.Upstreams[1] with { Group = 1 }],
            Routes = [new ProxyRoute("a.example", 1), new ProxyRoute("*.y.example", 1)],
        });
        Random random = new(14);
        string[] told = new string[Rounds];
        for (int i = 0; i < Rounds; i++)
        {
            byte[] bytes = make(random);
            using Socket client = rig.Client();
            client.Say(bytes);
            client.EndSending();
            client.ExpectGone();
            client.Dispose();
            ProxyRecord record = rig.Record();
            // The client's own address is another each time.
            string? source = record.TargetText() is null ? null : record.SourceText();
            // An upstream that ends with bytes it has not read resets; who sees that first is a matter of time.
            string end = record.ConnectNs >= 0 ? "Done" : record.End.ToString();
            told[i] = $"{end} {record.Upstream} {source} {record.TargetText()} {Convert.ToHexString(bytes)}";
        }

        return told;
    }
}
