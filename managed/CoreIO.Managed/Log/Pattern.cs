// A compiled pattern: a deterministic automaton over bytes. Matching reads one table entry a byte and changes nothing.
namespace CoreIO.Managed.Log;

internal sealed class Pattern(ushort[] next, byte[] accept, byte[] classOf, int classes)
{
    internal const byte Matched = 3;
    internal const byte MatchedAtEnd = 2;

    /// <summary>Whether the pattern matches anywhere in the text.</summary>
    internal bool Matches(ReadOnlySpan<byte> text)
    {
        int state = 0;
        foreach (byte b in text)
        {
            if (accept[state] == Matched)
            {
                return true;
            }

            state = next[(state * classes) + classOf[b]];
        }

        return accept[state] != 0;
    }
}
