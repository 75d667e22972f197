// The lines and tables of a page as Spectre.Console draws them. A file and a class of its own, so that nothing of Spectre is loaded where
// nothing has a colour.
using System.Runtime.CompilerServices;
using System.Text;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace CoreIO.Cli.Show;

internal sealed class ColoredPage
{
    // Spectre holds a whole table before it writes the first row; a longer one is drawn in pieces whose columns are measured before.
    private const int RowsAtOnce = 2000;

    private readonly IAnsiConsole _console;
    private readonly bool _hasColors;

    public ColoredPage(StringBuilder output, bool hasColors)
    {
        _hasColors = hasColors;
        _console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            // Without ANSI Spectre would reset the colours of System.Console, whose escapes do reach a terminal.
            Ansi = AnsiSupport.Yes,
            ColorSystem = hasColors ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
            Out = new AnsiConsoleOutput(new StringWriter(output)),
        });
    }

    /// <summary>Cells that a text takes in a terminal.</summary>
    // Inlined, it would need Spectre to be loaded before its caller runs.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int Cells(string text) => new Segment(text).CellCount();

    /// <summary>A line without its end, broken between words where it is wider than <paramref name="width"/> cells.</summary>
    public void Line(string text, PageTone tone, int width)
    {
        if (text.Length > 0)
        {
            // Spectre takes letters for cells where it breaks a word, and fails on one of wide letters.
            string fitting = text.Length < Cells(text) ? Page.Cut(text, width) : text;
            _console.Profile.Width = width;
            _console.Write(new Text(fitting, StyleOf(tone)) { Overflow = Overflow.Ellipsis });
        }
    }

    /// <summary>A table whose columns have these widths; <paramref name="drawn"/> is called when another piece of it is.</summary>
    public void Rows(
        IReadOnlyList<PageColumn> columns,
        int[] widths,
        IEnumerable<IReadOnlyList<string>> rows,
        Func<int, PageTone>? tone,
        Action drawn)
    {
        // A table is as wide as its columns, so nothing is left for Spectre to cut or wrap.
        _console.Profile.Width = widths.Sum() + (Page.Gap * (columns.Count - 1));
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
            drawn();
        }

        if (row == 0)
        {
            _console.Write(Empty(columns, widths, head: true));
        }
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
                Padding = new Padding(0, 0, i == columns.Count - 1 ? 0 : Page.Gap, 0),
                Width = widths[i],
            };
            table.AddColumn(column);
        }

        return table;
    }

    private static Text Cell(string text, PageColumn column, int width, Style style) => new(column.IsNumber ? text : Page.Cut(text, width), style)
    {
        Justification = column.IsNumber ? Justify.Right : Justify.Left,
    };

    private Style StyleOf(PageTone tone) => !_hasColors ? Style.Plain : tone switch
    {
        PageTone.Strong => new Style(decoration: Decoration.Bold),
        PageTone.Quiet => new Style(Color.Grey),
        PageTone.Good => new Style(Color.Green),
        PageTone.Warning => new Style(Color.Yellow),
        PageTone.Bad => new Style(Color.Red),
        _ => Style.Plain,
    };
}
