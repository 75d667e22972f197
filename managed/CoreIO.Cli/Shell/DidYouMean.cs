// Finds the word somebody meant: the nearest by edit distance, when it is near enough that the guess helps more than it distracts.
namespace CoreIO.Cli.Shell;

internal static class DidYouMean
{
    /// <summary><c>; did you mean 'x'?</c>, or nothing.</summary>
    public static string Suffix(string word, ReadOnlySpan<string> known) =>
        Nearest(word, known) is string near ? $"; did you mean '{near}'?" : "";

    /// <summary>The nearest of the known words; null when none is near.</summary>
    public static string? Nearest(string word, ReadOnlySpan<string> known)
    {
        string? nearest = null;
        // A third of the letters may differ, and the beginning of a long word is always near.
        int limit = Math.Max(1, word.Length / 3) + 1;
        foreach (string candidate in known)
        {
            int distance = word.Length >= 3 && candidate.StartsWith(word, StringComparison.OrdinalIgnoreCase)
                ? 1 : Distance(word, candidate);
            if (distance < limit)
            {
                limit = distance;
                nearest = candidate;
            }
        }

        return nearest;
    }

    /// <summary>Letters to insert, drop, replace, or swap with their neighbour.</summary>
    internal static int Distance(string a, string b)
    {
        int[,] d = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            for (int j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    d[i, j] = i + j;
                    continue;
                }

                int replace = char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1;
                d[i, j] = Math.Min(Math.Min(d[i - 1, j], d[i, j - 1]) + 1, d[i - 1, j - 1] + replace);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
                }
            }
        }

        return d[a.Length, b.Length];
    }
}
