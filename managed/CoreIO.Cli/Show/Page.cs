// What a person reads on standard output: lines and tables. Cells are text, never markup, and come escaped, so nothing a log holds can move
// a cursor or change a colour. On a terminal columns of text are cut to its width, elsewhere nothing is cut. What has colours is drawn by
// Spectre.Console, in ColoredPage.cs; without them all that is left to draw is spaces, and those are written here, because Spectre takes
// longer to load and to compile than the whole report on a small log. Both look alike, which LogShowTests holds.
using System.Text;
using CoreIO.Cli.Shell;

namespace CoreIO.Cli.Show;

/// <summary>A column of a table.</summary>
/// <param name="Name">Its head.</param>
/// <param name="IsNumber">Whether it stands to the right and is never cut.</param>
internal sealed record PageColumn(string Name, bool IsNumber);

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
    /// <summary>Cells between two columns.</summary>
    internal const int Gap = 2;

    // A column of text keeps so many cells, even where the numbers leave it fewer: a terminal that narrow breaks the lines itself.
    private const int LeastText = 8;

    // How far lines that are no table are shortened where there is no terminal, and on a wider one.
    private const int LineWidth = 100;

    // As much text is held before it goes out.
    private const int HeldText = 16 * 1024;

    private readonly Stream _output;
    private readonly StringBuilder _text = new();
    private readonly int? _width;
    private readonly ColoredPage? _colored;

    public Page(Stream output, bool color, int? width = null)
    {
        _output = output;
        _width = width ?? Terminal.Width;
        _colored = color ? new ColoredPage(_text, hasColors: true) : null;
    }

    public int Width => Math.Min(_width ?? LineWidth, LineWidth);

    public void Line(string text = "", PageTone tone = PageTone.Plain)
    {
        int cells = Cells(text);
        if (_colored is not null)
        {
            _colored.Line(text, tone, _width ?? cells);
        }
        else if (cells <= (_width ?? cells))
        {
            _text.Append(text);
        }
        else
        {
            // A terminal without colours, narrower than the line, which is broken between words.
            new ColoredPage(_text, hasColors: false).Line(text, tone, _width ?? cells);
        }

        _text.Append('\n');
        SendMuch();
    }

    /// <summary>A table; <paramref name="rows"/> are read twice, first to measure all of them.</summary>
    public void Rows(IReadOnlyList<PageColumn> columns, IEnumerable<IReadOnlyList<string>> rows, Func<int, PageTone>? tone = null)
    {
        int[] widths = Widths(columns, rows);
        if (_colored is not null)
        {
            _colored.Rows(columns, widths, rows, tone, SendMuch);
            return;
        }

        for (int i = 0; i < widths.Length; i++)
        {
            PlainCell(columns, widths, i, columns[i].Name);
        }

        foreach (IReadOnlyList<string> cells in rows)
        {
            for (int i = 0; i < widths.Length; i++)
            {
                PlainCell(columns, widths, i, cells[i]);
            }

            SendMuch();
        }
    }

    public void Dispose() => Send();

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

    // As Spectre draws it: filled up to the width of the column, the last one, too.
    private void PlainCell(IReadOnlyList<PageColumn> columns, int[] widths, int column, string text)
    {
        bool isNumber = columns[column].IsNumber;
        text = isNumber ? text : Cut(text, widths[column]);
        int left = widths[column] - Cells(text);
        if (!isNumber)
        {
            _text.Append(text);
        }

        for (int i = 0; i < left; i++)
        {
            _text.Append(' ');
        }

        if (isNumber)
        {
            _text.Append(text);
        }

        _text.Append(column == widths.Length - 1 ? "\n" : "  ");
    }

    // Between lines, so that no letter of two units is cut.
    private void SendMuch()
    {
        if (_text.Length >= HeldText)
        {
            Send();
        }
    }

    // Not a StreamWriter, which brings the types of tasks with it.
    private void Send()
    {
        if (_text.Length > 0)
        {
            byte[] bytes = ShortText.BytesOf(_text.ToString());
            _text.Clear();
            _output.Write(bytes, 0, bytes.Length);
        }
    }

    private int[] Widths(IReadOnlyList<PageColumn> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        int[] widths = new int[columns.Count];
        for (int i = 0; i < widths.Length; i++)
        {
            widths[i] = Math.Max(1, Cells(columns[i].Name));
        }

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

    // Cells of a terminal: most letters take one, those of East Asia two. ASCII is counted without Spectre, a million rows are many, and so
    // are the blocks that charts are drawn with, lest each report with one should load its tables of letters.
    private static int Cells(string text)
    {
        foreach (char letter in text)
        {
            if (!char.IsAscii(letter) && letter is not (>= '▀' and <= '▟'))
            {
                return ColoredPage.Cells(text);
            }
        }

        return text.Length;
    }
}
