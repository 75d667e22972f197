// Keys, messages, types and flags of System V queues, through the calls of the backend and through the package.
using System.Runtime.InteropServices;
using CoreIO.Mq;

namespace CoreIO.Tests.Mq;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class SysVQueueTests(string backend)
{
    private static readonly MqWait[] Waits = [default, MqWait.None, new(TimeSpan.FromSeconds(5)), new(Spin: TimeSpan.FromMilliseconds(1))];
    private ICoreBackend _backend = null!;
    private ISysVQueues _calls = null!;

    [OneTimeSetUp]
    public void TakeBackend()
    {
        _backend = Backends.Get(backend);
        _calls = _backend.Mq.SysV;
    }

    [Test]
    public void A_key_has_one_queue()
    {
        int key = Unique.Key();
        Assert.That(_calls.Get(key, SysVQueueFlags.None, 0), Is.EqualTo(StatusCode.NoEntry));
        Assert.That(_calls.Get(key, SysVQueueFlags.Exclusive, 0), Is.EqualTo(StatusCode.NoEntry));
        SysVMessageQueue queue = SysVMessageQueue.Create(key, backend: _backend);
        try
        {
            Assert.Multiple(() =>
            {
                Assert.That(_calls.Get(key, SysVQueueFlags.Create | SysVQueueFlags.Exclusive, 0x180), Is.EqualTo(StatusCode.Exists));
                Assert.That(SysVMessageQueue.Open(key, backend: _backend).Id, Is.EqualTo(queue.Id));
                Assert.That(SysVMessageQueue.OpenOrCreate(key, backend: _backend).Id, Is.EqualTo(queue.Id));
                Assert.That(SysVMessageQueue.FromId(queue.Id, _backend).Key, Is.EqualTo(key));
                Assert.That(Unique.Octal(queue.Status.Mode), Is.EqualTo("0600"));
                Assert.That(
                    () => SysVMessageQueue.Open(key, 65533, _backend),
                    Throws.InstanceOf<MessageQueueException>().With.Message.Contains("user 65533 was expected"));
                Assert.That(
                    () => SysVMessageQueue.OpenOrCreate(key, expectedOwner: 65533, backend: _backend),
                    Throws.InstanceOf<MessageQueueException>().With.Message.Contains("user 65533 was expected"));
                uint user = queue.Status.Uid;
                Assert.That(SysVMessageQueue.OpenOrCreate(key, expectedOwner: user, backend: _backend).Id, Is.EqualTo(queue.Id));
            });
        }
        finally
        {
            queue.Remove();
        }
    }

    [Test]
    public void Private_queues_are_always_new()
    {
        using SysVQueue first = new(backend);
        using SysVQueue second = new(backend);
        Assert.That(first.Id, Is.Not.EqualTo(second.Id));
        Assert.That(first.Queue.Status.Key, Is.Zero);
        Assert.That(() => SysVMessageQueue.Open(0, null, _backend), Throws.ArgumentException);
        Assert.That(() => SysVMessageQueue.OpenOrCreate(0, backend: _backend), Throws.ArgumentException);
        Assert.That(() => SysVMessageQueue.Create(0, backend: _backend), Throws.ArgumentException);
    }

    [Test]
    public void A_file_has_a_key_for_each_of_256_projects()
    {
        using TempFolder folder = new();
        string file = folder.Write("key", []);
        int key = SysVMessageQueue.KeyOf(file, 1, _backend);
        Assert.Multiple(() =>
        {
            Assert.That(SysVMessageQueue.KeyOf(file, 257, _backend), Is.EqualTo(key), "eight bits count");
            Assert.That((uint)key >> 24, Is.EqualTo(1));
            Assert.That(SysVMessageQueue.KeyOf(file, 2, _backend), Is.Not.EqualTo(key));
            Assert.That(SysVMessageQueue.KeyOf(folder.Path, 1, _backend), Is.Not.EqualTo(key));
            Assert.That(_calls.Key(folder.File("none"), 1, out int none), Is.EqualTo(StatusCode.NoEntry));
            Assert.That(none, Is.Zero);
            Assert.That(_calls.Key(file + "/x", 1, out _), Is.EqualTo(StatusCode.NotADirectory));
            Assert.That(_calls.Key("a\0b", 1, out _), Is.EqualTo(StatusCode.InvalidArgument));
            Assert.That(_calls.Key(new string('x', 256), 1, out _), Is.EqualTo(StatusCode.NameTooLong));
            Assert.That(
                () => SysVMessageQueue.KeyOf(folder.File("none"), 1, _backend),
                Throws.InstanceOf<MessageQueueException>().With.Message.Contains("ENOENT"));
        });
    }

