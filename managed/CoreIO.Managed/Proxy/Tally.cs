// What a proxy counts; written and read by any thread.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CoreIO.Proxy;

namespace CoreIO.Managed.Proxy;

internal sealed class Tally
{
    internal long Accepted;
    internal long Connected;
    internal long Ended;
    internal long Live;
    internal long Retries;
    internal long AcceptFailures;
    internal long OverLimit;
    internal long Buffers;
    internal long JournalLost;
    internal long Waits;

    private ProxyEnds _ends;
    private Stripes _bytes;

    /// <summary>Counts a connection that has ended.</summary>
    internal void End(ProxyEnd reason)
    {
        Interlocked.Increment(ref Ended);
        Interlocked.Increment(ref _ends[(int)reason]);
    }

    /// <summary>Counts bytes that came from clients, or from upstreams. Threads seldom meet in a cache line.</summary>
    internal void Bytes(bool fromClient, long count)
    {
        ref Stripe stripe = ref _bytes[Environment.CurrentManagedThreadId % Stripes.Length];
        Interlocked.Add(ref fromClient ? ref stripe.ToUpstream : ref stripe.ToClient, count);
    }

    /// <summary>Counts one more connection, unless there are as many as may be; 0 is any number.</summary>
    internal bool Enter(int most)
    {
        long live = Volatile.Read(ref Live);
        while (most == 0 || live < most)
        {
            long seen = Interlocked.CompareExchange(ref Live, live + 1, live);
            if (seen == live)
            {
                return true;
            }

            live = seen;
        }

        return false;
    }

    internal ProxyCounters Read()
    {
        ProxyCounters counters = new()
        {
            Accepted = Volatile.Read(ref Accepted),
            Connected = Volatile.Read(ref Connected),
            Ended = Volatile.Read(ref Ended),
            Live = Volatile.Read(ref Live),
            ConnectRetries = Volatile.Read(ref Retries),
            AcceptFailures = Volatile.Read(ref AcceptFailures),
            OverLimit = Volatile.Read(ref OverLimit),
            Buffers = Volatile.Read(ref Buffers),
            JournalLost = Volatile.Read(ref JournalLost),
        };
        foreach (ref Stripe stripe in (Span<Stripe>)_bytes)
        {
            counters.BytesToUpstream += Volatile.Read(ref stripe.ToUpstream);
            counters.BytesToClient += Volatile.Read(ref stripe.ToClient);
        }

        for (int i = 0; i < ProxyEnds.Length; i++)
        {
            counters.Ends[i] = Volatile.Read(ref _ends[i]);
        }

        return counters;
    }

    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private struct Stripe
    {
        internal long ToUpstream;
        internal long ToClient;
    }

    [InlineArray(Length)]
    private struct Stripes
    {
        internal const int Length = 8;

        private Stripe _first;
    }
}
