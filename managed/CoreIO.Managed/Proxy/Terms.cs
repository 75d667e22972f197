// The options of a proxy, looked at once: in range, defaults filled in, times in nanoseconds, and 0 for never. The same as the first part of
// native/src/proxy/proxy.c.
using System.Text;
using CoreIO.Managed.Cpu;
using CoreIO.Proxy;

namespace CoreIO.Managed.Proxy;

internal sealed class Terms
{
    private const int MostWorkers = 1024;
    private const int MostTries = 64;
    private const int MostJournal = 1 << 24;
    private const int CongestionBytes = 16;

    private Terms(ProxyOptions options)
    {
        Balance = options.Balance;
        PassResets = options.PassResets;
        Streams = options.Splice != ProxySplice.Never;
        ConnectTries = Or(options.ConnectTries, 3);
        MaxConnections = options.MaxConnections;
        MaxPerSource = options.MaxPerSource;
        Rate = options.Rate;
        Bandwidth = options.Bandwidth;
        Backlog = Or(options.Backlog, 4096);
        Fall = Or(options.Fall, 3);
        Rise = Or(options.Rise, 2);
        Journal = options.Journal;
        ConnectTimeout = Time(options.ConnectTimeout, 5 * Clock.Second);
        IdleTimeout = Time(options.IdleTimeout, 0);
        HalfCloseTimeout = Time(options.HalfCloseTimeout, 30 * Clock.Second);
        Lifetime = Time(options.Lifetime, 0);
        HeaderTimeout = Time(options.HeaderTimeout, 5 * Clock.Second);
        CheckInterval = Time(options.CheckInterval, 0);
        Retry = Time(options.Retry, 10 * Clock.Second);
        Congestion = Encoding.ASCII.GetBytes(options.Congestion);
    }

    internal ProxyBalance Balance { get; }

    internal bool PassResets { get; }

    /// <summary>Whether streams are read <see cref="Flow.StreamBytes"/> at a time.</summary>
    internal bool Streams { get; }

    internal int ConnectTries { get; }

    internal int MaxConnections { get; }

    internal int MaxPerSource { get; }

    internal int Rate { get; }

    internal long Bandwidth { get; }

    internal int Backlog { get; }

    internal int Fall { get; }

    internal int Rise { get; }

    internal int Journal { get; }

    internal long ConnectTimeout { get; }

    internal long IdleTimeout { get; }

    internal long HalfCloseTimeout { get; }

    internal long Lifetime { get; }

    internal long HeaderTimeout { get; }

    internal long CheckInterval { get; }

    internal long Retry { get; }

    /// <summary><c>TCP_CONGESTION</c>; empty is the system's.</summary>
    internal byte[] Congestion { get; }

    /// <summary>Looks at options: 0 or a status.</summary>
    internal static int Read(ProxyOptions options, out Terms? terms)
    {
        terms = null;
        if (!Valid(options))
        {
            return StatusCode.InvalidArgument;
        }

        if (options.Pin && !MayPin(options))
        {
            return StatusCode.Cpu;
        }

        terms = new Terms(options);
        return 0;
    }

    /// <summary>A time in nanoseconds; null is never, which is below 0.</summary>
    internal static long Nanoseconds(TimeSpan? time) =>
        time is not { Ticks: >= 0 } some ? -1 : some.Ticks > long.MaxValue / Clock.Tick ? long.MaxValue : some.Ticks * Clock.Tick;

    private static bool Valid(ProxyOptions options)
    {
        ReadOnlySpan<int> numbers =
        [
            options.Workers, options.ConnectTries, options.MaxConnections, options.MaxPerSource, options.Rate, options.Backlog, options.PipeBytes,
            options.Pipes, options.Journal, options.Fall, options.Rise,
        ];
        foreach (int number in numbers)
        {
            if (number < 0)
            {
                return false;
            }
        }

        return options.Workers <= MostWorkers && Enum.IsDefined(options.Accept) && Enum.IsDefined(options.Balance)
            && Enum.IsDefined(options.Splice) && options.ConnectTries <= MostTries && options.Journal <= MostJournal && options.Bandwidth >= 0
            && options.Congestion.Length < CongestionBytes;
    }

    // Whether the CPUs that workers would be pinned to are allowed; this backend pins none.
    private static bool MayPin(ProxyOptions options)
    {
        IReadOnlyList<int> allowed = new ManagedCpu().Allowed();
        int workers = options.Workers > 0 ? options.Workers : options.Cpus.Count;
        return options.Cpus.Take(workers).All(allowed.Contains);
    }

    private static int Or(int value, int otherwise) => value == 0 ? otherwise : value;

    private static long Time(TimeSpan? time, long otherwise)
    {
        long nanoseconds = Nanoseconds(time);
        return nanoseconds == 0 ? otherwise : Math.Max(nanoseconds, 0);
    }
}
