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

    // Places that are taken: by connections, and by who looks whether there is one to accept.
    private long _places;
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

    /// <summary>Takes a place for a connection, unless there are as many as may be; 0 is any number.</summary>
    internal bool TakePlace(int most)
    {
        long places = Volatile.Read(ref _places);
        while (most == 0 || places < most)
        {
            long seen = Interlocked.CompareExchange(ref _places, places + 1, places);
            if (seen == places)
            {
                return true;
            }

            places = seen;
        }

        return false;
    }

    /// <summary>Gives a place back for which there was no connection.</summary>
    internal void GivePlace() => Interlocked.Decrement(ref _places);

    /// <summary>Counts the connection that has come to a place.</summary>
    internal void Enter()
    {
        Interlocked.Increment(ref Accepted);
        Interlocked.Increment(ref Live);
    }

    /// <summary>Counts a connection out, with its place.</summary>
    internal void Leave()
    {
        Interlocked.Decrement(ref Live);
        GivePlace();
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
