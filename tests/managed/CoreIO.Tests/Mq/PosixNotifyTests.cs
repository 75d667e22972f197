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
    public void What_ended_a_registration_is_told()
    {
        using PosixQueue test = new(backend);
        using PosixQueueNotification notification = test.Queue.Notify();
        Assert.That(notification.End, Is.EqualTo(PosixNotifyEnd.None));
        test.Queue.Send("1"u8);
        Assert.That(notification.Wait(Soon));
        Assert.That(notification.End, Is.EqualTo(PosixNotifyEnd.Message));
        Assert.That(notification.Wait(MqWait.None), Is.True, "nothing was taken");
        test.Queue.Receive(test.Buffer, out _);
        notification.Arm();
        Assert.That(notification.End, Is.EqualTo(PosixNotifyEnd.None));
        test.Again().Dispose();
        Assert.That(notification.Wait(Soon));
        Assert.That(notification.End, Is.EqualTo(PosixNotifyEnd.Withdrawn));
        notification.Arm();
        using PosixQueueNotification silent = Silent();
        Assert.That(silent.End, Is.EqualTo(PosixNotifyEnd.None));

        PosixQueueNotification Silent()
        {
            notification.Dispose();
            return test.Queue.Notify(PosixNotifyKind.None);
        }
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

    [TestCase(PosixNotifyKind.Descriptor, PosixQueueFlags.SendReceive)]
    [TestCase(PosixNotifyKind.Descriptor, PosixQueueFlags.Send)]
    [TestCase(PosixNotifyKind.None, PosixQueueFlags.Receive)]
    [TestCase(PosixNotifyKind.Signal, PosixQueueFlags.Receive)]
    [TestCase(PosixNotifyKind.Signal, PosixQueueFlags.Send)]
    public void A_listing_ends_no_registration_of_its_process(PosixNotifyKind kind, PosixQueueFlags flags)
    {
        ICoreBackend core = Backends.Get(backend);
        using PosixQueue test = new(backend, messages: 3, size: 50);
        using PosixMessageQueue asking = test.Again(flags);
        using PosixQueueNotification notification = asking.Notify(kind, kind == PosixNotifyKind.Signal ? TestLibc.WindowChanged : 0);
        PosixQueueListing listing = PosixQueues.List(core);
        AssertRegistered(test);
        _ = MqLimits.Read(core);
        AssertRegistered(test);
        PosixQueueEntry found = PosixQueues.Find(test.Name, core)!;
        AssertRegistered(test);
        Assert.That(listing.Queues.Single(queue => queue.Name == test.Name), Is.EqualTo(found));
        bool readable = flags != PosixQueueFlags.Send;
        Assert.Multiple(() =>
        {
            Assert.That((found.Messages, found.MaxMessages, found.MessageSize), Is.EqualTo((0L, 3L, 50L)));
            Assert.That(found.Uid, Is.Not.Null);
            Assert.That(found.Mode, Is.EqualTo(Unique.FromOctal("600")));
            Assert.That(found.NotifyProcess, Is.EqualTo(Environment.ProcessId));
            Assert.That(found.NotifySignal, Is.EqualTo(kind == PosixNotifyKind.Signal ? TestLibc.WindowChanged : 0));
            Assert.That(found.Bytes, Is.EqualTo(readable ? 0L : null));
            Assert.That(found.Gap, Is.EqualTo(readable ? PosixQueueGap.None : PosixQueueGap.OwnNotification));
        });
        notification.Dispose();
        found = PosixQueues.Find(test.Name, core)!;
        Assert.That((found.Bytes, found.NotifyProcess, found.Gap), Is.EqualTo((0L, 0, PosixQueueGap.None)));
    }

    [Test]
    public void A_listing_without_the_file_system_ends_no_registration_either()
    {
        _ = Backends.Get(backend);
        Peer.NeedRoot();
        Peer.NeedTool("setpriv");
        string[] lines = Peer.Run(backend, ["posix-notify-list", Unique.Name()], Peer.NoMounting);
        Assert.That(lines, Is.EqualTo((string[])["seen 3 50", "told"]));
    }

    [Test]
    public void A_queue_that_took_the_name_of_one_with_a_registration_is_looked_at()
    {
        ICoreBackend core = Backends.Get(backend);
        using PosixQueue old = new(backend);
        using PosixQueueNotification notification = old.Queue.Notify();
        PosixMessageQueue.Unlink(old.Name, core);
        using PosixMessageQueue queue = PosixMessageQueue.Create(old.Name, new PosixQueueOptions { MaxMessages = 2, MessageSize = 9 }, core);
        Assert.That(PosixQueues.Find(old.Name, core)!.MessageSize, Is.EqualTo(9));
        AssertRegistered(old);
    }

    [Test]
    public void Listings_meanwhile_never_end_a_registration()
    {
        ICoreBackend core = Backends.Get(backend);
        using PosixQueue test = new(backend);
        using CancellationTokenSource end = new();
        Thread lister = new(() =>
        {
            while (!end.IsCancellationRequested)
            {
                _ = PosixQueues.List(core);
                _ = PosixQueues.Find(test.Name, core);
            }
        });
        lister.Start();
        try
        {
            for (int i = 0; i < 300; i++)
            {
                using PosixQueueNotification notification = test.Queue.Notify(PosixNotifyKind.None);
                Thread.SpinWait(i * 20);
                AssertRegistered(test);
            }
        }
        finally
        {
            end.Cancel();
            lister.Join();
        }
    }

    [Test]
    public void What_a_notification_takes_back_is_its_own(
        [Values(PosixNotifyKind.Signal, PosixNotifyKind.None, PosixNotifyKind.Descriptor)] PosixNotifyKind kind)
    {
        using PosixQueue test = new(backend);
        using PosixMessageQueue other = test.Again();
        PosixQueueNotification first = test.Queue.Notify(kind, kind == PosixNotifyKind.Signal ? TestLibc.WindowChanged : 0);
        test.Queue.Send("told"u8);
        test.Queue.Receive(test.Buffer, out _);
        PosixQueueNotification second = other.Notify(PosixNotifyKind.None);
        first.Dispose();
        AssertRegistered(test);
        second.Dispose();
        Assert.That(test.Calls.Notify(test.Queue.Handle, PosixNotifyKind.None, 0, 0, out _), Is.Zero, "it was taken back");
    }

    [Test]
    public void A_registration_behind_one_that_closing_has_ended_is_kept()
    {
        using PosixQueue test = new(backend);
        PosixMessageQueue other = test.Again();
        PosixQueueNotification first = other.Notify(PosixNotifyKind.None);
        test.Again().Dispose();
        using PosixQueueNotification second = test.Queue.Notify(PosixNotifyKind.None);
        first.Dispose();
        AssertRegistered(test);
        other.Dispose();
    }

    // Asking again is refused while there is one.
    private static void AssertRegistered(PosixQueue test) => Assert.That(
        test.Calls.Notify(test.Queue.Handle, PosixNotifyKind.None, 0, 0, out _), Is.EqualTo(StatusCode.Busy), "the registration is gone");
}
