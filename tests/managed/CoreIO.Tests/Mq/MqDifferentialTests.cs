// The same random sequence of operations on a queue of each backend: every status, byte, type and count is the same.
using CoreIO.Mq;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Tests.Mq;

internal sealed class MqDifferentialTests
{
    private const int Steps = 1500;

    [Test]
    public void Both_backends_do_the_same_on_POSIX_queues([Range(1, 6)] int seed)
    {
        Backends.NeedBoth();
        string[][] logs = [.. Backends.Names.Select(backend => RunPosix(backend, new Random(seed)))];
        Compare(logs);
    }

    [Test]
    public void Both_backends_do_the_same_on_System_V_queues([Range(1, 6)] int seed)
    {
        Backends.NeedBoth();
        string[][] logs = [.. Backends.Names.Select(backend => RunSysV(backend, new Random(seed)))];
        Compare(logs);
    }

    private static void Compare(string[][] logs)
    {
        for (int i = 0; i < Steps; i++)
        {
            Assert.That(logs[1][i], Is.EqualTo(logs[0][i]), $"step {i}, after {(i > 0 ? logs[0][i - 1] : "nothing")}");
        }
    }

    private static MqWait Wait(Random random, SafeFileHandle ready, SafeFileHandle never) => random.Next(7) switch
    {
        0 => new MqWait(TimeSpan.FromTicks(random.Next(1, 3000))),
        1 => new MqWait(TimeSpan.FromTicks(random.Next(1, 3000)), TimeSpan.FromTicks(random.Next(2000))),
        2 => new MqWait(Cancel: ready),
        3 => new MqWait(TimeSpan.FromTicks(3000), Cancel: never),
        4 => new MqWait(TimeSpan.Zero, TimeSpan.FromTicks(500), ready),
        5 => new MqWait(TimeSpan.FromMinutes(1), TimeSpan.FromTicks(200), ready),
        _ => MqWait.None,
    };

    private static MqMessage[] Batch(Random random, int length, int head, bool sysV) =>
    [
        .. Enumerable.Range(0, random.Next(6)).Select(_ => new MqMessage(
            random.Next(head, length), random.Next(random.Next(20) == 0 ? 40 : 12), random.Next(sysV ? -1 : 0, 6))),
    ];

    private static string[] RunPosix(string backend, Random random)
    {
        using PosixQueue test = new(backend, messages: 5, size: 32);
        using SafeFileHandle ready = TestLibc.Event(readable: true);
        using SafeFileHandle never = TestLibc.Event(readable: false);
        using PosixMessageQueue sender = test.Again(PosixQueueFlags.Send);
        byte[] bytes = new byte[128];
        MqMessage[] found = new MqMessage[4];
        string[] log = new string[Steps];
        for (int i = 0; i < Steps; i++)
        {
            random.NextBytes(bytes);
            SafeFileHandle queue = random.Next(15) == 0 ? sender.Handle : test.Queue.Handle;
            MqWait wait = Wait(random, ready, never);
            log[i] = random.Next(8) switch
            {
                0 or 1 => $"send {test.Calls.Send(queue, bytes.AsSpan(0, random.Next(35)), random.Next(-1, 5) * random.Next(2), wait)}",
                2 or 3 => $"receive {test.Calls.Receive(queue, bytes.AsSpan(0, 31 + random.Next(5)), out int priority, wait)} {priority}",
                4 => $"send many {test.Calls.SendMany(queue, bytes, Batch(random, bytes.Length, 0, sysV: false), wait)}",
                5 => ReceiveMany(test.Calls.ReceiveMany(
                    queue, bytes.AsSpan(0, random.Next(bytes.Length)), 32, found.AsSpan(0, random.Next(5)), wait)),
                6 => $"attributes {test.Calls.GetAttributes(queue, out PosixQueueAttributes attributes)} {attributes}",
                _ => $"notify {Notify(test.Calls, queue, random)}",
            };
            log[i] += " " + Convert.ToHexString(bytes);
        }

        return log;

        string ReceiveMany(int count) => $"receive many {count} {string.Join(' ', found[..Math.Max(0, count)])}";
    }

    private static int Notify(IPosixQueues calls, SafeFileHandle queue, Random random)
    {
        int status = calls.Notify(queue, (PosixNotifyKind)random.Next(1, 5), 0, random.Next(), out SafeFileHandle? descriptor);
        descriptor?.Dispose();
        return Math.Min(status, 0);
    }

    private static string[] RunSysV(string backend, Random random)
    {
        using SysVQueue test = new(backend);
        using SafeFileHandle ready = TestLibc.Event(readable: true);
        using SafeFileHandle never = TestLibc.Event(readable: false);
        SysVQueueStatus now = test.Queue.Status;
        test.Queue.Change(new SysVQueueChange(now.Uid, now.Gid, now.Mode, 200));
        byte[] bytes = new byte[128];
        MqMessage[] found = new MqMessage[4];
        string[] log = new string[Steps];
        for (int i = 0; i < Steps; i++)
        {
            random.NextBytes(bytes);
            MqWait wait = Wait(random, ready, never);
            SysVQueueFlags flags = (SysVQueueFlags)(random.Next(16) * 0x800);
            long type = random.Next(-3, 6);
            BitConverter.TryWriteBytes(bytes, (long)random.Next(0, 6));
            log[i] = random.Next(7) switch
            {
                0 or 1 => $"send {test.Calls.Send(test.Id, bytes.AsSpan(0, random.Next(7, 60)), flags & SysVQueueFlags.NoWait, wait)}",
                2 or 3 => $"receive {test.Calls.Receive(test.Id, bytes.AsSpan(0, random.Next(7, 60)), type, flags, wait)}",
                4 => $"send many {test.Calls.SendMany(test.Id, bytes, Batch(random, bytes.Length, 7, sysV: true), wait)}",
                5 => ReceiveMany(test.Calls.ReceiveMany(
                    test.Id, bytes.AsSpan(0, random.Next(bytes.Length)), random.Next(50), type, flags, found.AsSpan(0, random.Next(5)), wait)),
                _ => $"status {Status(test)}",
            };
            log[i] += " " + Convert.ToHexString(bytes);
        }

        return log;

        string ReceiveMany(int count) => $"receive many {count} {string.Join(' ', found[..Math.Max(0, count)])}";
    }

    // Identifiers and times differ; all else does not.
    private static SysVQueueStatus Status(SysVQueue test)
    {
        Assert.That(test.Calls.Stat(test.Id, SysVStatKind.Id, out SysVQueueStatus status), Is.EqualTo(test.Id));
        return status with { Id = 0, Sequence = 0, SendTime = 0, ReceiveTime = 0, ChangeTime = 0 };
    }
}
