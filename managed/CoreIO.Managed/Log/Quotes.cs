// Which structural bytes of 64 count where they stand, as arithmetic on masks: the definition of what a kernel marks.
//
// Bit i of a mask stands for byte i. To find what is inside quotes by a prefix XOR of their mask is Langdale's and Lemire's idea (Parsing
// Gigabytes of JSON per Second, 2019, section 3.1.1); here a newline ends what is inside, for no value of a log goes over one.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace CoreIO.Managed.Log;

/// <summary>What carries over from one 64 bytes of a text to the next; the text begins at a line.</summary>
internal struct Quotes
{
    private ulong _escaped;

    /// <summary>All bits when the next 64 bytes begin inside quotes, else none.</summary>
    internal ulong Inside;

    /// <summary>Whether a backslash escapes the first of the next 64 bytes.</summary>
    internal readonly bool Escapes => _escaped != 0;

    /// <summary>Each bit the XOR of itself and all below it.</summary>
    /// <remarks>From each odd bit to the next all bits are set, which is what the next one less this one is.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong PrefixXor(ulong mask) =>
        Bmi2.X64.ParallelBitDeposit(0xAAAA_AAAA_AAAA_AAAA, mask) - Bmi2.X64.ParallelBitDeposit(0x5555_5555_5555_5555, mask);

    /// <summary>Newlines, quotes that no backslash escapes, and outside of quotes backslashes and separators.</summary>
    internal ulong Mark(ulong quotes, ulong backslashes, ulong newlines, ulong separators)
    {
        quotes &= ~Escaped(backslashes);
        ulong inside = PrefixXor(quotes) ^ Inside;

        // A newline inside begins outside of quotes, so all above it is the other way round.
        for (ulong open = inside & newlines; open != 0;)
        {
            ulong above = 0 - ((open & (0 - open)) << 1);
            inside ^= above;
            open = inside & newlines & above;
        }

        Inside = 0 - ((inside & ~newlines) >> 63);
        return ((separators | backslashes) & ~inside) | quotes | newlines;
    }

    /// <summary>What backslashes escape; they are few, so it goes from one to the next.</summary>
    private ulong Escaped(ulong backslashes)
    {
        ulong escaped = _escaped;
        ulong rest = backslashes & ~escaped;
        _escaped = 0;
        while (rest != 0)
        {
            ulong lowest = rest & (0 - rest);
            escaped |= lowest << 1;
            _escaped = lowest >> 63;
            rest &= ~(lowest | (lowest << 1));
        }

        return escaped;
    }
}
