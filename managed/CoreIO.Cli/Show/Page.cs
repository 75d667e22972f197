// What a person reads on standard output: lines and tables, drawn by Spectre.Console. Cells are text, never markup, and come escaped, so
// nothing a log holds can move a cursor or change a colour. On a terminal columns are cut to its width, elsewhere nothing is.
using CoreIO.Cli.Shell;
using Spectre.Console;

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
    // Spectre measures every row before it writes the first; a longer table is drawn in pieces whose columns are measured here.
    private const int RowsAtOnce = 2000;

    private readonly StreamWriter _writer;
    private readonly IAnsiConsole _console;
    private readonly int _width;

    public Page(Stream output, bool color, int? width = null)
    {
        _writer = new StreamWriter(output, new System.Text.UTF8Encoding(false), 16 * 1024, leaveOpen: true) { NewLine = "\n" };
        _width = width ?? Terminal.Width;
        _console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = color ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = color ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
            Out = new AnsiConsoleOutput(_writer),
        });
        _console.Profile.Width = _width;
    }

    public int Width => Math.Min(_width, 100);

    public void Line(string text = "", PageTone tone = PageTone.Plain)
    {
        if (text.Length > 0)
        {
            _console.Write(new Text(text, StyleOf(tone)) { Overflow = Overflow.Ellipsis });
        }

        _writer.Write('\n');
    }

    public void Rows(IReadOnlyList<PageColumn> columns, IEnumerable<IReadOnlyList<string>> rows, Func<int, PageTone>? tone = null)
    {
        int[]? widths = null;
        int row = 0;
        foreach (IReadOnlyList<string>[] piece in rows.Chunk(RowsAtOnce))
        {
            // The first piece fixes the columns of the others, which differ little: rows are sorted, so the longest numbers come first.
            widths ??= piece.Length == RowsAtOnce ? Widths(columns, piece) : null;
            Table table = Empty(columns, widths, head: row == 0);
            foreach (IReadOnlyList<string> cells in piece)
            {
                PageTone rowTone = tone?.Invoke(row) ?? PageTone.Plain;
                row++;
                table.AddRow(cells.Select((cell, i) => (Spectre.Console.Rendering.IRenderable)Cell(cell, columns[i], rowTone)));
            }

            _console.Write(table);
        }

        if (row == 0)
        {
            _console.Write(Empty(columns, null, head: true));
        }
    }

    public void Dispose() => _writer.Dispose();

    private static Table Empty(IReadOnlyList<PageColumn> columns, int[]? widths, bool head)
    {
        Table table = new() { Border = TableBorder.None, ShowHeaders = head };
        for (int i = 0; i < columns.Count; i++)
        {
            TableColumn column = new(new Text(columns[i].Name, new Style(decoration: Decoration.Bold)))
            {
                NoWrap = columns[i].IsNumber,
                Alignment = columns[i].IsNumber ? Justify.Right : Justify.Left,
                Padding = new Padding(0, 0, i == columns.Count - 1 ? 0 : 2, 0),
                Width = widths?[i],
            };
            table.AddColumn(column);
        }

        return table;
    }

    private static Text Cell(string text, PageColumn column, PageTone tone) => new(text, StyleOf(tone))
    {
        Overflow = Overflow.Ellipsis,
        Justification = column.IsNumber ? Justify.Right : Justify.Left,
    };

    private static int[] Widths(IReadOnlyList<PageColumn> columns, IReadOnlyList<string>[] rows) =>
        [.. columns.Select((c, i) => Math.Max(c.Name.Length, rows.Max(r => r[i].Length)))];

    private static Style StyleOf(PageTone tone) => tone switch
    {
        PageTone.Strong => new Style(decoration: Decoration.Bold),
        PageTone.Quiet => new Style(Color.Grey),
        PageTone.Good => new Style(Color.Green),
        PageTone.Warning => new Style(Color.Yellow),
        PageTone.Bad => new Style(Color.Red),
        _ => Style.Plain,
    };
}