    [Test]
    public void Messages_of_every_size_arrive_as_they_were_sent(
        [Values(0, 1, 17, 8192)] int length, [Values(1, 77, long.MaxValue)] long type, [ValueSource(nameof(Waits))] MqWait wait)
    {
        using SysVQueue test = new(backend);
        byte[] message = new byte[length];
        new Random(length).NextBytes(message);
        test.Queue.Send(message, type, SysVQueueFlags.None, wait);
        byte[] buffer = new byte[8192];
        int received = test.Queue.Receive(buffer, out long found, 0, SysVQueueFlags.None, wait);
        Assert.That((received, found), Is.EqualTo((length, type)));
        Assert.That(buffer[..length], Is.EqualTo(message));
    }

    [Test]
    public void What_may_not_be_sent_is_refused([ValueSource(nameof(Waits))] MqWait wait)
    {
        using SysVQueue test = new(backend);
        int most = test.Calls.Info(SysVInfoKind.Limits, out SysVInfo limits) >= 0 ? limits.Max : 0;
        Assert.Multiple(() =>
        {
            Assert.That(test.Calls.Send(test.Id, Headed(0, 1), 0, wait), Is.EqualTo(StatusCode.InvalidArgument));
            Assert.That(test.Calls.Send(test.Id, Headed(-1, 1), 0, wait), Is.EqualTo(StatusCode.InvalidArgument));
            Assert.That(test.Calls.Send(test.Id, Headed(1, most + 1), 0, wait), Is.EqualTo(StatusCode.InvalidArgument));
            Assert.That(test.Calls.Send(test.Id, new byte[7], 0, wait), Is.EqualTo(StatusCode.InvalidArgument));
            Assert.That(test.Calls.Send(-1, Headed(1, 1), 0, wait), Is.EqualTo(StatusCode.InvalidArgument));
            Assert.That(test.Calls.Send(int.MaxValue, Headed(1, 1), 0, wait), Is.EqualTo(StatusCode.InvalidArgument));
            Assert.That(test.Calls.Receive(-1, new byte[16], 0, 0, wait), Is.EqualTo(StatusCode.InvalidArgument));
            Assert.That(test.Calls.Receive(test.Id, new byte[7], 0, 0, wait), Is.EqualTo(StatusCode.InvalidArgument));
            Assert.That(test.Queue.Status.Messages, Is.Zero);
        });
    }

    [Test]
    public void A_message_longer_than_the_buffer_stays_or_is_cut([ValueSource(nameof(Waits))] MqWait wait)
    {
        using SysVQueue test = new(backend);
        test.Queue.Send("longer than it"u8, 3);
        byte[] buffer = new byte[8 + 6];
        Assert.That(test.Calls.Receive(test.Id, buffer, 0, 0, wait), Is.EqualTo(StatusCode.TooBig));
        Assert.That(test.Queue.Status.Messages, Is.EqualTo(1));
        Assert.That(test.Calls.Receive(test.Id, buffer, 0, SysVQueueFlags.NoError, wait), Is.EqualTo(6));
        Assert.That(buffer[8..], Is.EqualTo("longer"u8.ToArray()));
        Assert.That(test.Queue.Status.Messages, Is.Zero);
    }

