using CoreIO.Managed.Loop;

namespace CoreIO.Managed.Tests;

/// <summary>The wheel against a list of deadlines, over times that no test could wait for.</summary>
public sealed class TimerWheelTests
{
    private const long Tick = 1 << 20;

    [Test]
    public void Timers_are_due_when_their_time_has_come_and_not_before([Range(1, 20)] int seed)
    {
        Random random = new(seed);
        long now = random.NextInt64(1L << random.Next(20, 60));
        TimerWheel wheel = new(now);
        Dictionary<int, long> deadlines = [];
        for (int step = 0; step < 3000; step++)
        {
            switch (random.Next(5))
            {
                case 0 or 1:
                    long deadline = now + Delay(random);
                    deadlines.Add(wheel.Add(deadline, 0, deadline), deadline);
                    break;
                case 2 when deadlines.Count > 0:
                    int moved = Pick(random, deadlines);
                    deadlines[moved] = now + Delay(random);
                    wheel.Timers[moved].Data = deadlines[moved];
                    wheel.Move(moved, deadlines[moved]);
                    break;
                case 3 when deadlines.Count > 0:
                    int ended = Pick(random, deadlines);
                    deadlines.Remove(ended);
                    wheel.Remove(ended);
                    break;
                default:
                    now += random.Next(2) == 0 ? Delay(random) : Math.Max(0, Math.Min(wheel.Next, now + (1L << 50)) - now);
                    wheel.Advance(now);
                    break;
            }

            TakeDue(wheel, now, deadlines);
            Assert.That(wheel.Timers.Taken, Is.EqualTo(deadlines.Count));
            Assert.That(deadlines.Values, Is.All.GreaterThan(now - Tick), "overdue");
            if (deadlines.Count > 0)
            {
                // It never sleeps past a deadline's tick, nor is it awake for nothing more than once a wheel.
                Assert.That(wheel.Next, Is.LessThan(deadlines.Values.Min() + Tick));
            }
        }
    }

    [Test]
    public void Waking_when_the_wheel_says_takes_at_most_a_turn_a_level()
    {
        for (int shift = 0; shift < 55; shift++)
        {
            long now = 123_456_789_012_345;
            TimerWheel wheel = new(now);
            long deadline = now + (1L << shift) + 12345;
            wheel.Add(deadline, 0, 0);
            int turns = 0;
            for (; wheel.Due < 0; turns++)
            {
                now = wheel.Next;
                wheel.Advance(now);
            }

            Assert.That(now, Is.InRange(deadline, deadline + Tick));
            Assert.That(turns, Is.LessThanOrEqualTo(8), $"shift {shift}");
        }
    }

    [Test]
    public void Without_timers_there_is_nothing_to_wake_for()
    {
        TimerWheel wheel = new(1);
        Assert.That(wheel.Next, Is.EqualTo(long.MaxValue));
        int far = wheel.Add(long.MaxValue, 0, 0);
        Assert.That(wheel.Next, Is.GreaterThan(1L << 50));
        wheel.Remove(far);
        Assert.That(wheel.Next, Is.EqualTo(long.MaxValue));
    }

    private static long Delay(Random random) => random.NextInt64(1L << random.Next(1, 58));

    private static int Pick(Random random, Dictionary<int, long> deadlines) => deadlines.Keys.ElementAt(random.Next(deadlines.Count));

    private static void TakeDue(TimerWheel wheel, long now, Dictionary<int, long> deadlines)
    {
        for (int due = wheel.Due; due >= 0; due = wheel.Due)
        {
            Assert.That(wheel.Timers[due].Data, Is.EqualTo(deadlines[due]));
            Assert.That(deadlines[due], Is.LessThanOrEqualTo(now), "early");
            deadlines.Remove(due);
            wheel.Remove(due);
        }
    }
}
