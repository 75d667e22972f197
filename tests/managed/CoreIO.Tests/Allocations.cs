namespace CoreIO.Tests;

/// <summary>What this thread allocates.</summary>
internal static class Allocations
{
    /// <summary>The fewest bytes that so many rounds allocate.</summary>
    public static long Least(Action round, int rounds)
    {
        // The first rounds make what is made once: compiled code, pages, tables, the buffer of the thread.
        for (int i = 0; i < 50; i++)
        {
            round();
        }

        // Of three, for what the runtime itself makes meanwhile it makes once; what a round makes would show in each.
        long least = long.MaxValue;
        for (int times = 0; times < 3; times++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < rounds; i++)
            {
                round();
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
