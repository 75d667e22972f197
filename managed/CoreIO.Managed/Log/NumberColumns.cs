// Types the fields of a batch of lines, column by column, in the order of the line.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using CoreIO.Log;

namespace CoreIO.Managed.Log;

internal sealed class NumberColumns(Plan plan)
{
    /// <summary>Bytes of a time_local; two loads of 16 cover them.</summary>
    private const int LocalTimeLength = 26;

    private const int Half = 16;

    private readonly TypedField[] _fields = [.. plan.TypingOrder().Select(number => new TypedField(number, plan.Numbers[number]))];

    // The last time_local and what it is: lines of one second follow each other. The halves share bytes, so at first nothing matches.
    private Vector128<byte> _timeHead;
    private Vector128<byte> _timeTail = Vector128<byte>.AllBitsSet;
    private long _timeUs;

    /// <summary>Types all fields of the first lines of a batch; a line with one that is not of its kind gets its reason.</summary>
    internal void Type(ref byte text, LineBatch batch, int lines)
    {
        foreach (ref readonly TypedField typed in _fields.AsSpan())
        {
            TypeColumn(ref text, batch, in typed, lines);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void TypeColumn(ref byte text, LineBatch batch, in TypedField typed, int lines)
    {
        ref Line line = ref MemoryMarshal.GetArrayDataReference(batch.Lines);
        ref Slice field = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(batch.Rows), typed.Source);
        ref Number number = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(batch.Numbers), typed.Number * LineBatch.Capacity);
        int width = batch.Width;
        Typing typing = typed.Typing;
        for (int i = 0; i < lines; i++)
        {
            if (line.Reason == LogReason.Parsed)
            {
                if (TryTypeQuick(ref text, typing, field, out number.Value))
                {
                    number.IsNull = false;
                }
                else if (!TryType(ref text, typing, LineBatch.Field(ref text, field), ref number))
                {
                    line.Reason = typed.Reason;
                }
            }

            line = ref Unsafe.Add(ref line, 1);
            field = ref Unsafe.Add(ref field, width);
            number = ref Unsafe.Add(ref number, 1);
        }
    }

    /// <summary>Types the shapes of nearly every number: short ones, seconds as nginx writes them, and the last time again.</summary>
    /// <returns>False for others; decides nothing of them.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryTypeQuick(ref byte text, Typing typing, Slice field, out long value)
    {
        if (typing == Typing.TimeLocal)
        {
            value = _timeUs;
            return field.Length == LocalTimeLength
                && Vector128.LoadUnsafe(ref Unsafe.Add(ref text, field.Start)) == _timeHead
                && Vector128.LoadUnsafe(ref Unsafe.Add(ref text, field.Start + LocalTimeLength - Half)) == _timeTail;
        }

        value = 0;
        if (!BitConverter.IsLittleEndian || (uint)(field.Length - 1) >= sizeof(ulong))
        {
            return false;
        }

        // Bytes before the field are the line's, or the header's.
        ulong word = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref text, field.Start + field.Length - sizeof(ulong)));
        return typing == Typing.Whole ? Numbers.TryReadShort(word, field.Length, out value)
            : typing == Typing.Millionths && field.Length > 4 && Numbers.TryReadMilliseconds(word, field.Length, out value);
    }

    private bool TryType(ref byte text, Typing typing, Slice field, ref Number number)
    {
        if (field.IsNull)
        {
            number = new Number { IsNull = true };
            return true;
        }

        if (!Numbers.TryType(typing, Texts.Of(ref text, field), out number.Value, out number.IsNull))
        {
            return false;
        }

        if (typing == Typing.TimeLocal && !number.IsNull)
        {
            _timeHead = Vector128.LoadUnsafe(ref Unsafe.Add(ref text, field.Start));
            _timeTail = Vector128.LoadUnsafe(ref Unsafe.Add(ref text, field.Start + LocalTimeLength - Half));
            _timeUs = number.Value;
        }

        return true;
    }

    /// <summary>A field that is typed.</summary>
    private readonly struct TypedField(int number, NumberUse use)
    {
        /// <summary>Which of the numbers it becomes.</summary>
        internal readonly int Number = number;
        internal readonly int Source = use.Source;
        internal readonly Typing Typing = use.Typing;
        internal readonly LogReason Reason = use.Reason;
    }
}
