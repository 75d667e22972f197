// The frame of a line: which marks a line that fits its template has, and where its fields stand between them.
//
// Marks are newlines, quotes that no backslash escapes, and outside of quotes backslashes, the bytes that values end at, and brackets in the
// literals behind them. Nearly every line of a log has the marks that its template says and no others. Such a line needs no walk: one
// comparison of the bytes of its marks tells that it fits, one of the distances between them that the literals are whole, and each field is
// known by the numbers of the marks around it. A line that does not is left to the definition in TemplateWalker.cs; what the frame accepts is
// exactly what that finds.
//
// Mark 0 of a line is the newline before it. A frame is what one vector of 32 positions and two of eight fields hold; a template that needs
// more has none.
using System.Runtime.Intrinsics;

namespace CoreIO.Managed.Log;

internal sealed class Frame
{
    /// <summary>Marks of a line, with the newline before it.</summary>
    internal const int Positions = 32;

    /// <summary>Fields that are made at once.</summary>
    internal const int Group = 8;

    /// <summary>Places behind the fields of a line that cutting it may overwrite, as it stores up to a group at a time.</summary>
    internal const int Slack = Group;

    private const int MostFields = 2 * Group;

    private Frame(bool[] isMember, Vector128<byte> only)
    {
        IsMember = isMember;
        Only = only;
    }

    /// <summary>By byte, whether it is a mark outside of quotes.</summary>
    internal bool[] IsMember { get; }

    /// <summary>
    /// By the lower half of a byte, the mark that has it, or 0x80, which is none; quotes, backslashes and newlines are left out. No two of the
    /// others have the same half.
    /// </summary>
    internal Vector128<byte> Only { get; }

    /// <summary>How many marks a line has, its newline included.</summary>
    internal int Marks { get; private set; }

    /// <summary>How many fields it has.</summary>
    internal int Fields { get; private set; }

    /// <summary>Whether the last field ends at the newline, so that a carriage return may be a part of the line end.</summary>
    internal bool IsOpen { get; private set; }

    /// <summary>The bytes of marks 1, 2, ..., and all ones for each.</summary>
    internal byte[] Values { get; } = new byte[Positions];

    internal byte[] ValueBits { get; } = new byte[Positions];

    /// <summary>The distances from mark i to mark i + 1, and all ones for those that literals say.</summary>
    internal ushort[] Gaps { get; } = new ushort[Positions];

    internal ushort[] GapBits { get; } = new ushort[Positions];

    /// <summary>
    /// The marks that fields are made of, by groups of eight. Lane 2i is the offset of field i, lane 2i + 1 its length: one position, minus
    /// another where it is a length, plus a number.
    /// </summary>
    internal ushort[] Plus { get; } = new ushort[2 * Positions];

    internal ushort[] Minus { get; } = new ushort[2 * Positions];

    internal ushort[] Add { get; } = new ushort[2 * Positions];

    /// <summary>The parts of literals that hold bytes which no marks are.</summary>
    internal Text[] Texts { get; private set; } = [];

    /// <summary>Makes the frame of a template; null where there is none.</summary>
    /// <param name="literals">The text before each variable in order, and the text after the last.</param>
    /// <param name="ends">How each variable ends.</param>
    /// <param name="words">Whether a value never holds a space.</param>
    /// <param name="times">What a value that is a time looks like, else nothing.</param>
    internal static Frame? Compile(byte[][] literals, ValueEnd[] ends, bool[] words, string[] times)
    {
        bool[] isMember = new bool[256];
        for (int i = 0; i < ends.Length; i++)
        {
            if (ends[i] == ValueEnd.Text && literals[i + 1][0] != (byte)'"')
            {
                isMember[literals[i + 1][0]] = true;
            }
        }

        bool[] withBrackets = [.. isMember];
        AddBrackets(withBrackets, literals);

        // A bracket that is a mark need not be looked at in the text; but marks take time, too, so they may only be few more.
        Frame? frame = Survey(isMember, literals, ends, words, times);
        Frame? more = Survey(withBrackets, literals, ends, words, times);
        return more is null || frame is null || more.Marks > frame.Marks + (frame.Marks / 8) ? frame : more;
    }

    private static Frame? Survey(bool[] isMember, byte[][] literals, ValueEnd[] ends, bool[] words, string[] times)
    {
        if (!FindOnly(isMember, out Vector128<byte> only))
        {
            return null;
        }

        foreach (char c in "\"\\\n")
        {
            isMember[c] = true;
        }

        Frame frame = new(isMember, only);
        return ends.Length <= MostFields && new Walk(frame).Line(literals, ends, words, times) ? frame : null;
    }

    /// <summary>
    /// Makes marks of the brackets inside literals, where no other mark has their lower half. No URI holds them as they are (RFC 3986,
    /// section 2), and values without quotes hardly do.
    /// </summary>
    private static void AddBrackets(bool[] isMember, byte[][] literals)
    {
        foreach (byte b in literals.SelectMany(literal => literal).Where(b => b is (byte)'[' or (byte)']' or (byte)'{' or (byte)'}'))
        {
            bool isTaken = false;
            for (int other = b & 15; other < isMember.Length; other += 16)
            {
                isTaken |= isMember[other];
            }

            isMember[b] |= !isTaken;
        }
    }

