// Descriptors from one process to another: all of a message or none.
using System.Runtime.InteropServices;
using System.Text;
using CoreIO.Proxy;

namespace CoreIO.Tests.Proxy;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class ProxyPassTests(string backend)
{
    private const int Most = 253;

    private IProxyBackend _proxies = null!;
    private SafeHandle _first = null!;
    private SafeHandle _second = null!;
    private string[] _names = [];

    [SetUp]
    public void Connect()
    {
        _proxies = ProxyRig.Backend(backend);
        (_first, _second) = ProxyLibc.SocketPair();
        _names = [.. new[] { _first, _second }.Select(end => ProxyLibc.NameOf((int)end.DangerousGetHandle()))];
    }

    [TearDown]
    public void NothingIsLeft()
    {
        if (_first is not null)
        {
            _first.Dispose();
            _second.Dispose();
            Assert.That(Open(), Is.Zero);
        }
    }

    [Test]
    public void Descriptors_come_with_their_bytes()
    {
        (int reader, int writer) = ProxyLibc.Pipe();
        _names = [.. _names, ProxyLibc.NameOf(reader)];
        byte[] bytes = new byte[16];
        int[] taken = [-1, -1, -1, -1];
        Assert.That(_proxies.Pass(_first, "two"u8, [reader, writer]), Is.EqualTo(3));
        Assert.That(_proxies.Pass(_first, "none"u8, []), Is.EqualTo(4));
        Assert.That(_proxies.Take(_second, bytes, taken, out int count), Is.EqualTo(3));
        Assert.That((Encoding.ASCII.GetString(bytes, 0, 3), count), Is.EqualTo(("two", 2)));
        Assert.That(taken.Take(2), Is.All.Not.AnyOf(reader, writer), "they are new ones");
        Assert.That(taken.Take(2).Select(ProxyLibc.NameOf), Is.EqualTo((string[])[ProxyLibc.NameOf(reader), ProxyLibc.NameOf(writer)]));
        Assert.That(taken.Take(2).Select(ProxyLibc.IsCloseOnExec), Is.All.True);
        Assert.That(_proxies.Take(_second, bytes, taken.AsSpan(2), out count), Is.EqualTo(4));
        Assert.That(count, Is.Zero);
        Array.ForEach([reader, writer, taken[0], taken[1]], ProxyLibc.Close);
    }

    [Test]
    public void As_many_as_the_kernel_takes_and_no_more()
    {
        int descriptor = (int)_first.DangerousGetHandle();
        int[] taken = new int[Most];
        byte[] bytes = new byte[1];
        Assert.That(_proxies.Pass(_first, "x"u8, Enumerable.Repeat(descriptor, Most + 1).ToArray()), Is.EqualTo(StatusCode.InvalidArgument));
        Assert.That(_proxies.Pass(_first, [], [descriptor]), Is.EqualTo(StatusCode.InvalidArgument), "without a byte");
        Assert.That(_proxies.Pass(_first, "x"u8, Enumerable.Repeat(descriptor, Most).ToArray()), Is.EqualTo(1));
        Assert.That(_proxies.Take(_second, bytes, taken, out int count), Is.EqualTo(1));
        Assert.That(count, Is.EqualTo(Most));
        Assert.That(taken.Distinct().Count(), Is.EqualTo(Most));
        Array.ForEach(taken, ProxyLibc.Close);
    }

    [Test]
    public void When_not_all_fit_none_is_kept([Values(0, 1, 2)] int room)
    {
        int descriptor = (int)_first.DangerousGetHandle();
        Assert.That(Open(), Is.EqualTo(2));
        Assert.That(_proxies.Pass(_first, "x"u8, [descriptor, descriptor, descriptor]), Is.EqualTo(1));
        Assert.That(_proxies.Take(_second, new byte[1], new int[room], out int count), Is.EqualTo(StatusCode.Capacity));
        Assert.That(count, Is.Zero);
        Assert.That(Open(), Is.EqualTo(2));
        // The next message is whole.
        Assert.That(_proxies.Pass(_first, "y"u8, []), Is.EqualTo(1));
        byte[] bytes = new byte[1];
        Assert.That(_proxies.Take(_second, bytes, [], out _), Is.EqualTo(1));
        Assert.That(bytes[0], Is.EqualTo((byte)'y'));
    }

    [Test]
    public void The_end_is_no_bytes_and_a_peer_that_is_gone_is_told()
    {
        _first.Dispose();
        Assert.That(_proxies.Take(_second, new byte[1], new int[1], out int count), Is.Zero);
        Assert.That(count, Is.Zero);
        Assert.That(_proxies.Pass(_second, "x"u8, []), Is.EqualTo(StatusCode.BrokenPipe));
    }

    [Test]
    public void A_descriptor_that_is_none_is_told()
    {
        Assert.That(_proxies.Pass(_first, "x"u8, [-1]), Is.EqualTo(StatusCode.BadDescriptor));
        Assert.That(_proxies.Pass(_first, "y"u8, []), Is.EqualTo(1), "nothing of it was sent");
        byte[] bytes = new byte[4];
        Assert.That(_proxies.Take(_second, bytes, [], out _), Is.EqualTo(1));
        Assert.That(bytes[0], Is.EqualTo((byte)'y'));
    }

    [Test]
    public void A_take_waits_until_something_comes()
    {
        Task<int> taking = Task.Factory.StartNew(
            () => _proxies.Take(_second, new byte[8], [], out _), TaskCreationOptions.LongRunning);
        Assert.That(taking.Wait(100), Is.False);
        Assert.That(_proxies.Pass(_first, "here"u8, []), Is.EqualTo(4));
        Assert.That(taking.Wait(ProxyRig.PatienceMs) ? taking.Result : -1, Is.EqualTo(4));
    }

    // Descriptors of what a test made: the runtime, and what is left of other tests, open and close others meanwhile.
    private int Open() => Directory.GetFileSystemEntries("/proc/self/fd").Count(entry => _names.Contains(new FileInfo(entry).LinkTarget));
}