    [Test]
    public void The_wanted_type_chooses([ValueSource(nameof(Waits))] MqWait wait)
    {
        Assert.Multiple(() =>
        {
            Assert.That(First([4, 3, 2, 1], 0), Is.EqualTo(4), "the oldest");
            Assert.That(First([4, 3, 2, 1], 2), Is.EqualTo(2), "this one");
            Assert.That(First([4, 3, 2, 1], -2), Is.EqualTo(1), "the lowest, not the first that is low enough");
            Assert.That(First([4, 3, 2, 1], long.MinValue), Is.EqualTo(1));
            Assert.That(First([4, 4, 3, 1], 4, SysVQueueFlags.Except), Is.EqualTo(3), "any other");
            Assert.That(First([4, 3], 5, SysVQueueFlags.NoWait), Is.EqualTo(StatusCode.NoMessage));
            Assert.That(First([4, 3], -2, SysVQueueFlags.NoWait), Is.EqualTo(StatusCode.NoMessage));
            Assert.That(First([4, 4], 4, SysVQueueFlags.Except | SysVQueueFlags.NoWait), Is.EqualTo(StatusCode.NoMessage));
        });

        long First(long[] types, long wanted, SysVQueueFlags flags = SysVQueueFlags.None)
        {
            using SysVQueue test = new(backend);
            Array.ForEach(types, type => test.Queue.Send("x"u8, type));
            byte[] buffer = new byte[8 + 10];
            int status = test.Calls.Receive(test.Id, buffer, wanted, flags, wait);
            return status < 0 ? status : MemoryMarshal.Read<long>(buffer);
        }
    }

    [Test]
    public void Messages_of_one_type_come_in_their_order()
    {
        using SysVQueue test = new(backend);
        for (int i = 0; i < 9; i++)
        {
            test.Queue.Send(i, (i % 3) + 1);
        }

        Assert.That(Enumerable.Range(0, 3).Select(_ => test.Queue.Receive<int>(out long type, 2)), Is.EqualTo((int[])[1, 4, 7]));
    }

    [Test]
    public void A_copy_leaves_the_message_where_it_is()
    {
        using SysVQueue test = new(backend);
        test.Queue.Send("first"u8, 5);
        test.Queue.Send("second"u8, 6);
        byte[] buffer = new byte[8 + 10];
        SysVQueueFlags copy = SysVQueueFlags.Copy | SysVQueueFlags.NoWait;
        int status = test.Calls.Receive(test.Id, buffer, 1, copy, default);
        if (status == StatusCode.NotImplemented)
        {
            Assert.Ignore("this kernel has no MSG_COPY");
        }

        Assert.Multiple(() =>
        {
            Assert.That(status, Is.EqualTo(6));
            Assert.That(MemoryMarshal.Read<long>(buffer), Is.EqualTo(6));
            Assert.That(test.Calls.Receive(test.Id, buffer, 0, copy, default), Is.EqualTo(5));
            Assert.That(test.Calls.Receive(test.Id, buffer, 2, copy, default), Is.EqualTo(StatusCode.NoMessage));
            Assert.That(test.Calls.Receive(test.Id, buffer, 0, SysVQueueFlags.Copy, default), Is.EqualTo(StatusCode.InvalidArgument));
            Assert.That(
                test.Calls.Receive(test.Id, buffer, 0, copy | SysVQueueFlags.Except, default), Is.EqualTo(StatusCode.InvalidArgument));
            Assert.That(test.Calls.Receive(test.Id, new byte[8 + 2], 0, copy, default), Is.EqualTo(StatusCode.TooBig));
            Assert.That(test.Queue.Status.Messages, Is.EqualTo(2));
        });
    }

    [Test]
    public void No_wait_is_stronger_than_a_wait()
    {
        using SysVQueue test = new(backend);
        MqWait wait = new(TimeSpan.FromMinutes(1));
        Assert.That(test.Calls.Receive(test.Id, new byte[16], 0, SysVQueueFlags.NoWait, wait), Is.EqualTo(StatusCode.NoMessage));
        test.Fill();
        Assert.That(test.Calls.Send(test.Id, Headed(1, 8192), SysVQueueFlags.NoWait, wait), Is.EqualTo(StatusCode.Again));
        Assert.That(
            () => test.Queue.Send(new byte[8192], 1, SysVQueueFlags.NoWait),
            Throws.InstanceOf<MessageQueueException>().With.Message.Contains("EAGAIN").And.Message.Contains("of 16384 bytes"));
    }

    [Test]
    public void Messages_without_bytes_are_bounded_by_their_number()
    {
        using SysVQueue test = new(backend);
        long room = test.Queue.Status.MaxBytes;
        int sent = 0;
        while (sent <= room && test.Queue.TrySend([]))
        {
            sent++;
        }

        Assert.That(sent, Is.EqualTo(room));
    }

