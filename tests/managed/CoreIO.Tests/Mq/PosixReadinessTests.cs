// A POSIX queue in an event loop.
using CoreIO.Mq;
using CoreIO.Mq.Peer;

namespace CoreIO.Tests.Mq;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class PosixReadinessTests(string backend)
{
    [Test]
    public void Empty_can_be_written_full_can_be_read_and_both_between()
    {
        using PosixQueue test = new(backend, messages: 2);
        using TestLibc.Epoll epoll = new(test.Queue.Handle, TestLibc.In | TestLibc.Out);
        byte[] buffer = test.Buffer;
        Assert.That(epoll.Ready(), Is.EqualTo(TestLibc.Out));
        test.Queue.Send("1"u8);
        Assert.That(epoll.Ready(), Is.EqualTo(TestLibc.In | TestLibc.Out));
        test.Queue.Send("2"u8);
        Assert.That(epoll.Ready(), Is.EqualTo(TestLibc.In));
        test.Queue.Receive(buffer, out _);
        Assert.That(epoll.Ready(), Is.EqualTo(TestLibc.In | TestLibc.Out));
        test.Queue.Receive(buffer, out _);
        Assert.That(epoll.Ready(), Is.EqualTo(TestLibc.Out));
    }

    [Test]
    public void Each_send_is_an_edge()
    {
        using PosixQueue test = new(backend);
        using TestLibc.Epoll epoll = new(test.Queue.Handle, TestLibc.In | TestLibc.EdgeTriggered);
        for (int i = 0; i < 3; i++)
        {
            Assert.That(epoll.Ready(), Is.Zero);
            test.Queue.Send("x"u8);
            Assert.That(epoll.Ready() & TestLibc.In, Is.EqualTo(TestLibc.In));
        }
    }

    // Four senders and four receivers that wait by poll(2): a wake that was lost would leave all of them waiting.
    [Test]
    [CancelAfter(120_000)]
    public void No_wake_is_lost_among_many_senders_and_receivers()
    {
        const int Peers = 4;
        const int Each = 10_000;
        using PosixQueue test = new(backend, messages: 10, size: 64);
        PosixMessageQueue queue = test.Queue;
        CancellationToken late = TestContext.CurrentContext.CancellationToken;
        int left = Peers * Each;
        int[] next = new int[Peers * Peers];
        List<Exception> faults = [];
        Thread[] threads =
        [
            .. Enumerable.Range(0, Peers).Select(sender => new Thread(() => Catch(() =>
            {
                Span<byte> message = stackalloc byte[Payload.Least];
                for (int i = 0; i < Each; i++)
                {
                    late.ThrowIfCancellationRequested();
                    Payload.Write(message, sender, i);
                    Assert.That(queue.TrySend(message, 0, new MqWait(TimeSpan.FromSeconds(60))));
                }
            }))),
            .. Enumerable.Range(0, Peers).Select(receiver => new Thread(() => Catch(() =>
            {
                Span<byte> buffer = stackalloc byte[64];
                while (Interlocked.Decrement(ref left) >= 0)
                {
                    late.ThrowIfCancellationRequested();
                    Assert.That(queue.TryReceive(buffer, out int length, out _, new MqWait(TimeSpan.FromSeconds(60))));
                    (int sender, int sequence) = Payload.Read(buffer[..length]);
                    // Of one sender each receiver sees a growing sequence.
                    ref int least = ref next[(receiver * Peers) + sender];
                    Assert.That(sequence, Is.GreaterThanOrEqualTo(least));
                    least = sequence + 1;
                }
            }))),
        ];
        Array.ForEach(threads, t => t.Start());
        Array.ForEach(threads, t => t.Join());
        Assert.That(faults, Is.Empty);
        Assert.That(queue.Attributes.Messages, Is.Zero);

        void Catch(Action action)
        {
            try
            {
                action();
            }
            catch (Exception e)
            {
                lock (faults)
                {
                    faults.Add(e);
                }
            }
        }
    }
}
