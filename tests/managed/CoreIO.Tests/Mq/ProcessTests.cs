// Two processes on a queue: streams without a lost byte, one that is killed, one that waits for another.
using System.Globalization;
using CoreIO.Mq;
using CoreIO.Mq.Peer;

namespace CoreIO.Tests.Mq;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class ProcessTests(string backend)
{
    private const int Senders = 3;
    private const int Each = 2000;

    [Test]
    public void Nothing_is_lost_between_processes_on_a_POSIX_queue()
    {
        using PosixQueue test = new(backend);
        Stream(
            sender => ["posix-send", test.Name, Text(sender), Text(Each)],
            count => ["posix-receive", test.Name, Text(count)]);
        Assert.That(test.Queue.Attributes.Messages, Is.Zero);
    }

    [Test]
    public void Nothing_is_lost_between_processes_on_a_System_V_queue()
    {
        using SysVQueue test = new(backend);
        Stream(
            sender => ["sysv-send", Text(test.Id), Text(sender), Text(Each)],
            count => ["sysv-receive", Text(test.Id), Text(count)]);
        Assert.That(test.Queue.Status.Messages, Is.Zero);
    }

    [Test]
    public void The_backends_understand_each_other()
    {
        Backends.NeedBoth();
        using PosixQueue posix = new(backend);
        using SysVQueue sysV = new(backend);
        string other = Backends.Names.Single(name => name != backend);
        using Peer sender = Peer.Start(other, ["posix-send", posix.Name, "1", "50"]);
        byte[] buffer = posix.Buffer;
        for (int i = 0; i < 50; i++)
        {
            int length = posix.Queue.Receive(buffer, out _, new MqWait(TimeSpan.FromSeconds(30)));
            Assert.That(Payload.Read(buffer.AsSpan(0, length)), Is.EqualTo((1, i)));
        }

        using Peer receiver = Peer.Start(other, ["sysv-receive", Text(sysV.Id), "1"]);
        byte[] message = new byte[100];
        Payload.Write(message, 4, 7);
        sysV.Queue.Send(message, 5);
        Assert.That(receiver.Lines(), Is.EqualTo((string[])["4 7"]));
    }

    [Test]
    public void A_receiver_that_is_killed_takes_nothing_with_it()
    {
        using PosixQueue posix = new(backend);
        using SysVQueue sysV = new(backend);
        using (Peer first = Peer.Start(backend, ["posix-block-receive", posix.Name]))
        using (Peer second = Peer.Start(backend, ["sysv-block-receive", Text(sysV.Id)]))
        {
            first.WaitUntilBlocked();
            second.WaitUntilBlocked();
            first.Kill();
            second.Kill();
            Assert.That(first.WaitForExit(TimeSpan.FromSeconds(20)) && second.WaitForExit(TimeSpan.FromSeconds(20)));
        }

        posix.Queue.Send("after"u8);
        sysV.Queue.Send("after"u8);
        Assert.That(posix.Queue.TryReceive(posix.Buffer, out int length, out _) ? length : -1, Is.EqualTo(5));
        Assert.That(sysV.Queue.TryReceive(new byte[10], out length, out _) ? length : -1, Is.EqualTo(5));
    }

    [Test]
    public void A_receiver_that_is_killed_in_mid_stream_loses_at_most_the_message_it_had()
    {
        using PosixQueue test = new(backend, messages: 10);
        byte[] message = new byte[64];
        int sent = 0;
        List<string> received = [];
        using (Peer receiver = Peer.Start(backend, ["posix-receive", test.Name, "1000000"]))
        {
            void Send()
            {
                Payload.Write(message, 1, sent++);
                test.Queue.Send(message, 0, new MqWait(TimeSpan.FromSeconds(30)));
            }

            for (int i = 0; i < 500; i++)
            {
                Send();
            }

            Assert.That(receiver.Line(), Is.EqualTo("1 0"));
            Thread killer = new(() =>
            {
                receiver.Kill();
                receiver.WaitForExit(TimeSpan.FromSeconds(20));
            });
            killer.Start();
            // Only a queue that stays full behind the receiver's end is full for good.
            for (bool alive = true, room = true; alive || room;)
            {
                alive = killer.IsAlive;
                room = test.Queue.TrySend(Next(message, sent), 0, new MqWait(TimeSpan.FromMilliseconds(200)));
                sent += room ? 1 : 0;
            }

            killer.Join();
            while (receiver.Line() is { } line)
            {
                received.Add(line);
            }
        }

        int last = received.Count > 0 && received[^1].Split(' ') is [_, { Length: > 0 } number] ? int.Parse(number, CultureInfo.InvariantCulture) : 0;
        byte[] buffer = test.Buffer;
        int first = -1;
        while (test.Queue.TryReceive(buffer, out int length, out _))
        {
            int sequence = Payload.Read(buffer.AsSpan(0, length)).Sequence;
            first = first < 0 ? sequence : first;
        }

        // What it printed may be cut off, what it took is at most one more than what it was printing: the rest is in the queue.
        Assert.That(first, Is.EqualTo(sent - 10), $"printed up to {last}, sent {sent}");
        Assert.That(first - last, Is.InRange(1, 2), $"printed up to {last}, the queue begins with {first}");
    }