    [Test]
    public void A_batch_is_sent_in_order_and_received_in_pieces()
    {
        using SysVQueue test = new(backend);
        byte[] bytes = new byte[64];
        "one"u8.CopyTo(bytes.AsSpan(8));
        "three"u8.CopyTo(bytes.AsSpan(24));
        Assert.That(test.Queue.SendMany(bytes, [new(8, 3, 7), new(24, 5, 8), new(40, 0, 7)]), Is.EqualTo(3));
        byte[] into = new byte[64];
        MqMessage[] found = new MqMessage[5];
        Assert.That(test.Queue.ReceiveMany(into, 8, found, 7), Is.EqualTo(2));
        Assert.That(found[..2], Is.EqualTo(new MqMessage[] { new(8, 3, 7), new(24, 0, 7) }));
        Assert.That(into[8..11], Is.EqualTo("one"u8.ToArray()));
        Assert.Multiple(() =>
        {
            Assert.That(test.Calls.ReceiveMany(test.Id, into, 4, 0, 0, found, MqWait.None), Is.EqualTo(StatusCode.TooBig));
            Assert.That(test.Calls.ReceiveMany(test.Id, new byte[12], 5, 0, 0, found, MqWait.None), Is.EqualTo(StatusCode.InvalidArgument));
            Assert.That(test.Calls.ReceiveMany(test.Id, into, 8, 0, 0, [], MqWait.None), Is.EqualTo(StatusCode.InvalidArgument));
            Assert.That(
                test.Calls.ReceiveMany(test.Id, into, 8, 0, SysVQueueFlags.Copy | SysVQueueFlags.NoWait, found, MqWait.None),
                Is.EqualTo(StatusCode.InvalidArgument));
            Assert.That(test.Calls.ReceiveMany(test.Id, into, 4, 0, SysVQueueFlags.NoError, found, MqWait.None), Is.EqualTo(1));
            Assert.That(test.Calls.ReceiveMany(test.Id, into, 4, 0, 0, found, MqWait.None), Is.EqualTo(StatusCode.NoMessage));
            Assert.That(test.Calls.SendMany(test.Id, bytes, [new(7, 1, 1)], default), Is.EqualTo(StatusCode.InvalidArgument));
            Assert.That(test.Calls.SendMany(test.Id, bytes, [new(8, 57, 1)], default), Is.EqualTo(StatusCode.InvalidArgument));
            Assert.That(test.Calls.SendMany(test.Id, bytes, [new(8, 1, 1), new(8, 1, 0)], default), Is.EqualTo(1));
            Assert.That(test.Calls.SendMany(test.Id, bytes, [new(8, 1, 0)], default), Is.EqualTo(StatusCode.InvalidArgument));
        });
    }

    [Test]
    public void A_batch_ends_where_the_queue_is_full()
    {
        using SysVQueue test = new(backend);
        byte[] bytes = new byte[8 + 8192];
        MqMessage[] three = [.. Enumerable.Repeat(new MqMessage(8, 8192, 1), 3)];
        Assert.That(test.Queue.SendMany(bytes, three, MqWait.None), Is.EqualTo(2));
        Assert.That(test.Calls.SendMany(test.Id, bytes, three, MqWait.None), Is.EqualTo(StatusCode.Again));
        Assert.That(
            test.Calls.SendMany(test.Id, bytes, three, new MqWait(TimeSpan.FromMilliseconds(10))), Is.EqualTo(StatusCode.TimedOut));
    }

    [Test]
    public void Values_of_another_length_are_told()
    {
        using SysVQueue test = new(backend);
        test.Queue.Send("12345678"u8);
        Assert.That(() => test.Queue.Receive<int>(out _), Throws.InstanceOf<MessageQueueException>().With.Message.Contains("E2BIG"));
        Assert.That(test.Queue.Receive<long>(out _), Is.EqualTo(MemoryMarshal.Read<long>("12345678"u8)));
        test.Queue.Send("1"u8);
        Assert.That(
            () => test.Queue.Receive<int>(out _),
            Throws.InstanceOf<MessageQueueException>().With.Message.Contains("the message has 1 bytes, the value has 4"));
    }

    private static byte[] Headed(long type, int length)
    {
        byte[] message = new byte[ISysVQueues.HeadBytes + length];
        MemoryMarshal.Write(message, in type);
        return message;
    }
}
