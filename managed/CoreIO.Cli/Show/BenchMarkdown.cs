// A bench as Markdown, to be filed with the machine, the date and the command that made it.
using System.Text;
using CoreIO.Log;
using CoreIO.Log.Bench;

namespace CoreIO.Cli.Show;

internal static class BenchMarkdown
{
    public static string Render(LogBenchResult result, string command)
    {
        StringBuilder text = new();
        text.Append($"`{command}`\n\n{BenchTables.Where(result)}. {BenchTables.How(result)}.\n");
        foreach (LogBenchInputResult input in result.Inputs)
        {
            text.Append($"\n### {LogText.Escape(BenchTables.Heading(input))}\n\n");
            Table(text, BenchTables.SpeedColumns, BenchTables.Speed(input));
            text.Append('\n');
            Table(text, BenchTables.CostColumns, BenchTables.Cost(result, input));
            text.Append('\n');
            List(text, [.. BenchTables.Legend(input), .. BenchTables.Scaling(result, input), .. BenchTables.Notes(result, input)]);
        }

        text.Append('\n');
        List(text, BenchTables.Method(result));
        return text.ToString();
    }

    public static void Table(StringBuilder text, IReadOnlyList<PageColumn> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        Row(text, columns.Select(c => c.Name));
        Row(text, columns.Select(c => c.IsNumber ? "---:" : "---"));
        foreach (IReadOnlyList<string> row in rows)
        {
            Row(text, row);
        }
    }

    private static void Row(StringBuilder text, IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");

    public static void List(StringBuilder text, IEnumerable<string> lines)
    {
        foreach (string line in lines)
        {
            text.Append("* ").Append(line).Append('\n');
        }
    }
}
