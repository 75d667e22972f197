// Which buffer comes next: all in turn where that is faster, else the same again.
using CoreIO.Managed.Log;

namespace CoreIO.Managed.Tests;

public sealed class TurnsTests
{
    private const int Block = 256 << 10;
    private const int Tried = 64;
    private const int Row = 8;

    [TestCase(3000, 3500, 9000, 1)]
    [TestCase(3500, 3000, 9000, Turns.Most)]
    [TestCase(3000, 3500, 1, 1, Description = "what finds the caches of the other kind does not count")]
    [TestCase(3500, 3000, 1, Turns.Most, Description = "what finds the caches of the other kind does not count")]
    [TestCase(3000, 3000, 9000, 1)]
    public void TheFasterKindIsKept(int one, int several, int first, int buffers)
    {
        Turns turns = new(Block);
        Try(ref turns, one, several, first);
        HashSet<int> seen = [];
        for (int i = 0; i < 20; i++)
        {
            seen.Add(turns.Next());

            // What is decided is decided.
            turns.Took(i % 2 == 0 ? 1 : 1_000_000);
        }

        Assert.That(seen, Has.Count.EqualTo(buffers));
    }

    [TestCase(4096, 4)]
    [TestCase(Block, 4)]
    [TestCase(Block + 1, 3)]
    [TestCase(1 << 20, 1)]
    [TestCase(16 << 20, 1)]
    public void AllBuffersTogetherAreSmall(int blockBytes, int buffers)
    {
        Turns turns = new(blockBytes);
        Assert.That(Try(ref turns, 3500, 3000, 9000), Is.EqualTo(Enumerable.Range(0, buffers)));
    }

    // Tries both kinds, but for the first half of each row, where all take as long; the buffers that were taken.
    private static SortedSet<int> Try(ref Turns turns, int one, int several, int first)
    {
        SortedSet<int> seen = [];
        for (int i = 0; i < Tried; i++)
        {
            seen.Add(turns.Next());
            turns.Took(i % Row < Row / 2 ? first : i / Row % 2 == 1 ? several : one);
        }

        return seen;
    }
}
