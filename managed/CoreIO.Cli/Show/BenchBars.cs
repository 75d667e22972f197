namespace CoreIO.Cli.Show;

/// <summary>A bar of a bench.</summary>
/// <param name="Label">Whose it is.</param>
/// <param name="Figure">What it shows, as text.</param>
/// <param name="Part">Its length, as a part of the longest.</param>
internal readonly record struct BenchBar(string Label, string Figure, double Part);

/// <summary>Bars of a bench, drawn in eighths of a cell.</summary>
internal static class BenchBars
{
    private const int LeastRoom = 10;

    /// <summary>A line for each bar; the longest takes the whole width.</summary>
    public static IEnumerable<string> Lines(IReadOnlyCollection<BenchBar> bars, int width)
    {
        if (bars.Count == 0)
        {
            return [];
        }

        int label = bars.Max(bar => bar.Label.Length);
        int figure = bars.Max(bar => bar.Figure.Length);
        int room = Math.Max(LeastRoom, width - label - figure - 2);
        return bars.Select(bar =>
        {
            int eighths = (int)Math.Max(1, bar.Part * room * 8);
            string drawn = new string('█', eighths / 8) + (eighths % 8 > 0 ? "▏▎▍▌▋▊▉"[(eighths % 8) - 1].ToString() : "");
            return $"{bar.Label.PadRight(label)} {bar.Figure.PadLeft(figure)} {drawn}";
        });
    }
}