    [Test]
    public void A_blocked_sender_wakes_with_room_and_with_removal()
    {
        using PosixQueue posix = new(backend, messages: 1);
        using SysVQueue drained = new(backend);
        using SysVQueue removed = new(backend);
        posix.Fill();
        drained.Fill();
        removed.Fill();
        using Peer first = Peer.Start(backend, ["posix-block-send", posix.Name]);
        using Peer second = Peer.Start(backend, ["sysv-block-send", Text(drained.Id)]);
        using Peer third = Peer.Start(backend, ["sysv-block-send", Text(removed.Id)]);
        first.WaitUntilBlocked();
        second.WaitUntilBlocked();
        third.WaitUntilBlocked();
        byte[] buffer = new byte[8192];
        Assert.That(posix.Queue.Receive(buffer, out _), Is.EqualTo(4));
        while (drained.Queue.TryReceive(buffer, out _, out _))
        {
        }

        removed.Queue.Remove();
        Assert.That(first.Lines(), Is.EqualTo((string[])["ok"]));
        Assert.That(second.Lines(), Is.EqualTo((string[])["ok"]));
        Assert.That(third.Lines(), Is.EqualTo((string[])["EIDRM"]));
    }

    [Test]
    public void A_blocked_receiver_wakes_with_removal()
    {
        using SysVQueue test = new(backend);
        using Peer receiver = Peer.Start(backend, ["sysv-block-receive", Text(test.Id)]);
        receiver.WaitUntilBlocked();
        test.Queue.Remove();
        Assert.That(receiver.Lines(), Is.EqualTo((string[])["EIDRM"]));
    }

    private static byte[] Next(byte[] message, int sequence)
    {
        Payload.Write(message, 1, sequence);
        return message;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>Several senders and two receivers, all processes; each message is there once, and those of a sender in order.</summary>
    private void Stream(Func<int, string[]> send, Func<int, string[]> receive)
    {
        Peer[] senders = [.. Enumerable.Range(0, Senders).Select(sender => Peer.Start(backend, send(sender)))];
        Peer[] receivers = [.. Enumerable.Range(0, 2).Select(_ => Peer.Start(backend, receive(Senders * Each / 2)))];
        try
        {
            Task<string[]>[] outputs = [.. receivers.Select(receiver => Task.Factory.StartNew(receiver.Lines, TaskCreationOptions.LongRunning))];
            Assert.That(Task.WaitAll([.. outputs], TimeSpan.FromSeconds(60)), "they still wait");
            Array.ForEach(senders, sender => Assert.That(sender.Lines(), Is.EqualTo((string[])["ok"])));
            foreach (string[] lines in outputs.Select(output => output.Result))
            {
                foreach (IGrouping<string, string> sender in lines.GroupBy(line => line.Split(' ')[0]))
                {
                    Assert.That(sender.Select(line => int.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture)), Is.Ordered.Ascending);
                }
            }

            Assert.That(
                outputs.SelectMany(output => output.Result),
                Is.EquivalentTo(from sender in Enumerable.Range(0, Senders) from i in Enumerable.Range(0, Each) select $"{sender} {i}"));
        }
        finally
        {
            Array.ForEach(senders, peer => peer.Dispose());
            Array.ForEach(receivers, peer => peer.Dispose());
        }
    }
}
