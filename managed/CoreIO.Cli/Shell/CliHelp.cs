// Renders help from the tree of verbs: `-h` fits a screen of 24 lines by 80 columns, `--help` tells all, grouped. A test holds both.
using System.Text;

namespace CoreIO.Cli.Shell;

internal static class CliHelp
{
    private const int NameColumn = 25;
    private const int VerbColumn = 17;

    private static readonly CliOption Help = new("help", null, "all options and notes; -h shows the short list") { Letter = 'h' };

    public static string Render(CliVerb verb, string path, bool full)
    {
        StringBuilder text = new();
        string name = path.Length == 0 ? "coreio" : "coreio " + path;
        text.Append(name).Append(": ").Append(verb.Summary).Append("\n\n");
        string operands = verb.Operands is null ? "" : " " + verb.Operands;
        string usage = "Usage: ";
        if (verb.Verbs.Count == 0 || verb.Run is not null)
        {
            text.Append(usage).Append(name).Append(operands).Append(" [options]\n");
            usage = "       ";
        }

        if (verb.Verbs.Count > 0)
        {
            text.Append(usage).Append(name).Append(" VERB ...\n");
        }

        if (verb.Verbs.Count > 0)
        {
            text.Append('\n');
            foreach (CliVerb child in verb.Verbs)
            {
                Line(text, "  " + child.Name, child.Summary, VerbColumn);
                foreach (CliVerb grandchild in full ? child.Verbs : [])
                {
                    Line(text, "    " + grandchild.Name, grandchild.Summary, VerbColumn);
                }
            }
        }

        Options(text, verb, full);
        if (full)
        {
            foreach (string note in verb.Notes)
            {
                text.Append('\n').Append(note).Append('\n');
            }
        }
        else
        {
            text.Append('\n').Append(verb.Verbs.Count > 0
                ? $"'{name} VERB -h' tells more of a verb." : "").Append(verb.Verbs.Count > 0 && verb.Run is not null ? " " : "")
                .Append(verb.Verbs.Count == 0 || verb.Run is not null ? $"'{name} --help' tells all." : "").Append('\n');
        }

        return text.ToString();
    }

    private static void Options(StringBuilder text, CliVerb verb, bool full)
    {
        if (!full)
        {
            text.Append('\n');
            foreach (CliOption option in verb.Options.Where(o => o.Short).Append(Help))
            {
                Line(text, Names(option), option.Summary);
            }

            return;
        }

        string lastGroup = verb.Options.Length > 0 ? verb.Options[^1].Group : "Options";
        foreach (IGrouping<string, CliOption> group in verb.Options.Append(Help with { Group = lastGroup }).GroupBy(o => o.Group))
        {
            text.Append('\n').Append(group.Key).Append(":\n");
            foreach (CliOption option in group)
            {
                Line(text, Names(option), option.Summary);
                foreach (string line in option.More)
                {
                    text.Append(' ', NameColumn).Append(line).Append('\n');
                }
            }
        }
    }

    private static string Names(CliOption option) =>
        (option.Letter is char letter ? $"  -{letter}, --" : "      --") + option.Name + (option.Value is null ? "" : " " + option.Value);

    private static void Line(StringBuilder text, string name, string summary, int column = NameColumn)
    {
        text.Append(name);
        if (name.Length > column - 2)
        {
            text.Append('\n').Append(' ', column);
        }
        else
        {
            text.Append(' ', column - name.Length);
        }

        text.Append(summary).Append('\n');
    }
}
