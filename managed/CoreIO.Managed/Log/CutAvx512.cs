// Cuts lines that fit their frame by AVX-512, which is nearly all of them: the marks of a line are compared with its frame at once, and two
// permutations of them are the begins and ends of eight fields.
//
// It accepts a line only when it finds exactly what the definition finds, and otherwise decides nothing. It does not look at the text before
// it knows by the marks that the line is one of this window. Loads of words may then go past the line, but never past what may be read: a
// line that ends too near to that is left to the definition.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using CoreIO.Log;

namespace CoreIO.Managed.Log;

internal static class CutAvx512
{
    /// <summary>How far past a line's newline loads may reach.</summary>
    private const int Reach = sizeof(ulong);

    /// <summary>See <see cref="IFrameCutter.Cut"/>. Nothing is called in the loop, so that the frame stays in registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static int Run(
        Frame frame, ref byte text, ref Window window, ref Slice fields, int limit, int width, ref Line lines, int capacity)
    {
        Vector256<byte> wantedValues = Vector256.LoadUnsafe(ref frame.Values[0]);
        Vector256<byte> valueBits = Vector256.LoadUnsafe(ref frame.ValueBits[0]);
        Vector512<ushort> wantedGaps = Vector512.LoadUnsafe(ref frame.Gaps[0]);
        Vector512<ushort> gapBits = Vector512.LoadUnsafe(ref frame.GapBits[0]);
        Picks first = new(frame, 0);
        Picks second = new(frame, Frame.Positions);
        Vector512<int> base32 = Vector512.Create((long)window.Origin).AsInt32();
        Frame.Text[] texts = frame.Texts;
        bool open = frame.IsOpen;
        int fieldCount = frame.Fields;
        int wanted = Math.Min(limit, fieldCount);
        int count = frame.Marks;
        int origin = window.Origin;
        int last = window.Readable - origin - Reach;
        ref byte begin = ref Unsafe.Add(ref text, origin);
        ref ushort marks = ref window.Marks[window.At];
        ref byte values = ref window.MarkValues[window.At];
        int lineBegin = window.Begin;
        int done = 0;
        for (; done < capacity; done++)
        {
            Vector512<ushort> positions = Vector512.LoadUnsafe(ref marks);
            Vector512<ushort> gaps = (Vector512.LoadUnsafe(ref marks, 1) - positions) ^ wantedGaps;
            Vector256<byte> bytes = Vector256.LoadUnsafe(ref values, 1) ^ wantedValues;
            int newline = Unsafe.Add(ref marks, count);
            if (((gaps & gapBits) | (bytes & valueBits).AsUInt16().ToVector512()) != Vector512<ushort>.Zero
                || newline > last
                || !TextsStand(texts, ref begin, ref marks)
                || (open && origin + newline > lineBegin && Unsafe.Add(ref begin, newline - 1) == (byte)'\r'))
            {
                break;
            }

            Write(first.Of(positions, base32), wanted, ref fields);
            if (wanted > Frame.Group)
            {
                Write(second.Of(positions, base32), wanted - Frame.Group, ref Unsafe.Add(ref fields, Frame.Group));
            }

            int lineEnd = origin + newline;
            lines.Begin = lineBegin;
            lines.End = lineEnd;
            lines.Next = lineEnd + 1;
            lines.Fields = fieldCount;
            lines.Reason = LogReason.Parsed;
            lines = ref Unsafe.Add(ref lines, 1);
            lineBegin = lineEnd + 1;
            fields = ref Unsafe.Add(ref fields, width);
            marks = ref Unsafe.Add(ref marks, count);
            values = ref Unsafe.Add(ref values, count);
        }

        window.Begin = lineBegin;
        window.At += done * count;
        return done;
    }

    /// <summary>Whether the bytes of literals that no marks are stand where they must.</summary>
    /// <remarks>
    /// One part of a literal is looked at only when the one before it stands, and no literal holds a newline: so a load ends at most seven
    /// bytes behind the line's, however long the literal is and however short the line.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TextsStand(Frame.Text[] texts, ref byte begin, ref ushort marks)
    {
        foreach (ref readonly Frame.Text text in texts.AsSpan())
        {
            int at = (ushort)(Unsafe.Add(ref marks, text.Mark) + text.Offset);
            if (!text.Part.BeginsAt(ref Unsafe.Add(ref begin, at)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>A store that goes over the end of a cache line takes twice the time, and a wide one seldom does not.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Write(Vector512<int> wide, int count, ref Slice fields)
    {
        ref int to = ref Unsafe.As<Slice, int>(ref fields);
        if (count <= 2)
        {
            wide.GetLower().GetLower().StoreUnsafe(ref to);
        }
        else if (count <= 4)
        {
            wide.GetLower().StoreUnsafe(ref to);
        }
        else
        {
            wide.StoreUnsafe(ref to);
        }
    }

    /// <summary>A group of fields in registers; see <see cref="Frame.Plus"/>.</summary>
    private readonly struct Picks(Frame frame, int group)
    {
        private readonly Vector512<ushort> _plus = Vector512.LoadUnsafe(ref frame.Plus[group]);
        private readonly Vector512<ushort> _minus = Vector512.LoadUnsafe(ref frame.Minus[group]);
        private readonly Vector256<ushort> _add = Vector256.LoadUnsafe(ref frame.Add[group]);

        /// <summary>Eight fields as begins and lengths; the base is added to the begins.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        internal Vector512<int> Of(Vector512<ushort> positions, Vector512<int> base32)
        {
            Vector256<ushort> ends = Avx512BW.PermuteVar32x16(positions, _plus).GetLower();
            Vector256<ushort> begins = Avx512BW.PermuteVar32x16(positions, _minus).GetLower() & Vector256.Create(0xFFFF_0000u).AsUInt16();
            return Avx512F.ConvertToVector512Int32(ends - begins + _add) + base32;
        }
    }
}
