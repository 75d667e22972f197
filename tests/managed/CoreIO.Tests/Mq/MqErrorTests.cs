// What a user reads when something fails: the operation, the queue, the errno's name, the limit with its value, a way out.
using System.Globalization;
using CoreIO.Mq;

namespace CoreIO.Tests.Mq;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class MqErrorTests(string backend)
{
    [Test]
    public void A_message_that_is_too_long_is_told_with_the_size_of_the_queue()
    {
        using PosixQueue test = new(backend, size: 100);
        MessageQueueException e = Thrown(() => test.Queue.Send(new byte[101]));
        Assert.That(
            e.Message,
            Is.EqualTo($"send to {test.Name}: message too long (EMSGSIZE): the queue's message size is 100, the message has 101; "
                + "create the queue with a larger message size"));
        Assert.Multiple(() =>
        {
            Assert.That((e.Operation, e.Queue, e.Errno, e.ErrnoName), Is.EqualTo(("send to", test.Name, 90, "EMSGSIZE")));
            Assert.That(e.Status, Is.EqualTo(StatusCode.MessageSize));
            Assert.That(e.Advice, Does.StartWith("the queue's message size"));
        });
    }

    [Test]
    public void A_buffer_that_is_too_short_is_told_with_the_size_of_the_queue()
    {
        using PosixQueue test = new(backend, size: 100);
        Assert.That(
            Thrown(() => test.Queue.Receive(new byte[99], out _)).Message,
            Does.StartWith($"receive from {test.Name}: message too long (EMSGSIZE): the queue's message size is 100, the buffer has 99"));
    }

    [Test]
    public void Other_failures_of_POSIX_queues_say_what_to_do()
    {
        using PosixQueue test = new(backend, messages: 1);
        using PosixMessageQueue sender = test.Again(PosixQueueFlags.Send);
        ICoreBackend core = Backends.Get(backend);
        test.Fill();
        string max = File.ReadAllText("/proc/sys/fs/mqueue/msg_max").Trim();
        Assert.Multiple(() =>
        {
            Says(() => test.Queue.Send("x"u8, 0, MqWait.None), "(EAGAIN): all of its 1 messages wait to be received");
            Says(() => test.Queue.Send("x"u8, 0, new MqWait(TimeSpan.FromTicks(1))), "timed out (ETIMEDOUT): all of its 1 messages");
            Says(() => test.Queue.Send("x"u8, 40000), "(EINVAL): priority 40000 is not from 0 to 32767");
            Says(() => sender.Receive(new byte[9000], out _), "(EBADF): it was opened without the right to receive");
            Says(() => PosixMessageQueue.Open("/coreio-test-none", null, core), "open /coreio-test-none: no such file (ENOENT): no queue");
            Says(() => PosixMessageQueue.Create(test.Name, null, core), $"create {test.Name}: exists already (EEXIST): a queue has this name");
            Says(() => PosixMessageQueue.Create("x", null, core), "(EINVAL): a name begins with a slash");
            Says(() => PosixMessageQueue.Create("/a/b", null, core), "(EACCES): a name has one slash, at its beginning");
            Says(() => PosixMessageQueue.Create("/" + new string('x', 300), null, core), "behind its slash, this one has 300");
            Says(
                () => PosixMessageQueue.Create(Unique.Name(), new PosixQueueOptions { MaxMessages = 1 << 20, MessageSize = 1 }, core),
                $"(EINVAL): 1048576 messages of 1 bytes were asked for; msg_max is {max}");
        });
    }

    [Test]
    public void Failures_of_System_V_queues_say_what_to_do()
    {
        using SysVQueue test = new(backend);
        ICoreBackend core = Backends.Get(backend);
        string max = File.ReadAllText("/proc/sys/kernel/msgmax").Trim();
        int key = Unique.Key();
        Assert.Multiple(() =>
        {
            Says(() => test.Queue.Send("x"u8, 0), $"send to queue {test.Id}: invalid argument (EINVAL): type 0 is not above 0");
            Says(() => test.Queue.Send(new byte[9_000_000]), $"(EINVAL): msgmax is {max}, the message has 9000000; raise");
            Says(() => test.Queue.Receive([], out _, 0, SysVQueueFlags.NoWait), "(ENOMSG): it is empty");
            Says(() => SysVMessageQueue.Open(key, null, core), string.Create(CultureInfo.InvariantCulture, $"open queue 0x{key:x8}: no such"));
            Says(() => SysVMessageQueue.FromId(int.MaxValue, core).Send("x"u8), "no queue has this id");
        });
        test.Queue.Send("twelve bytes"u8);
        Says(() => test.Queue.Receive(new byte[5], out _), "(E2BIG): the oldest message that fits the type is longer than the buffer of 5");
    }

    [Test]
    public void Cancelling_is_no_failure_of_the_queue()
    {
        using PosixQueue test = new(backend);
        using Microsoft.Win32.SafeHandles.SafeFileHandle cancel = TestLibc.Event(readable: true);
        Assert.That(
            () => test.Queue.Receive(test.Buffer, out _, new MqWait(Cancel: cancel)),
            Throws.InstanceOf<OperationCanceledException>().With.Message.EqualTo($"receive from {test.Name}: cancelled"));
        Assert.That(
            () => test.Queue.TryReceive(test.Buffer, out _, out _, new MqWait(Cancel: cancel)), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void Every_status_has_words_and_a_symbol() => Assert.Multiple(() =>
    {
        foreach (System.Reflection.FieldInfo field in typeof(StatusCode).GetFields())
        {
            int status = (int)field.GetValue(null)!;
            Assert.That(StatusCode.Describe(status), Does.Match(@"^[^()]+ \((E|COREIO_E)[A-Z0-9]+\)$"), field.Name);
            Assert.That(StatusCode.Symbol(status), Does.Match("^(E|COREIO_E)[A-Z0-9]+$"), field.Name);
        }

        Assert.That(StatusCode.Symbol(-133), Is.EqualTo("errno 133"));
    });

    private static MessageQueueException Thrown(Action action) => Assert.Throws<MessageQueueException>(() => action())!;

    private static void Says(Action action, string words) => Assert.That(
        action, Throws.InstanceOf<MessageQueueException>().With.Message.Contains(words));
}
