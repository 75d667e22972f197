// A message costs no allocation on the calling thread, whichever way it goes.
using CoreIO.Mq;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Tests.Mq;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
[NonParallelizable]
internal sealed class MqMemoryTests(string backend)
{
    private const int Rounds = 1000;

    [Test]
    public void A_POSIX_message_allocates_nothing()
    {
        using PosixQueue test = new(backend, messages: 4, size: 64);
        using SafeFileHandle cancel = TestLibc.Event(readable: false);
        PosixMessageQueue queue = test.Queue;
        byte[] bytes = new byte[4 * 64];
        MqMessage[] messages = [new(0, 64, 1), new(64, 10, 1), new(0, 0, 2)];
        MqMessage[] found = new MqMessage[4];
        MqWait[] waits = [default, MqWait.None, new(TimeSpan.FromSeconds(9)), new(Spin: TimeSpan.FromTicks(10)), new(Cancel: cancel)];
        Measure(() =>
        {
            foreach (ref readonly MqWait wait in waits.AsSpan())
            {
                queue.Send(bytes.AsSpan(0, 64), 1, wait);
                queue.Receive(bytes, out _, wait);
                _ = queue.TrySend(bytes.AsSpan(0, 3));
                _ = queue.TryReceive(bytes, out _, out _);
                _ = queue.TryReceive(bytes, out _, out _);
                queue.Send(wait.Spin, 1, wait);
                _ = queue.Receive<TimeSpan>(out _, wait);
                _ = queue.SendMany(bytes, messages, wait);
                while (queue.ReceiveMany(bytes, found, wait) < 3 && queue.Attributes.Messages > 0)
                {
                }
            }
        });
        Assert.That(queue.Attributes.Messages, Is.Zero);
    }

    [Test]
    public void A_System_V_message_allocates_nothing()
    {
        using SysVQueue test = new(backend);
        using SafeFileHandle cancel = TestLibc.Event(readable: false);
        SysVMessageQueue queue = test.Queue;
        byte[] bytes = new byte[4 * 72];
        MqMessage[] messages = [new(8, 64, 1), new(80, 10, 1), new(104, 0, 2)];
        MqMessage[] found = new MqMessage[4];
        MqWait[] waits = [default, MqWait.None, new(TimeSpan.FromSeconds(9)), new(Spin: TimeSpan.FromTicks(10)), new(Cancel: cancel)];
        Measure(() =>
        {
            foreach (ref readonly MqWait wait in waits.AsSpan())
            {
                queue.Send(bytes.AsSpan(0, 64), 1, SysVQueueFlags.None, wait);
                queue.Receive(bytes, out _, 0, SysVQueueFlags.None, wait);
                _ = queue.TrySend(bytes.AsSpan(0, 3));
                _ = queue.TryReceive(bytes, out _, out _);
                _ = queue.TryReceive(bytes, out _, out _);
                queue.Send(wait.Spin, 1, wait);
                _ = queue.Receive<TimeSpan>(out _, 0, wait);
                _ = queue.SendMany(bytes, messages, wait);
                _ = queue.ReceiveMany(bytes, 64, found, 0, SysVQueueFlags.None, wait);
            }
        });
        Assert.That(queue.Status.Messages, Is.Zero);
    }

    private static void Measure(Action round) => Assert.That(Allocations.Least(round, Rounds), Is.Zero);
}
