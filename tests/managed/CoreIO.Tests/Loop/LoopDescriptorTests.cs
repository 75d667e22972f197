// Every kind of descriptor that epoll takes: quiet, then ready, and told once for each.
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using CoreIO.Loop;
using CoreIO.Tests.Mq;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Tests.Loop;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class LoopDescriptorTests(string backend)
{
    private const LoopInterest Read = LoopInterest.Read;

    private TestLoop _loop = null!;

    [SetUp]
    public void Make() => _loop = new TestLoop(backend);

    [TearDown]
    public void End() => _loop?.Dispose();

    [Test]
    public void An_event_descriptor()
    {
        using SafeFileHandle descriptor = LoopLibc.Event(readable: false);
        long id = _loop.Add(descriptor, Read | LoopInterest.Write, 5);
        Assert.That(_loop.Ready(), Is.EqualTo(LoopInterest.Write));
        _loop.Modify(id, Read);
        AssertTurnsReady(id, () => LoopLibc.Set(descriptor));
    }

    [Test]
    public void A_pipe()
    {
        (SafeFileHandle reader, SafeFileHandle writer) = LoopLibc.Pipe();
        using (reader)
        using (writer)
        {
            AssertTurnsReady(_loop.Add(reader, Read), () => LoopLibc.Send(writer, 1));
            Assert.That(LoopLibc.Receive(reader), Is.EqualTo(1));
            writer.Dispose();
            Assert.That(_loop.Ready(), Is.EqualTo(LoopInterest.HangUp));
        }
    }

    [Test]
    public void A_listening_and_a_connected_socket()
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        long id = _loop.Add(listener.SafeHandle, Read);
        AssertTurnsReady(id, () => client.Connect(listener.LocalEndPoint!));
        using Socket server = listener.Accept();
        AssertTurnsReady(_loop.Add(client.SafeHandle, Read), () => server.Send("hello"u8));
    }

    [Test]
    public void A_timer_descriptor()
    {
        using SafeFileHandle timer = LoopLibc.Timer(20);
        AssertTurnsReady(_loop.Add(timer, Read), () => { });
    }

    [Test]
    public void An_inotify_descriptor()
    {
        using TempFolder folder = new();
        using SafeFileHandle inotify = LoopLibc.Inotify(folder.Path);
        AssertTurnsReady(_loop.Add(inotify, Read), () => folder.Write("new", []));
    }

    [Test]
    public void The_master_of_a_terminal()
    {
        (SafeFileHandle master, SafeFileHandle slave) = LoopLibc.Terminal();
        using (master)
        using (slave)
        {
            AssertTurnsReady(_loop.Add(master, Read), () => LoopLibc.Send(slave, 1));
            Assert.That(LoopLibc.Receive(master), Is.Positive);
            slave.Dispose();
            Assert.That(_loop.Ready(TestLoop.Second) & LoopInterest.HangUp, Is.EqualTo(LoopInterest.HangUp));
        }
    }

    [Test]
    public void A_POSIX_queue()
    {
        using PosixQueue test = new(backend, messages: 2);
        long id = _loop.Add(test.Queue.Handle, Read);
        AssertTurnsReady(id, () => test.Queue.Send("x"u8));
        test.Fill();
        _loop.Modify(id, LoopInterest.Write);
        AssertTurnsReady(id, () => test.Queue.Receive(test.Buffer, out _), LoopInterest.Write);
    }

    [Test]
    public void A_process()
    {
        using Process process = Process.Start(new ProcessStartInfo("cat") { RedirectStandardInput = true })!;
        using SafeFileHandle descriptor = LoopLibc.PidDescriptor(process.Id);
        long id = _loop.Add(descriptor, Read);
        Assert.That(_loop.Wait().Select(e => e.Id), Has.No.Member(id));
        process.StandardInput.Close();
        // The runtime waits for it, too; where it was first, the descriptor has hung up by now.
        LoopEvent e = _loop.One(10 * TestLoop.Second);
        Assert.That((e.Id, e.Kind, e.Ready & ~LoopInterest.HangUp), Is.EqualTo((id, LoopEventKind.Descriptor, Read)));
        Assert.That(process.WaitForExit(10_000));
    }

    private void AssertTurnsReady(long id, Action action, LoopInterest ready = Read)
    {
        Assert.That(_loop.Wait().Select(e => e.Id), Has.No.Member(id));
        action();
        LoopEvent e = _loop.Wait(10 * TestLoop.Second).Single(e => e.Id == id);
        Assert.That((e.Kind, e.Ready), Is.EqualTo((LoopEventKind.Descriptor, ready)));
    }
}
