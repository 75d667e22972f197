// Sizes, priorities, order and refusals of POSIX queues, through the calls of the backend and through the package.
using CoreIO.Mq;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Tests.Mq;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class PosixSendReceiveTests(string backend)
{
    private static readonly MqWait[] Waits = [default, MqWait.None, new(TimeSpan.FromSeconds(5)), new(Spin: TimeSpan.FromMilliseconds(1))];

    [Test]
    public void Messages_of_every_size_and_priority_arrive_as_they_were_sent(
        [Values(0, 1, 17, 255, 256)] int length, [Values(0, 1, 32767)] int priority, [ValueSource(nameof(Waits))] MqWait wait)
    {
        using PosixQueue test = new(backend, size: 256);
        byte[] message = new byte[length];
        new Random(length).NextBytes(message);
        test.Queue.Send(message, priority, wait);
        byte[] buffer = test.Buffer;
        int received = test.Queue.Receive(buffer, out int found, wait);
        Assert.That((received, found), Is.EqualTo((length, priority)));
        Assert.That(buffer[..length], Is.EqualTo(message));
    }

    [Test]
    public void What_does_not_fit_is_refused([ValueSource(nameof(Waits))] MqWait wait)
    {
        using PosixQueue test = new(backend, size: 16);
        SafeFileHandle queue = test.Queue.Handle;
        Assert.Multiple(() =>
        {
            Assert.That(test.Calls.Send(queue, new byte[17], 0, wait), Is.EqualTo(StatusCode.MessageSize));
            Assert.That(test.Calls.Send(queue, new byte[1], 32768, wait), Is.EqualTo(StatusCode.InvalidArgument));
            Assert.That(test.Calls.Send(queue, new byte[1], -1, wait), Is.EqualTo(StatusCode.InvalidArgument));
            Assert.That(test.Queue.Attributes.Messages, Is.Zero);
        });
        test.Queue.Send("ab"u8);
        Assert.Multiple(() =>
        {
            // However short the message, the buffer is to be as long as one may be.
            Assert.That(test.Calls.Receive(queue, new byte[15], out _, wait), Is.EqualTo(StatusCode.MessageSize));
            Assert.That(test.Calls.Receive(queue, [], out _, wait), Is.EqualTo(StatusCode.MessageSize));
            Assert.That(test.Queue.Attributes.Messages, Is.EqualTo(1));
        });
    }

    [Test]
    public void Descriptors_that_are_no_queue_or_not_open_for_it_are_refused([ValueSource(nameof(Waits))] MqWait wait)
    {
        using PosixQueue test = new(backend);
        using PosixMessageQueue sender = test.Again(PosixQueueFlags.Send);
        using PosixMessageQueue receiver = test.Again(PosixQueueFlags.Receive);
        using SafeFileHandle nothing = new(-1, ownsHandle: false);
        using SafeFileHandle far = new(int.MaxValue, ownsHandle: false);
        using SafeFileHandle file = File.OpenHandle("/proc/self/status");
        byte[] buffer = test.Buffer;
        Assert.Multiple(() =>
        {
            foreach (SafeFileHandle other in (SafeFileHandle[])[nothing, far, file])
            {
                Assert.That(test.Calls.Send(other, "x"u8, 0, wait), Is.EqualTo(StatusCode.BadDescriptor));
                Assert.That(test.Calls.Receive(other, buffer, out _, wait), Is.EqualTo(StatusCode.BadDescriptor));
                Assert.That(test.Calls.GetAttributes(other, out _), Is.EqualTo(StatusCode.BadDescriptor));
                Assert.That(test.Calls.SetNonBlocking(other, true), Is.EqualTo(StatusCode.BadDescriptor));
            }

            Assert.That(test.Calls.Receive(sender.Handle, buffer, out _, wait), Is.EqualTo(StatusCode.BadDescriptor));
            Assert.That(test.Calls.Send(receiver.Handle, "x"u8, 0, wait), Is.EqualTo(StatusCode.BadDescriptor));
        });
    }

    [Test]
    public void A_closed_queue_says_so()
    {
        using PosixQueue test = new(backend);
        PosixMessageQueue queue = test.Again();
        queue.Dispose();
        Assert.Multiple(() =>
        {
            Assert.That(() => queue.Send("x"u8), Throws.InstanceOf<ObjectDisposedException>());
            Assert.That(() => queue.TryReceive(test.Buffer, out _, out _), Throws.InstanceOf<ObjectDisposedException>());
            Assert.That(async () => await queue.ReceiveAsync(), Throws.InstanceOf<ObjectDisposedException>());
            Assert.That(queue.Dispose, Throws.Nothing);
        });
    }

    [Test]
    public void Full_and_empty_are_no_waits_on_a_non_blocking_queue()
    {
        using PosixQueue test = new(backend, messages: 2, more: PosixQueueFlags.NonBlocking);
        PosixMessageQueue queue = test.Queue;
        Assert.That(test.Calls.Receive(queue.Handle, test.Buffer, out _, default), Is.EqualTo(StatusCode.Again));
        queue.Send("1"u8);
        queue.Send("2"u8);
        Assert.Multiple(() =>
        {
            Assert.That(test.Calls.Send(queue.Handle, "3"u8, 0, default), Is.EqualTo(StatusCode.Again));
            Assert.That(queue.TrySend("3"u8), Is.False);
            Assert.That(() => queue.Send("3"u8), Throws.InstanceOf<MessageQueueException>().With.Property("ErrnoName").EqualTo("EAGAIN"));
            Assert.That(queue.NonBlocking);
            // A wait that is asked for is a wait.
            Assert.That(
                test.Calls.Send(queue.Handle, "3"u8, 0, new MqWait(TimeSpan.FromMilliseconds(20))), Is.EqualTo(StatusCode.TimedOut));
        });
    }

    [Test]
    public void The_highest_priority_comes_first_and_the_oldest_of_each()
    {
        using PosixQueue test = new(backend, messages: 10);
        int[] priorities = [0, 5, 3, 5, 0, 32767, 3, 1, 32767, 0];
        for (int i = 0; i < priorities.Length; i++)
        {
            test.Queue.Send([(byte)i], priorities[i]);
        }

        byte[] buffer = test.Buffer;
        List<(int, byte)> received = [];
        while (test.Queue.TryReceive(buffer, out int length, out int priority))
        {
            Assert.That(length, Is.EqualTo(1));
            received.Add((priority, buffer[0]));
        }

        Assert.That(received, Is.EqualTo(priorities.Select((p, i) => (p, (byte)i)).OrderByDescending(m => m.p)));
    }

    [Test]
    public void The_default_priority_is_the_lowest()
    {
        using PosixQueue test = new(backend);
        test.Queue.Send("low"u8);
        test.Queue.Send("high"u8, 1);
        byte[] buffer = test.Buffer;
        Assert.That(test.Queue.Receive(buffer, out int priority), Is.EqualTo(4));
        Assert.That(priority, Is.EqualTo(1));
    }

    [Test]
    public void A_batch_is_sent_in_order_and_received_in_pieces()
    {
        using PosixQueue test = new(backend, messages: 10, size: 32);
        byte[] bytes = "onetwothree"u8.ToArray();
        MqMessage[] messages = [new(0, 3, 1), new(3, 3, 7), new(6, 5, 1), new(11, 0, 0)];
        Assert.That(test.Queue.SendMany(bytes, messages), Is.EqualTo(4));
        byte[] into = new byte[32 + 8];
        MqMessage[] found = new MqMessage[10];
        int count = test.Queue.ReceiveMany(into, found);
        // After "two" and "one" there is less than the size of a message left, however short the next is... three of them fit.
        Assert.That(
            found[..count].Select(m => (Text(into, m), m.Type)), Is.EqualTo(new[] { ("two", 7L), ("one", 1L), ("three", 1L) }));
        Assert.That(test.Queue.ReceiveMany(into, found, MqWait.None), Is.EqualTo(1));
        Assert.That(found[0], Is.EqualTo(new MqMessage(0, 0, 0)));
        Assert.That(() => test.Queue.ReceiveMany(into, found, MqWait.None), Throws.InstanceOf<MessageQueueException>());
    }

    [Test]
    public void A_batch_ends_where_the_queue_is_full_or_a_message_is_wrong()
    {
        using PosixQueue test = new(backend, messages: 3, size: 8);
        MqMessage[] five = [.. Enumerable.Repeat(new MqMessage(0, 4, 0), 5)];
        byte[] bytes = new byte[16];
        Assert.Multiple(() =>
        {
            Assert.That(test.Queue.SendMany(bytes, five, MqWait.None), Is.EqualTo(3));
            Assert.That(test.Calls.SendMany(test.Queue.Handle, bytes, five, MqWait.None), Is.EqualTo(StatusCode.Again));
            Assert.That(
                test.Calls.SendMany(test.Queue.Handle, bytes, five, new MqWait(TimeSpan.FromMilliseconds(10))), Is.EqualTo(StatusCode.TimedOut));
            Assert.That(test.Queue.ReceiveMany(new byte[12], new MqMessage[5]), Is.EqualTo(2));
            Assert.That(test.Queue.SendMany(bytes, [new(0, 1, 0), new(0, 9, 0)]), Is.EqualTo(1));
            Assert.That(test.Calls.SendMany(test.Queue.Handle, bytes, [new(0, 9, 0)], default), Is.EqualTo(StatusCode.MessageSize));
            Assert.That(test.Calls.SendMany(test.Queue.Handle, bytes, [new(0, 1, 32768)], default), Is.EqualTo(StatusCode.InvalidArgument));
            Assert.That(test.Calls.SendMany(test.Queue.Handle, bytes, [], default), Is.Zero);
        });
    }

    [TestCase(-1, 1)]
    [TestCase(0, -1)]
    [TestCase(16, 1)]
    [TestCase(10, 7)]
    [TestCase(long.MaxValue, 1)]
    [TestCase(1, long.MaxValue)]
    public void A_batch_never_reaches_outside_of_its_bytes(long offset, long length)
    {
        using PosixQueue test = new(backend);
        Assert.That(
            test.Calls.SendMany(test.Queue.Handle, new byte[16], [new(0, 1, 0), new(offset, length, 0)], default),
            Is.EqualTo(StatusCode.InvalidArgument));
        Assert.That(test.Queue.Attributes.Messages, Is.Zero);
    }

    [Test]
    public void A_batch_needs_room_for_a_message()
    {
        using PosixQueue test = new(backend, size: 8);
        test.Queue.Send("x"u8);
        Assert.Multiple(() =>
        {
            Assert.That(test.Calls.ReceiveMany(test.Queue.Handle, new byte[7], 8, new MqMessage[1], default), Is.EqualTo(StatusCode.MessageSize));
            Assert.That(test.Calls.ReceiveMany(test.Queue.Handle, [], 8, new MqMessage[1], default), Is.EqualTo(StatusCode.MessageSize));
            Assert.That(test.Calls.ReceiveMany(test.Queue.Handle, new byte[8], 8, [], default), Is.EqualTo(StatusCode.InvalidArgument));
            Assert.That(test.Calls.ReceiveMany(test.Queue.Handle, new byte[8], 8, new MqMessage[1], default), Is.EqualTo(1));
        });
    }

    [Test]
    public void Values_travel_as_their_bytes()
    {
        using PosixQueue test = new(backend);
        MqMessage sent = new(1, 2, 3);
        test.Queue.Send(sent, 4);
        Assert.That(test.Queue.Receive<MqMessage>(out int priority), Is.EqualTo(sent));
        Assert.That(priority, Is.EqualTo(4));
        test.Queue.Send("short"u8);
        Assert.That(
            () => test.Queue.Receive<MqMessage>(),
            Throws.InstanceOf<MessageQueueException>().With.Message.Contains("the message has 5 bytes, the value has 24"));
        Assert.That(test.Queue.Attributes.Messages, Is.Zero);
    }

    [Test]
    public void Text_and_any_bytes_arrive_unchanged()
    {
        using PosixQueue test = new(backend, size: 300);
        byte[][] messages = ["Größe 漢字 🙂"u8.ToArray(), new byte[100], [.. Enumerable.Range(0, 256).Select(b => (byte)b)]];
        byte[] buffer = test.Buffer;
        foreach (byte[] message in messages)
        {
            test.Queue.Send(message);
            Assert.That(buffer[..test.Queue.Receive(buffer, out _)], Is.EqualTo(message));
        }
    }

    private static string Text(byte[] bytes, MqMessage message) =>
        System.Text.Encoding.UTF8.GetString(bytes, (int)message.Offset, (int)message.Length);
}
