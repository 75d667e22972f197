// Awaiting queues: no thread of the pool is held, a cancelled receiver has taken nothing, order is kept.
using System.Runtime.InteropServices;
using CoreIO.Mq;

namespace CoreIO.Tests.Mq;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class AsyncTests(string backend)
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    [Test]
    public async Task A_message_that_is_there_is_received_at_once()
    {
        using PosixQueue posix = new(backend);
        using SysVQueue sysV = new(backend);
        posix.Queue.Send("here"u8, 3);
        sysV.Queue.Send("there"u8, 4);
        ValueTask<QueueMessage> first = posix.Queue.ReceiveAsync();
        ValueTask<QueueMessage> second = sysV.Queue.ReceiveAsync();
        Assert.That(first.IsCompletedSuccessfully && second.IsCompletedSuccessfully);
        Assert.That(Text(await first), Is.EqualTo("here 3"));
        Assert.That(Text(await second), Is.EqualTo("there 4"));
    }

    [Test]
    public async Task A_message_that_comes_later_is_received_then()
    {
        using PosixQueue posix = new(backend);
        using SysVQueue sysV = new(backend);
        Task<QueueMessage> first = posix.Queue.ReceiveAsync().AsTask();
        Task<QueueMessage> second = sysV.Queue.ReceiveAsync(-9).AsTask();
        Task<QueueMessage> third = sysV.Queue.ReceiveAsync(20).AsTask();
        await Task.Delay(50);
        Assert.That(first.IsCompleted || second.IsCompleted || third.IsCompleted, Is.False);
        posix.Queue.Send("late"u8);
        sysV.Queue.Send("twenty"u8, 20);
        Assert.That(Text(await first.WaitAsync(Long)), Is.EqualTo("late 0"));
        Assert.That(Text(await third.WaitAsync(Long)), Is.EqualTo("twenty 20"), "who waits for one type does not stand before another");
        sysV.Queue.Send("low"u8, 9);
        Assert.That(Text(await second.WaitAsync(Long)), Is.EqualTo("low 9"));
    }

    [Test]
    public async Task A_full_queue_is_awaited()
    {
        using PosixQueue posix = new(backend, messages: 1);
        using SysVQueue sysV = new(backend);
        posix.Fill();
        sysV.Fill();
        Task first = posix.Queue.SendAsync("1"u8.ToArray()).AsTask();
        Task second = posix.Queue.SendAsync("2"u8.ToArray()).AsTask();
        Task third = sysV.Queue.SendAsync(new byte[8192]).AsTask();
        await Task.Delay(20);
        Assert.That(first.IsCompleted || second.IsCompleted || third.IsCompleted, Is.False);
        byte[] buffer = new byte[8192];
        posix.Queue.Receive(buffer, out _);
        await first.WaitAsync(Long);
        Assert.That(second.IsCompleted, Is.False);
        Assert.That(posix.Queue.Receive(buffer, out _), Is.EqualTo(1));
        await second.WaitAsync(Long);
        while (!third.IsCompleted && sysV.Queue.TryReceive(buffer, out int length, out _) && length < 8192)
        {
        }

        await third.WaitAsync(Long);
    }

    [Test]
    public async Task Cancelling_takes_nothing_and_leaves_the_next_in_place()
    {
        using PosixQueue posix = new(backend);
        using SysVQueue sysV = new(backend);
        using CancellationTokenSource source = new();
        Task<QueueMessage>[] cancelled =
        [
            posix.Queue.ReceiveAsync(source.Token).AsTask(), posix.Queue.ReceiveAsync(source.Token).AsTask(),
            sysV.Queue.ReceiveAsync(0, source.Token).AsTask(), sysV.Queue.ReceiveAsync(0, source.Token).AsTask(),
        ];
        Task<QueueMessage> first = posix.Queue.ReceiveAsync().AsTask();
        Task<QueueMessage> second = sysV.Queue.ReceiveAsync().AsTask();
        await source.CancelAsync();
        foreach (Task<QueueMessage> task in cancelled)
        {
            Assert.That(async () => await task.WaitAsync(Long), Throws.InstanceOf<OperationCanceledException>());
        }

        posix.Queue.Send("x"u8);
        sysV.Queue.Send("y"u8);
        Assert.That(Text(await first.WaitAsync(Long)), Is.EqualTo("x 0"));
        Assert.That(Text(await second.WaitAsync(Long)), Is.EqualTo("y 1"));
        Assert.That(async () => await posix.Queue.ReceiveAsync(new CancellationToken(true)), Throws.InstanceOf<OperationCanceledException>());
    }

    // Receivers that are cancelled all the time, while messages come: each message is received once, by somebody.
    [Test]
    [CancelAfter(120_000)]
    public async Task Cancellation_never_loses_a_message([Values] bool posix)
    {
        const int Count = 3000;
        using PosixQueue first = new(backend, size: 64);
        using SysVQueue second = new(backend);
        Thread sender = new(() =>
        {
            for (int i = 0; i < Count; i++)
            {
                if (posix)
                {
                    first.Queue.Send(i);
                }
                else
                {
                    second.Queue.Send(i);
                }

                if (i % 3 == 0)
                {
                    Thread.SpinWait(2000);
                }
            }
        });
        sender.IsBackground = true;
        sender.Start();
        CancellationToken late = TestContext.CurrentContext.CancellationToken;
        Random random = new(7);
        List<int> received = [];
        int cancellations = 0;
        while (received.Count < Count)
        {
            late.ThrowIfCancellationRequested();
            using CancellationTokenSource source = new();
            ValueTask<QueueMessage> receiving = posix ? first.Queue.ReceiveAsync(source.Token) : second.Queue.ReceiveAsync(0, source.Token);
            Thread.SpinWait(random.Next(3000));
            await source.CancelAsync();
            try
            {
                received.Add(MemoryMarshal.Read<int>((await receiving).Bytes.Span));
            }
            catch (OperationCanceledException)
            {
                cancellations++;
            }
        }

        sender.Join();
        Assert.That(received, Is.EqualTo(Enumerable.Range(0, Count)));
        TestContext.Out.WriteLine($"{cancellations} cancellations");
        Assert.That(posix ? first.Queue.Attributes.Messages : second.Queue.Status.Messages, Is.Zero);
    }

    [Test]
    public async Task A_stream_of_messages_ends_when_it_is_cancelled()
    {
        using PosixQueue test = new(backend, size: 16);
        using CancellationTokenSource source = new(Long);
        Thread sender = new(() =>
        {
            for (int i = 0; i < 100; i++)
            {
                test.Queue.Send(i);
            }
        });
        sender.Start();
        int expected = 0;
        async Task Read()
        {
            await foreach (QueueMessage message in test.Queue.ReadAllAsync(source.Token))
            {
                Assert.That(MemoryMarshal.Read<int>(message.Bytes.Span), Is.EqualTo(expected++));
                if (expected == 100)
                {
                    await source.CancelAsync();
                }
            }
        }

        Assert.That(Read, Throws.InstanceOf<OperationCanceledException>());
        sender.Join();
        Assert.That(expected, Is.EqualTo(100));
    }

    [Test]
    public void Closing_or_removing_ends_who_awaits()
    {
        using PosixQueue posix = new(backend);
        using SysVQueue sysV = new(backend);
        Task<QueueMessage>[] tasks =
            [posix.Queue.ReceiveAsync().AsTask(), posix.Queue.ReceiveAsync().AsTask(), sysV.Queue.ReceiveAsync().AsTask()];
        posix.Queue.Dispose();
        sysV.Queue.Remove();
        Assert.That(async () => await tasks[0].WaitAsync(Long), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(async () => await tasks[1].WaitAsync(Long), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(
            async () => await tasks[2].WaitAsync(Long),
            Throws.InstanceOf<MessageQueueException>().With.Message.Contains("removed"));
    }

    [Test]
    public async Task Who_awaits_holds_no_thread_of_the_pool()
    {
        using PosixQueue test = new(backend);
        int before = Directory.GetDirectories("/proc/self/task").Length;
        Task<QueueMessage>[] tasks = [.. Enumerable.Range(0, 100).Select(_ => test.Queue.ReceiveAsync().AsTask())];
        await Task.Delay(50);
        Assert.That(Directory.GetDirectories("/proc/self/task").Count(IsLane), Is.InRange(1, 50));
        Assert.That(Directory.GetDirectories("/proc/self/task").Length - before, Is.LessThan(50));
        Assert.That(ThreadPool.PendingWorkItemCount, Is.LessThan(50));
        for (int i = 0; i < tasks.Length; i++)
        {
            test.Queue.Send("x"u8, 0, new MqWait(Long));
        }

        await Task.WhenAll(tasks).WaitAsync(Long);
    }

    // Also of types that somebody waited for and of those whose message was there at once.
    [Test]
    public async Task A_thread_for_a_type_ends_when_nobody_waits_for_it()
    {
        const int Types = 20;
        using SysVQueue test = new(backend);
        using CancellationTokenSource source = new();
        test.Queue.Send("here"u8, Types + 1);
        Assert.That(Text(await test.Queue.ReceiveAsync(Types + 1)), Is.EqualTo($"here {Types + 1}"));
        Assert.That(test.Queue.ReceiverLanes, Is.Zero, "nothing was waited for");
        Task<QueueMessage>[] tasks = [.. Enumerable.Range(1, Types).Select(type => test.Queue.ReceiveAsync(type, source.Token).AsTask())];
        Assert.That(test.Queue.ReceiverLanes, Is.EqualTo(Types));
        test.Queue.Send("x"u8, 7);
        Assert.That(Text(await tasks[6].WaitAsync(Long)), Is.EqualTo("x 7"));
        await source.CancelAsync();
        foreach (Task<QueueMessage> task in tasks.Where(task => task != tasks[6]))
        {
            Assert.That(async () => await task.WaitAsync(Long), Throws.InstanceOf<OperationCanceledException>());
        }

        Assert.That(() => test.Queue.ReceiverLanes, Is.Zero.After(20).Seconds.PollEvery(50).MilliSeconds);
        Task<QueueMessage> again = test.Queue.ReceiveAsync(7).AsTask();
        Assert.That(test.Queue.ReceiverLanes, Is.EqualTo(1));
        test.Queue.Send("again"u8, 7);
        Assert.That(Text(await again.WaitAsync(Long)), Is.EqualTo("again 7"));
    }

    private static bool IsLane(string thread)
    {
        try
        {
            return File.ReadAllText(thread + "/comm").Trim() == "coreio-mq";
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static string Text(QueueMessage message) => $"{System.Text.Encoding.UTF8.GetString(message.Bytes.Span)} {message.Type}";
}
