// Set bits of a mask of 64 bytes as positions, for the kernels that have no instruction for it.
using System.Numerics;
using System.Runtime.CompilerServices;

namespace CoreIO.Managed.Log;

internal static class PositionWriter
{
    /// <summary>Writes the positions of a mask's bits; returns the new count.</summary>
    /// <remarks>
    /// Eight are written at a time and the count moves by the true number, so there is one hard branch for each 64 bytes. Beyond the last
    /// bit a position is 64 too far, and the count leaves it out.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Write(ref int positions, int count, int at, ulong mask)
    {
        if (mask == 0)
        {
            return count;
        }

        int next = count + BitOperations.PopCount(mask);
        do
        {
            ref int to = ref Unsafe.Add(ref positions, count);
            to = Take(at, ref mask);
            Unsafe.Add(ref to, 1) = Take(at, ref mask);
            Unsafe.Add(ref to, 2) = Take(at, ref mask);
            Unsafe.Add(ref to, 3) = Take(at, ref mask);
            if (mask != 0)
            {
                Unsafe.Add(ref to, 4) = Take(at, ref mask);
                Unsafe.Add(ref to, 5) = Take(at, ref mask);
                Unsafe.Add(ref to, 6) = Take(at, ref mask);
                Unsafe.Add(ref to, 7) = Take(at, ref mask);
            }

            count += 8;
        }
        while (count < next);
        return next;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Take(int at, ref ulong mask)
    {
        int position = at + BitOperations.TrailingZeroCount(mask);
        mask &= mask - 1;
        return position;
    }
}
