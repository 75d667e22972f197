// Ends of waits from outside: by a token on a thread that blocks, and all at once while the queue is disposed of.
using CoreIO.Mq;

namespace CoreIO.Tests.Mq;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class CancellationTests(string backend)
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    [Test]
    public async Task A_token_ends_a_call_that_blocks_and_takes_no_message()
    {
        using PosixQueue posix = new(backend);
        using SysVQueue sysV = new(backend);
        using CancellationTokenSource source = new();
        using MqCancellation cancellation = new(source.Token);
        MqWait wait = new(Cancel: cancellation.Handle);
        Task first = Task.Factory.StartNew(
            () => posix.Queue.Receive(posix.Buffer, out _, wait), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Task second = Task.Factory.StartNew(
            () => sysV.Queue.Receive(new byte[8192], out _, wait: wait), CancellationToken.None, TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        Assert.That(await Task.WhenAny(first, second, Task.Delay(50)), Is.Not.AnyOf(first, second));
        await source.CancelAsync();
        Assert.That(async () => await first.WaitAsync(Long), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(async () => await second.WaitAsync(Long), Throws.InstanceOf<OperationCanceledException>());
        posix.Queue.Send("kept"u8);
        Assert.That(posix.Queue.TryReceive(posix.Buffer, out int length, out _), "what is there is taken before a cancel is looked at");
        Assert.That(length, Is.EqualTo(4));
    }

    [Test]
    public async Task Disposing_while_many_are_cancelled_ends_each_once()
    {
        for (int round = 0; round < 100; round++)
        {
            using PosixQueue posix = new(backend);
            using CancellationTokenSource source = new();
            Task<QueueMessage>[] waiting = [.. Enumerable.Range(0, 100).Select(_ => posix.Queue.ReceiveAsync(source.Token).AsTask())];
            using Barrier together = new(2);
            Task cancel = Task.Run(() =>
            {
                together.SignalAndWait();
                source.Cancel();
            });
            together.SignalAndWait();
            posix.Queue.Dispose();
            await cancel.WaitAsync(Long);
            foreach (Task<QueueMessage> task in waiting)
            {
                Assert.That(
                    async () => await task.WaitAsync(Long),
                    Throws.InstanceOf<OperationCanceledException>().Or.InstanceOf<ObjectDisposedException>());
            }
        }
    }
}
