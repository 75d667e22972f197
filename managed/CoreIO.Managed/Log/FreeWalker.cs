// The free lexer, alone (`delimited`) or behind a syslog prefix (`edge`); docs/formats.md, sections 2 and 4.
using System.Runtime.CompilerServices;
using CoreIO.Log;

namespace CoreIO.Managed.Log;

internal sealed class FreeWalker(bool isEdge)
    : Walker(isEdge ? new ByteClass("[]\\"u8) : All, isEdge ? All : null)
{
    /// <summary>Bytes of the time that a syslog line begins with.</summary>
    private const int SyslogTimeLength = 15;

    private static ByteClass All => new(" \t|\"[]\\"u8);

    internal override int CutQuick(
        ref byte text, ref Window window, ref Slice fields, int limit, int width, ref Line lines, int capacity) =>
        isEdge ? QuickEdge.Cut(ref text, ref window, ref fields, limit, width, ref lines, capacity) : 0;

    internal override LogReason Walk(
        ref byte text, int start, int end, ref int positions, int at, int last, ref Slice fields, int room, out int count)
    {
        count = 0;
        if (isEdge)
        {
            int timeEnd = start + SyslogTimeLength;
            if (end <= timeEnd
                || Unsafe.Add(ref text, timeEnd) != (byte)' '
                || !FindSpace(ref text, timeEnd + 1, ref positions, ref at, last, out int hostEnd)
                || !FindSpace(ref text, hostEnd + 1, ref positions, ref at, last, out int tagEnd))
            {
                return LogReason.MissingText;
            }

            int tag = hostEnd + 1;
            int colon = tagEnd > tag && Unsafe.Add(ref text, tagEnd - 1) == (byte)':' ? 1 : 0;
            Put(ref fields, room, ref count, start, timeEnd);
            Put(ref fields, room, ref count, timeEnd + 1, hostEnd);
            Put(ref fields, room, ref count, tag, tagEnd - colon);
            start = tagEnd + 1;
        }

        return WalkFree(ref text, start, end, ref positions, at, last, ref fields, room, ref count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static LogReason WalkFree(
        ref byte text, int current, int end, ref int positions, int at, int last, ref Slice fields, int room, ref int count)
    {
        bool hasBar = false;
        bool stretchHasField = false;
        for (; at < last; at++)
        {
            int position = Unsafe.Add(ref positions, at);
            byte b = Unsafe.Add(ref text, position);
            if (position < current || (b != (byte)' ' && b != (byte)'\t' && b != (byte)'|' && b != (byte)'"' && b != (byte)'['))
            {
                continue;
            }

            if (position > current)
            {
                Put(ref fields, room, ref count, current, position);
                stretchHasField = true;
            }

            current = position + 1;
            if (b == (byte)'|')
            {
                if (!stretchHasField)
                {
                    Put(ref fields, room, ref count, position, position);
                }

                hasBar = true;
                stretchHasField = false;
            }
            else if (b is (byte)'"' or (byte)'[')
            {
                if (!FindClose(ref text, current, b == (byte)'"' ? b : (byte)']', ref positions, ref at, last, out int close))
                {
                    return LogReason.OpenDelimiter;
                }

                Put(ref fields, room, ref count, current, close);
                stretchHasField = true;
                current = close + 1;
            }
        }

        if (end > current)
        {
            Put(ref fields, room, ref count, current, end);
        }
        else if (hasBar && !stretchHasField)
        {
            Put(ref fields, room, ref count, end, end);
        }

        return LogReason.Parsed;
    }

    /// <summary>Finds the closing byte that no backslash escapes; <paramref name="at"/> then stands on it.</summary>
    private static bool FindClose(ref byte text, int from, byte close, ref int positions, ref int at, int last, out int found)
    {
        for (int i = at + 1; i < last; i++)
        {
            int position = Unsafe.Add(ref positions, i);
            if (position < from)
            {
                continue;
            }

            byte b = Unsafe.Add(ref text, position);
            if (b == close)
            {
                at = i;
                found = position;
                return true;
            }

            if (b == (byte)'\\')
            {
                from = position + 2;
            }
        }

        found = 0;
        return false;
    }

    private static bool FindSpace(ref byte text, int from, ref int positions, ref int at, int last, out int found)
    {
        for (; at < last; at++)
        {
            int position = Unsafe.Add(ref positions, at);
            if (position >= from && Unsafe.Add(ref text, position) == (byte)' ')
            {
                found = position;
                return true;
            }
        }

        found = 0;
        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(ref Slice fields, int room, ref int count, int begin, int end)
    {
        if (count < room)
        {
            Unsafe.Add(ref fields, count) = new Slice(begin, end - begin);
        }

        count++;
    }
}
