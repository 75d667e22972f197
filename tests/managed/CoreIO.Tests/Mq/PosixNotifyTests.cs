// Being told of a message: once, by one process, for a message into an empty queue.
using System.Runtime.InteropServices;
using CoreIO.Mq;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Tests.Mq;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class PosixNotifyTests(string backend)
{
    private static readonly MqWait Soon = new(TimeSpan.FromSeconds(10));

    [Test]
    public void It_is_told_once_and_again_when_armed_again()
    {
        using PosixQueue test = new(backend);
        using PosixQueueNotification notification = test.Queue.Notify();
        Assert.That(notification.Wait(MqWait.None), Is.False);
        test.Queue.Send("1"u8);
        Assert.That(notification.Wait(Soon));
        test.Queue.Receive(test.Buffer, out _);
        test.Queue.Send("2"u8);
        Assert.That(notification.Wait(MqWait.None), Is.True, "it stays told until it is armed");
        notification.Arm();
        test.Queue.Send("3"u8);
        Assert.That(notification.Wait(new MqWait(TimeSpan.FromMilliseconds(20))), Is.False, "the queue was not empty");
        while (test.Queue.TryReceive(test.Buffer, out _, out _))
        {
        }

        test.Queue.Send("4"u8);
        Assert.That(notification.Wait(Soon));
    }

    [Test]
    public void One_may_be_registered_at_a_time()
    {
        using PosixQueue test = new(backend);
        using PosixMessageQueue other = test.Again();
        using (PosixQueueNotification first = test.Queue.Notify())
        {
            foreach (PosixNotifyKind kind in (PosixNotifyKind[])[PosixNotifyKind.Descriptor, PosixNotifyKind.None, PosixNotifyKind.Signal])
            {
                Assert.That(
                    test.Calls.Notify(other.Handle, kind, TestLibc.WindowChanged, 0, out SafeFileHandle? none), Is.EqualTo(StatusCode.Busy));
                Assert.That(none, Is.Null);
            }

            Assert.That(
                () => other.Notify(), Throws.InstanceOf<MessageQueueException>().With.Message.Contains("a process is registered already"));
        }

        using PosixQueueNotification second = other.Notify();
        Assert.That(second.Descriptor, Is.Not.Null);
    }

    [Test]
    public void Nothing_is_told_of_a_registration_without_a_way()
    {
        using PosixQueue test = new(backend);
        using PosixQueueNotification notification = test.Queue.Notify(PosixNotifyKind.None);
        Assert.That(notification.Descriptor, Is.Null);
        Assert.That(() => notification.Wait(), Throws.InstanceOf<InvalidOperationException>());
        Assert.That(test.Calls.Notify(test.Queue.Handle, PosixNotifyKind.None, 0, 0, out _), Is.EqualTo(StatusCode.Busy));
        test.Queue.Send("x"u8);
        Assert.That(test.Calls.Notify(test.Queue.Handle, PosixNotifyKind.None, 0, 0, out _), Is.Zero, "it was told, in a way");
    }

    [Test]
    public void A_signal_comes_with_the_message()
    {
        using ManualResetEventSlim came = new();
        using PosixSignalRegistration registration = PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => came.Set());
        using PosixQueue test = new(backend);
        using PosixQueueNotification notification = test.Queue.Notify(PosixNotifyKind.Signal, TestLibc.WindowChanged, 42);
        Assert.That(came.IsSet, Is.False);
        test.Queue.Send("x"u8);
        Assert.That(came.Wait(TimeSpan.FromSeconds(10)));
    }

    [Test]
    public void Wrong_requests_are_refused()
    {
        using PosixQueue test = new(backend);
        using SafeFileHandle nothing = new(-1, ownsHandle: false);
        using SafeFileHandle far = new(int.MaxValue, ownsHandle: false);
        using SafeFileHandle file = File.OpenHandle("/proc/self/status");
        Assert.Multiple(() =>
        {
            foreach (SafeFileHandle other in (SafeFileHandle[])[nothing, far, file])
            {
                Assert.That(test.Calls.Notify(other, PosixNotifyKind.Descriptor, 0, 0, out _), Is.EqualTo(StatusCode.BadDescriptor));
                Assert.That(test.Calls.Notify(other, PosixNotifyKind.None, 0, 0, out _), Is.EqualTo(StatusCode.BadDescriptor));
            }

            Assert.That(test.Calls.Notify(test.Queue.Handle, (PosixNotifyKind)7, 0, 0, out _), Is.EqualTo(StatusCode.InvalidArgument));
            Assert.That(test.Calls.Notify(test.Queue.Handle, PosixNotifyKind.Signal, 65, 0, out _), Is.EqualTo(StatusCode.InvalidArgument));
            Assert.That(test.Calls.Notify(test.Queue.Handle, PosixNotifyKind.Signal, -1, 0, out _), Is.EqualTo(StatusCode.InvalidArgument));
            Assert.That(() => test.Queue.Notify(PosixNotifyKind.Cancel), Throws.ArgumentException);
        });
    }

    [Test]
    public void Taking_it_back_twice_is_no_error()
    {
        using PosixQueue test = new(backend);
        using PosixQueueNotification notification = test.Queue.Notify();
        Assert.That(test.Calls.Notify(test.Queue.Handle, PosixNotifyKind.Cancel, 0, 0, out _), Is.Zero);
        Assert.That(test.Calls.Notify(test.Queue.Handle, PosixNotifyKind.Cancel, 0, 0, out _), Is.Zero);
        Assert.That(notification.Wait(Soon), "the end of a registration is told, too");
        notification.Arm();
        Assert.That(test.Calls.Notify(test.Queue.Handle, PosixNotifyKind.None, 0, 0, out _), Is.EqualTo(StatusCode.Busy));
    }

    [Test]
    public void Closing_the_queue_ends_the_registration()
    {
        using PosixQueue test = new(backend);
        PosixMessageQueue other = test.Again();
        PosixQueueNotification notification = other.Notify();
        other.Dispose();
        Assert.That(test.Calls.Notify(test.Queue.Handle, PosixNotifyKind.None, 0, 0, out _), Is.Zero);
        Assert.That(notification.Dispose, Throws.Nothing);
        Assert.That(notification.Arm, Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public void A_blocked_receiver_wins_and_the_registration_stays()
    {
        using PosixQueue test = new(backend);
        using PosixQueueNotification notification = test.Queue.Notify();
        using Peer receiver = Peer.Start(backend, ["posix-block-receive", test.Name]);
        receiver.WaitUntilBlocked();
        test.Queue.Send("for the receiver"u8);
        Assert.That(receiver.Lines(), Is.EqualTo((string[])["ok"]));
        Assert.That(notification.Wait(MqWait.None), Is.False);
        test.Queue.Send("for all"u8);
        Assert.That(notification.Wait(Soon));
    }

    [Test]
    public async Task No_message_is_missed_between_being_told_and_asking_again()
    {
        const int Count = 5_000;
        using PosixQueue test = new(backend, messages: 10, size: 16);
        using CancellationTokenSource end = new(TimeSpan.FromSeconds(60));
        Thread sender = new(() =>
        {
            for (int i = 0; i < Count; i++)
            {
                test.Queue.Send(i);
                if (i % 7 == 0)
                {
                    Thread.Yield();
                }
            }
        });
        sender.Start();
        int expected = 0;
        await foreach (QueueMessage message in test.Queue.ReadNotifiedAsync(end.Token))
        {
            Assert.That(MemoryMarshal.Read<int>(message.Bytes.Span), Is.EqualTo(expected));
            if (++expected == Count)
            {
                break;
            }
        }

        sender.Join();
        Assert.That(expected, Is.EqualTo(Count));
        Assert.That(test.Calls.Notify(test.Queue.Handle, PosixNotifyKind.None, 0, 0, out _), Is.Zero, "the registration was taken back");
    }

    [Test]
    public async Task Waiting_for_word_can_be_cancelled()
    {
        using PosixQueue test = new(backend);
        using PosixQueueNotification notification = test.Queue.Notify();
        using CancellationTokenSource source = new();
        ValueTask waiting = notification.WaitAsync(source.Token);
        Assert.That(waiting.IsCompleted, Is.False);
        await source.CancelAsync();
        Assert.That(async () => await waiting, Throws.InstanceOf<OperationCanceledException>());
        test.Queue.Send("x"u8);
        await notification.WaitAsync();
    }
}
