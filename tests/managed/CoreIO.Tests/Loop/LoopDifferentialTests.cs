// The same random sequence of operations on a loop of each backend: every status, identifier, event and count is the same. Timers are due
// at once or hours away and waits do not block, so nothing depends on the time it takes.
using CoreIO.Loop;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Tests.Loop;

[NonParallelizable]
internal sealed class LoopDifferentialTests
{
    private const int Steps = 3000;
    private const int Descriptors = 12;

    private static readonly LoopInterest[] Bits =
    [
        LoopInterest.Read, LoopInterest.Write, LoopInterest.Priority, LoopInterest.ReadHangUp, LoopInterest.OneShot, LoopInterest.EdgeTriggered,
        LoopInterest.Error,
    ];

    [Test]
    public void Both_backends_do_the_same([Range(1, 8)] int seed)
    {
        Backends.NeedBoth();
        string[][] logs = [.. Backends.Names.Select(backend => Run(backend, new Random(seed)))];
        for (int i = 0; i < Steps; i++)
        {
            Assert.That(logs[1][i], Is.EqualTo(logs[0][i]), $"step {i}, after {(i > 0 ? logs[0][i - 1] : "nothing")}");
        }

        foreach (LoopEventKind kind in Enum.GetValues<LoopEventKind>())
        {
            Assert.That(logs[0].Count(line => line.Contains($"Kind = {kind}", StringComparison.Ordinal)), Is.GreaterThan(5), $"{kind}");
        }
    }

    private static LoopInterest Interest(Random random)
    {
        LoopInterest interest = LoopInterest.None;
        for (int i = random.Next(4); i > 0; i--)
        {
            interest |= Bits[random.Next(Bits.Length)];
        }

        return random.Next(40) switch { 0 => interest | LoopInterest.Exclusive, 1 => interest | (LoopInterest)0x800, _ => interest };
    }

    // One that was given, of either kind, held or not, or none at all.
    private static long Any(Random random, List<long> ids) =>
        random.Next(25) == 0 || ids.Count == 0 ? random.NextInt64(-2, 5) << (31 * random.Next(2)) : ids[random.Next(Math.Max(0, ids.Count - 20), ids.Count)];

    private static string[] Run(string backend, Random random)
    {
        using TestLoop loop = new(backend);
        IEventLoop calls = loop.Calls;
        (SafeFileHandle First, SafeFileHandle Second)[] pairs = [.. Enumerable.Range(0, Descriptors).Select(_ => LoopLibc.SocketPair())];
        List<long> ids = [];
        string[] log = new string[Steps];
        for (int i = 0; i < Steps; i++)
        {
            ref (SafeFileHandle First, SafeFileHandle Second) pair = ref pairs[random.Next(Descriptors)];
            log[i] = random.Next(16) switch
            {
                0 or 1 => Given("add", calls.Add(pair.First, Interest(random), i, out long id), id),
                2 or 3 => $"modify {calls.Modify(Any(random, ids), Interest(random))}",
                4 => $"remove {calls.Remove(Any(random, ids), closing: false)}",
                5 => $"again {calls.Again(Any(random, ids), Interest(random))}",
                6 => Given("start", calls.StartTimer(Delay(random), Delay(random), i, out long id), id),
                7 => $"restart {calls.RestartTimer(Any(random, ids), Delay(random))}",
                8 => $"stop {calls.StopTimer(Any(random, ids))}",
                9 => $"wake {calls.Wake()}",
                10 => $"holds {calls.Holds(Any(random, ids))}",
                11 => Move(random, pair),
                12 => Reopen(random, ref pair),
                _ => $"wait {string.Join(' ', loop.Wait(0, random.Next(1, 12)))}",
            };
            log[i] += $" {calls.Counters with { TimersBehind = 0 }}";
            if (i == Steps / 2 && random.Next(2) == 0)
            {
                log[i] += $" descriptor {calls.Descriptor(out _)}";
            }
        }

        foreach ((SafeFileHandle first, SafeFileHandle second) in pairs)
        {
            first.Dispose();
            second.Dispose();
        }

        return log;

        string Given(string what, int status, long id)
        {
            if (status == 0)
            {
                ids.Add(id);
            }

            return $"{what} {status} {id:x}";
        }
    }

    private static long Delay(Random random) => random.Next(12) switch { 0 => -1, < 5 => 3600 * TestLoop.Second, _ => 0 };

    private static string Move(Random random, (SafeFileHandle First, SafeFileHandle Second) pair)
    {
        if (random.Next(2) == 0)
        {
            LoopLibc.Send(pair.Second, random.Next(1, 8));
            return "send";
        }

        return $"receive {LoopLibc.Receive(pair.First)}";
    }

    // Another pair under the same numbers: what was watched is closed, and its number goes on.
    private static string Reopen(Random random, ref (SafeFileHandle First, SafeFileHandle Second) pair)
    {
        if (random.Next(3) != 0)
        {
            return "nothing";
        }

        (SafeFileHandle first, SafeFileHandle second) = LoopLibc.SocketPair();
        LoopLibc.Replace(first, pair.First);
        LoopLibc.Replace(second, pair.Second);
        first.Dispose();
        second.Dispose();
        return "reopen";
    }
}
