// Addresses as people write them.
using System.Net;
using System.Net.Sockets;
using CoreIO.Proxy;

namespace CoreIO.Tests.Proxy;

internal sealed class ProxyAddressTests
{
    [TestCase("192.0.2.1:80", "192.0.2.1", 80)]
    [TestCase("0.0.0.0:0", "0.0.0.0", 0)]
    [TestCase("255.255.255.255:65535", "255.255.255.255", 65535)]
    [TestCase("[2001:db8::1]:80", "2001:db8::1", 80)]
    [TestCase("[::1]:443", "::1", 443)]
    [TestCase("[::]:1", "::", 1)]
    [TestCase("[::ffff:192.0.2.1]:1", "::ffff:192.0.2.1", 1)]
    public void An_address_and_a_port(string text, string address, int port)
    {
        EndPoint read = ProxyAddress.Parse(text);
        Assert.That(read, Is.EqualTo(new IPEndPoint(IPAddress.Parse(address), port)));
        Assert.That(ProxyAddress.Text(read), Is.EqualTo(text), "it is written as it was read");
    }

    [TestCase(":80")]
    [TestCase("*:80")]
    public void Every_address_of_the_machine(string text)
    {
        IPEndPoint read = (IPEndPoint)ProxyAddress.Parse(text);
        Assert.That(read, Is.EqualTo(new IPEndPoint(Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, 80)));
        Assert.That(ProxyAddress.Parse(ProxyAddress.Text(read)), Is.EqualTo(read));
    }

    [Test]
    public void A_host_is_looked_up()
    {
        IPEndPoint read = (IPEndPoint)ProxyAddress.Parse("localhost:80");
        Assert.That(IPAddress.IsLoopback(read.Address), Is.True);
        Assert.That(read.Port, Is.EqualTo(80));
        Assert.That(() => ProxyAddress.Parse("no-such-host.invalid:80"),
            Throws.TypeOf<FormatException>().With.Message.EqualTo("'no-such-host.invalid:80' is no address: there is no host 'no-such-host.invalid'"));
    }

    [TestCase("unix:/run/proxy.sock")]
    [TestCase("unix:@name")]
    [TestCase("unix:@/name with spaces:80")]
    public void A_unix_socket(string text)
    {
        EndPoint read = ProxyAddress.Parse(text);
        Assert.That(read, Is.TypeOf<UnixDomainSocketEndPoint>());
        Assert.That(ProxyAddress.Text(read), Is.EqualTo(text));
        Assert.That(ProxyAddress.Parse(ProxyAddress.Text(read)), Is.EqualTo(read));
    }

    [Test]
    public void A_path_is_a_whole_one_however_it_is_written()
    {
        Assert.That(ProxyAddress.Text(ProxyAddress.Parse("unix:proxy.sock")),
            Is.EqualTo("unix:" + Path.Combine(Environment.CurrentDirectory, "proxy.sock")));
        string longest = "/" + new string('a', 106);
        Assert.That(ProxyAddress.Text(ProxyAddress.Parse("unix:" + longest)), Is.EqualTo("unix:" + longest));
    }

    [TestCase("")]
    [TestCase("80")]
    [TestCase("192.0.2.1")]
    [TestCase("192.0.2.1:")]
    [TestCase("192.0.2.1:65536")]
    [TestCase("192.0.2.1:-1")]
    [TestCase("192.0.2.1:+1")]
    [TestCase("192.0.2.1: 80")]
    [TestCase("192.0.2.1:0x50")]
    [TestCase("192.0.2.1:http")]
    [TestCase("[::1]")]
    [TestCase("[]:80")]
    public void What_is_no_address_is_shown_what_one_looks_like(string text) =>
        Assert.That(() => ProxyAddress.Parse(text), Throws.TypeOf<FormatException>().With.Message.EqualTo(
            $"'{text}' is no address; write 192.0.2.1:80, [2001:db8::1]:80, :80, example.org:80 or unix:/run/proxy.sock"));

    [TestCase("::1:80", "an IPv6 address stands in brackets, as in [::1]:80")]
    [TestCase("unix:", "a path stands behind unix:, as in unix:/run/proxy.sock")]
    [TestCase("unix:@", "a path stands behind unix:, as in unix:/run/proxy.sock")]
    public void What_is_nearly_one_is_told_what_is_wrong(string text, string message) =>
        Assert.That(() => ProxyAddress.Parse(text), Throws.TypeOf<FormatException>().With.Message.EqualTo($"'{text}' is no address: {message}"));

    [Test]
    public void A_path_that_is_too_long_and_nothing_at_all()
    {
        Assert.That(() => ProxyAddress.Parse("unix:/" + new string('a', 107)), Throws.TypeOf<FormatException>().With.Message.Contains("at most 107 bytes"));
        Assert.That(() => ProxyAddress.Parse(null!), Throws.ArgumentNullException);
    }
}
