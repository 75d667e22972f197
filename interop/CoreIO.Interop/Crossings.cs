// How many calls crossed into the library, so that their share of the time can be told and not guessed. Counted where a status is looked at
// and where an object is destroyed: once a call, never inside one.
namespace CoreIO.Interop;

internal static class Crossings
{
    private static long _count;

    /// <summary>Calls since the process began.</summary>
    internal static long Count => Interlocked.Read(ref _count);

    /// <summary>Counts one. A few nanoseconds a batch.</summary>
    internal static void Add() => Interlocked.Increment(ref _count);
}