    private static bool FindOnly(bool[] isMember, out Vector128<byte> only)
    {
        // No ASCII byte is 0x80, nor is a byte above them what a shuffle makes of it, which is 0.
        Span<byte> found = stackalloc byte[16];
        found.Fill(0x80);
        only = default;
        for (int b = 0; b < isMember.Length; b++)
        {
            if (!isMember[b])
            {
                continue;
            }

            if (!IsRareInValues((char)b) || found[b & 15] != 0x80)
            {
                return false;
            }

            found[b & 15] = (byte)b;
        }

        only = Vector128.Create<byte>(found);
        return true;
    }

    /// <summary>Whether a byte may be a mark. A zero is what kernels put behind a text.</summary>
    private static bool IsRareInValues(char c) => char.IsAscii(c) && c != '\0' && !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '.' or '_');

    /// <summary>Up to eight bytes of a literal.</summary>
    /// <param name="Mark">The mark that <paramref name="Offset"/> counts from.</param>
    /// <param name="Offset">Where they stand.</param>
    /// <param name="Part">The bytes.</param>
    internal readonly record struct Text(int Mark, int Offset, Literal Part);

    /// <summary>The walk along a template that numbers the marks.</summary>
    private struct Walk(Frame frame)
    {
        private readonly List<Text> _texts = [];

        /// <summary>How many bytes the last literal ended behind the last mark.</summary>
        private int _behind;

        /// <summary>Whether quotes are open.</summary>
        private bool _inside;

        /// <summary>Numbers the marks from the beginning of a line to its newline; false when there is no frame.</summary>
        internal bool Line(byte[][] literals, ValueEnd[] ends, bool[] words, string[] times)
        {
            // A line begins one byte behind the newline before it.
            if (!Take(literals[0], 1))
            {
                return false;
            }

            for (int i = 0; i < ends.Length; i++)
            {
                bool quoted = ends[i] == ValueEnd.Quote;
                int begin = frame.Marks;
                int offset = _behind;
                if (_inside != quoted || (!quoted && !IsTold(words[i], times[i], literals[i + 1])))
                {
                    return false;
                }

                AddField(begin, offset);
                if (literals[i + 1].Length > 0 && !Take(literals[i + 1], 0))
                {
                    return false;
                }
            }

            frame.Texts = [.. _texts];
            frame.IsOpen = ends[^1] == ValueEnd.Line;
            if (!frame.IsOpen)
            {
                AddGap(_behind);
            }

            return AddMark((byte)'\n');
        }

        /// <summary>The field that ends at the next mark.</summary>
        private readonly void AddField(int begin, int offset)
        {
            int lane = (frame.Fields / Group * Positions) + (frame.Fields % Group * 2);
            frame.Plus[lane] = (ushort)begin;
            frame.Plus[lane + 1] = (ushort)(frame.Marks + 1);
            frame.Minus[lane + 1] = (ushort)begin;
            frame.Add[lane] = (ushort)offset;
            frame.Add[lane + 1] = (ushort)-offset;
            frame.Fields++;
        }

        private readonly void AddGap(int distance)
        {
            frame.Gaps[frame.Marks] = (ushort)distance;
            frame.GapBits[frame.Marks] = ushort.MaxValue;
        }

        /// <summary>Notes the next mark; false when there are too many, and when it would be hidden in quotes.</summary>
        private bool AddMark(byte b)
        {
            if (frame.Marks == Positions - 1 || (_inside && b != (byte)'"'))
            {
                return false;
            }

            _inside ^= b == (byte)'"';
            frame.Values[frame.Marks] = b;
            frame.ValueBits[frame.Marks++] = byte.MaxValue;
            return true;
        }

        /// <summary>
        /// Notes a literal that begins so far behind the last mark, or at a new one when <paramref name="offset"/> is 0: its marks, the
        /// distances between them, and its other bytes. False when a line with it has no frame.
        /// </summary>
        private bool Take(byte[] literal, int offset)
        {
            int first = frame.Marks;
            bool others = false;
            _behind = offset;
            for (int i = 0; i < literal.Length; i++, _behind++)
            {
                if (literal[i] == (byte)'\\')
                {
                    return false;
                }

                if (!frame.IsMember[literal[i]])
                {
                    others = true;
                    continue;
                }

                bool begins = i == 0 && offset == 0;
                if (!begins)
                {
                    AddGap(_behind);
                }

                if (!AddMark(literal[i]))
                {
                    return false;
                }

                first = begins ? frame.Marks : first;
                _behind = 0;
            }

            for (int i = 0; others && i < literal.Length; i += sizeof(ulong))
            {
                _texts.Add(new Text(first, offset + i, new Literal(literal[i..Math.Min(i + sizeof(ulong), literal.Length)])));
            }

            return true;
        }

        /// <summary>
        /// Notes the marks inside a value. False when a frame would do harm or little good: a byte that begins the text behind the value could
        /// end it, a space that must not be there is no mark, and a sign is as often another one.
        /// </summary>
        private bool IsTold(bool isWord, string time, byte[] after)
        {
            foreach (char c in time)
            {
                if (frame.IsMember[c] && (c == '+' || (after.Length > 0 && (byte)c == after[0]) || !AddMark((byte)c)))
                {
                    return false;
                }
            }

            return !isWord || frame.IsMember[' '];
        }
    }
}
