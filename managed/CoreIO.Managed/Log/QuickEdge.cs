// Cuts the quick lines of edge.
//
// A line is quick when its bracketed fields touch or have one space between them and hold no backslash: then the next closing bracket
// closes, and what else stands in brackets is data. So a window is indexed for newlines, brackets and backslashes only.
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using CoreIO.Log;

namespace CoreIO.Managed.Log;

internal static class QuickEdge
{
    /// <summary>Fields before the brackets.</summary>
    private const int Prefix = 3;

    /// <summary>Bytes of the time that a syslog line begins with.</summary>
    private const int TimeLength = 15;

    /// <summary>Bytes that the syslog part of a quick line may take, loads past it included.</summary>
    private const int Reach = 64;

    /// <summary>Cuts lines; see <see cref="Walker.CutQuick"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static int Cut(ref byte text, ref Window window, ref Slice fields, int limit, int width, ref Line lines, int capacity)
    {
        // The last line of a window may lack its newline, and the walk must meet one.
        if (Unsafe.Add(ref text, window.End - 1) != (byte)'\n')
        {
            return 0;
        }

        ref int positions = ref MemoryMarshal.GetArrayDataReference(window.Positions);
        int at = window.At;
        int begin = window.Begin;
        int count = 0;
        while (count < capacity && at < window.Count && window.Readable - begin >= Reach)
        {
            int host = begin + TimeLength + 1;
            uint hostBits = Spaces16(ref Unsafe.Add(ref text, host));
            int tag = host + BitOperations.TrailingZeroCount(hostBits | 0x10000u) + 1;
            uint tagBits = Spaces16(ref Unsafe.Add(ref text, tag));
            int tagEnd = tag + BitOperations.TrailingZeroCount(tagBits | 0x10000u);

            // A structural byte before the end of the tag, a newline among them, is for the definition.
            if (Unsafe.Add(ref text, host - 1) != (byte)' ' || hostBits == 0 || tagBits == 0 || Unsafe.Add(ref positions, at) <= tagEnd)
            {
                break;
            }

            ref Line line = ref Unsafe.Add(ref lines, count);
            int next = CutBrackets(ref text, ref positions, at, tagEnd + 1, ref fields, limit, ref line);
            if (next < 0 || (width == 0 && line.Fields > limit))
            {
                break;
            }

            int colon = tagEnd > tag && Unsafe.Add(ref text, tagEnd - 1) == (byte)':' ? 1 : 0;
            Keep(ref fields, 0, limit, begin, TimeLength);
            Keep(ref fields, 1, limit, host, tag - 1 - host);
            Keep(ref fields, 2, limit, tag, tagEnd - colon - tag);
            line.Begin = begin;
            line.Reason = LogReason.Parsed;
            fields = ref Unsafe.Add(ref fields, width > 0 ? width : line.Fields);
            limit -= width > 0 ? 0 : line.Fields;
            begin = line.Next;
            at = next;
            count++;
        }

        window.Begin = begin;
        window.At = at;
        return count;
    }

    /// <summary>Cuts the bracketed fields up to the newline.</summary>
    /// <returns>The index behind the newline's position, or -1 when the line is not quick.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int CutBrackets(
        ref byte text, ref int positions, int at, int current, ref Slice fields, int limit, ref Line line)
    {
        for (int count = Prefix; ; count++)
        {
            int open = Unsafe.Add(ref positions, at++);
            byte b = Unsafe.Add(ref text, open);
            if (b != (byte)'[')
            {
                int end = open > current && Unsafe.Add(ref text, open - 1) == (byte)'\r' ? open - 1 : open;
                if (b != (byte)'\n' || end != current)
                {
                    return -1;
                }

                line.End = end;
                line.Next = open + 1;
                line.Fields = count;
                return at;
            }

            if (open != current && (open != current + 1 || Unsafe.Add(ref text, current) != (byte)' '))
            {
                return -1;
            }

            int close = Unsafe.Add(ref positions, at++);
            while (Unsafe.Add(ref text, close) == (byte)'[')
            {
                close = Unsafe.Add(ref positions, at++);
            }

            if (Unsafe.Add(ref text, close) != (byte)']')
            {
                return -1;
            }

            Keep(ref fields, count, limit, open + 1, close - open - 1);
            current = close + 1;
        }
    }

    /// <summary>Notes a field; those beyond the limit share one place that nobody reads.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep(ref Slice fields, int index, int limit, int start, int length)
    {
        ref Slice field = ref Unsafe.Add(ref fields, Math.Min(index, limit));
        field.Start = start;
        field.Length = length;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Spaces16(ref byte place) =>
        Vector128.Equals(Vector128.LoadUnsafe(ref place), Vector128.Create((byte)' ')).ExtractMostSignificantBits();
}
