// The lines that are worked on at a time, and what is known of them, column by column.
//
// Line i of a column c is at c * Capacity + i. A batch belongs to one worker; nothing in it is allocated after the start.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CoreIO.Log;

namespace CoreIO.Managed.Log;

internal sealed class LineBatch
{
    /// <summary>Lines of a batch: enough that waits for memory overlap, few enough that their columns stay in the L1 cache.</summary>
    internal const int Capacity = Lexer.Batch;

    private readonly ulong[] _hashes;
    private readonly bool[] _hashed;

    internal LineBatch(Plan plan)
    {
        Width = plan.SourceLimit + 1;
        Rows = new Slice[(Width * Capacity) + Frame.Slack];
        Numbers = new Number[plan.Numbers.Count * Capacity];
        Texts = new Slice[plan.Texts.Count * Capacity];
        _hashes = new ulong[Texts.Length];
        _hashed = new bool[plan.Texts.Count];
    }

    /// <summary>The lines as they were cut. One that does not fit its format has its reason.</summary>
    internal Line[] Lines { get; } = new Line[Capacity];

    /// <summary>The fields of each line: a row each, with one place more for fields that nobody reads; behind the rows, what a cut may overwrite.</summary>
    internal Slice[] Rows { get; }

    /// <summary>Places of a row.</summary>
    internal int Width { get; }

    /// <summary>Numbers of the plan, of lines that fit.</summary>
    internal Number[] Numbers { get; }

    /// <summary>Texts of the plan, of lines that count.</summary>
    internal Slice[] Texts { get; }

    /// <summary>The lines that count, ascending.</summary>
    internal int[] Counted { get; } = new int[Capacity];

    /// <summary>How many lines count.</summary>
    internal int Count { get; set; }

    /// <summary>Of each line that counts, its group in the table at hand; before that is known, the first one to look at.</summary>
    internal int[] Groups { get; } = new int[Capacity];

    /// <summary>Of each line that counts, the hash of its key in the table at hand, where it was looked up.</summary>
    internal ulong[] Keys { get; } = new ulong[Capacity];

    /// <summary>A field as it counts: a lone dash is null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Slice Field(ref byte text, Slice field)
    {
        if (field.Length == 1 && Unsafe.Add(ref text, field.Start) == (byte)'-')
        {
            field.Length = -1;
        }

        return field;
    }

    /// <summary>Of the first lines, lists those that fit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void List(int lines)
    {
        ref Line line = ref MemoryMarshal.GetArrayDataReference(Lines);
        ref int counted = ref MemoryMarshal.GetArrayDataReference(Counted);
        int count = 0;
        for (int i = 0; i < lines; i++)
        {
            Unsafe.Add(ref counted, count) = i;
            count += Unsafe.Add(ref line, i).Reason == LogReason.Parsed ? 1 : 0;
        }

        Count = count;
        _hashed.AsSpan().Clear();
    }

    /// <summary>The hashes of a text, by line; made once for all tables and counters.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal ref ulong HashesOf(ref byte text, int use)
    {
        ref ulong hashes = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_hashes), use * Capacity);
        if (_hashed[use])
        {
            return ref hashes;
        }

        _hashed[use] = true;
        ref Slice texts = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(Texts), use * Capacity);
        foreach (int line in Counted.AsSpan(0, Count))
        {
            Slice slice = Unsafe.Add(ref texts, line);
            Unsafe.Add(ref hashes, line) = slice.IsNull ? Hash.OfNull(0) : Hash.Of(ref Unsafe.Add(ref text, slice.Start), slice.Length, 0);
        }

        return ref hashes;
    }
}
