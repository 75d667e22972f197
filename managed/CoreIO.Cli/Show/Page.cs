// What a person reads on standard output: lines and tables, drawn by Spectre.Console. Cells are text, never markup, and come escaped, so
// nothing a log holds can move a cursor or change a colour. On a terminal columns of text are cut to its width, elsewhere nothing is cut.
using System.Text;
using CoreIO.Cli.Shell;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace CoreIO.Cli.Show;

/// <summary>A column of a table.</summary>
/// <param name="Name">Its head.</param>
/// <param name="IsNumber">Whether it stands to the right and is never cut.</param>
internal readonly record struct PageColumn(string Name, bool IsNumber);

/// <summary>A colour with a meaning.</summary>
internal enum PageTone
{
    Plain,
    Strong,
    Quiet,
    Good,
    Warning,
    Bad,
}

internal sealed class Page : IDisposable
{
    // Spectre holds a whole table before it writes the first row; a longer one is drawn in pieces whose columns are measured here.
    private const int RowsAtOnce = 2000;

    // Cells between two columns.
    private const int Gap = 2;

    // A column of text keeps so many cells, even where the numbers leave it fewer: a terminal that narrow breaks the lines itself.
    private const int LeastText = 8;

    // How far lines that are no table are shortened where there is no terminal, and on a wider one.
    private const int LineWidth = 100;

    private readonly StreamWriter _writer;
    private readonly IAnsiConsole _console;
    private readonly int? _width;
    private readonly bool _color;

    public Page(Stream output, bool color, int? width = null)
    {
        _writer = new StreamWriter(output, new UTF8Encoding(false), 16 * 1024, leaveOpen: true) { NewLine = "\n" };
        _width = width ?? Terminal.Width;
        _color = color;
        _console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            // Without ANSI Spectre would reset the colours of System.Console, whose escapes do reach a terminal.
            Ansi = AnsiSupport.Yes,
            ColorSystem = color ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
            Out = new AnsiConsoleOutput(_writer),
        });
    }

    public int Width => Math.Min(_width ?? LineWidth, LineWidth);

    public void Line(string text = "", PageTone tone = PageTone.Plain)
    {
        if (text.Length > 0)
        {
            _console.Profile.Width = _width ?? Cells(text);
            _console.Write(new Text(text, StyleOf(tone)) { Overflow = Overflow.Ellipsis });
        }

        _writer.Write('\n');
    }

    /// <summary>A table; <paramref name="rows"/> are read twice, first to measure all of them.</summary>
    public void Rows(IReadOnlyList<PageColumn> columns, IEnumerable<IReadOnlyList<string>> rows, Func<int, PageTone>? tone = null)
    {
        int[] widths = Widths(columns, rows);
        // A table is as wide as its columns, so nothing is left for Spectre to cut or wrap.
        _console.Profile.Width = widths.Sum() + (Gap * (columns.Count - 1));
        int row = 0;
        foreach (IReadOnlyList<string>[] piece in rows.Chunk(RowsAtOnce))
        {
            Table table = Empty(columns, widths, head: row == 0);
            foreach (IReadOnlyList<string> cells in piece)
            {
                Style style = StyleOf(tone?.Invoke(row) ?? PageTone.Plain);
                row++;
                table.AddRow(cells.Select((cell, i) => (IRenderable)Cell(cell, columns[i], widths[i], style)));
            }

            _console.Write(table);
        }

        if (row == 0)
        {
            _console.Write(Empty(columns, widths, head: true));
        }
    }

    public void Dispose() => _writer.Dispose();

    /// <summary>The text in at most <paramref name="width"/> cells; what is cut ends in an ellipsis.</summary>
    internal static string Cut(string text, int width)
    {
        if (Cells(text) <= width)
        {
            return text;
        }

        int end = 0;
        int left = width - 1;
        foreach (Rune rune in text.EnumerateRunes())
        {
            left -= Cells(rune.ToString());
            if (left < 0)
            {
                break;
            }

            end += rune.Utf16SequenceLength;
        }

        return text[..end] + "…";
    }

    private Table Empty(IReadOnlyList<PageColumn> columns, int[] widths, bool head)
    {
        Table table = new() { Border = TableBorder.None, ShowHeaders = head };
        for (int i = 0; i < columns.Count; i++)
        {
            TableColumn column = new(Cell(columns[i].Name, columns[i], widths[i], StyleOf(PageTone.Strong)))
            {
                NoWrap = true,
                Alignment = columns[i].IsNumber ? Justify.Right : Justify.Left,
                Padding = new Padding(0, 0, i == columns.Count - 1 ? 0 : Gap, 0),
                Width = widths[i],
            };
            table.AddColumn(column);
        }

        return table;
    }

    private static Text Cell(string text, PageColumn column, int width, Style style) =>
        new(column.IsNumber ? text : Cut(text, width), style) { Justification = column.IsNumber ? Justify.Right : Justify.Left };

    private int[] Widths(IReadOnlyList<PageColumn> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        int[] widths = [.. columns.Select(c => Math.Max(1, Cells(c.Name)))];
        foreach (IReadOnlyList<string> row in rows)
        {
            for (int i = 0; i < widths.Length; i++)
            {
                widths[i] = Math.Max(widths[i], Cells(row[i]));
            }
        }

        if (_width is int width)
        {
            Fit(columns, widths, width - (Gap * (columns.Count - 1)));
        }

        return widths;
    }

    // The widest columns of text give first, down to one common width: a short column is not cut for the sake of a long one.
    private static void Fit(IReadOnlyList<PageColumn> columns, int[] widths, int room)
    {
        int[] texts = [.. Enumerable.Range(0, widths.Length).Where(i => !columns[i].IsNumber).OrderBy(i => widths[i])];
        room -= widths.Sum() - texts.Sum(i => widths[i]);
        for (int i = 0; i < texts.Length; i++)
        {
            int share = Math.Max(LeastText, room / (texts.Length - i));
            widths[texts[i]] = Math.Min(widths[texts[i]], share);
            room -= widths[texts[i]];
        }
    }

    // Cells of a terminal: most letters take one, those of East Asia two. ASCII is counted without Spectre, a million rows are many.
    private static int Cells(string text) => Ascii.IsValid(text) ? text.Length : new Segment(text).CellCount();

    private Style StyleOf(PageTone tone) => !_color ? Style.Plain : tone switch
    {
        PageTone.Strong => new Style(decoration: Decoration.Bold),
        PageTone.Quiet => new Style(Color.Grey),
        PageTone.Good => new Style(Color.Green),
        PageTone.Warning => new Style(Color.Yellow),
        PageTone.Bad => new Style(Color.Red),
        _ => Style.Plain,
    };
}
