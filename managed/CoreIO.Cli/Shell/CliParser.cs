// Reads a command line by the tree of verbs. Help is asked for before anything else can be wrong. A line that is plainly right is read
// here; McMaster.Extensions.CommandLineUtils reads every other one and tells what is wrong with it. It would read them all alike, which
// ParserTests holds, but to load it takes as long as all else in a report on a small log.
using McMaster.Extensions.CommandLineUtils;

namespace CoreIO.Cli.Shell;

/// <summary>What a command line asks for.</summary>
/// <param name="Verb">The verb it chose.</param>
/// <param name="Path">The words that lead to it, empty for the root.</param>
/// <param name="Arguments">What it said; null when it asks for help.</param>
/// <param name="LongHelp">Whether that is the long help.</param>
internal sealed record CliRequest(CliVerb Verb, string Path, CliArguments? Arguments, bool LongHelp);

internal static class CliParser
{
    public static CliRequest Parse(CliVerb root, string[] args)
    {
        CliVerb verb = root;
        List<string> path = [];
        int at = 0;
        while (verb.Children.Length > 0 && at < args.Length && !args[at].StartsWith('-'))
        {
            CliVerb? next = verb.Child(args[at]);
            if (next is null)
            {
                throw NoVerb(verb, args[at], path);
            }

            verb = next;
            path.Add(args[at++]);
        }

        return ParseVerb(verb, string.Join(' ', path), args[at..]);
    }

    private static CliRequest ParseVerb(CliVerb verb, string path, string[] args)
    {
        int end = Array.IndexOf(args, "--");
        Span<string> options = end < 0 ? args : args.AsSpan(0, end);
        if (options.Contains("--help"))
        {
            return new CliRequest(verb, path, null, LongHelp: true);
        }

        if (options.Contains("-h"))
        {
            return new CliRequest(verb, path, null, LongHelp: false);
        }

        // Unknown options are found here first, where the nearest known one can be named.
        SplitAttached(verb, options);
        CheckNames(verb, path, options);
        return ParsePlain(verb, path, args) ?? ParseAny(verb, path, args);
    }

    /// <summary>What a line says in which each option stands once, with a value where it takes one; null for any other line.</summary>
    internal static CliRequest? ParsePlain(CliVerb verb, string path, string[] args)
    {
        Dictionary<string, string?> values = [];
        List<string> words = [];
        for (int i = 0; i < args.Length; i++)
        {
            string arg = args[i];
            if (arg == "--")
            {
                words.AddRange(args.AsSpan(i + 1));
                break;
            }

            if (arg.Length == 0)
            {
                return null;
            }

            if (arg == "-" || arg[0] != '-')
            {
                words.Add(arg);
                continue;
            }

            int equals = NameEnd(arg);
            CliOption? option = verb.Option(equals < 0 ? arg : arg.AsSpan(0, equals));
            string? value = null;
            if (option?.Value is not null)
            {
                value = equals >= 0 ? arg[(equals + 1)..] : ++i < args.Length ? args[i] : "";
            }

            if (option is null || value is "" or ['-', ..] || !values.TryAdd(option.Name, value))
            {
                return null;
            }
        }

        return words.Count > (verb.Operands is null ? 0 : verb.MaxOperands)
            ? null
            : new CliRequest(verb, path, new CliArguments(path, values, words), false);
    }

    /// <summary>What any line says, or what is wrong with it.</summary>
    internal static CliRequest ParseAny(CliVerb verb, string path, string[] args)
    {
        using CommandLineApplication app = new(NullConsole.Singleton, Environment.CurrentDirectory, throwOnUnexpectedArg: true)
        {
            AllowArgumentSeparator = true,
        };
        List<(CliOption Spec, CommandOption Option)> parsed = [];
        foreach (CliOption option in verb.Options)
        {
            string template = option.Letter is char letter ? $"-{letter}|--{option.Name}" : $"--{option.Name}";
            parsed.Add((option, app.Option(template, "", option.Value is null
                ? CommandOptionType.NoValue : CommandOptionType.SingleValue)));
        }

        CommandArgument? operands = verb.Operands is null ? null : app.Argument("OPERAND", "", multipleValues: true);
        try
        {
            _ = app.Parse(args);
        }
        catch (CommandParsingException e)
        {
            throw new UsageException(Plain(e.Message), verb, path);
        }

        Dictionary<string, string?> values = [];
        foreach ((CliOption spec, CommandOption option) in parsed)
        {
            if (option.HasValue())
            {
                values[spec.Name] = option.Value();
            }
        }

        // What stands behind `--` is operands, whatever it looks like.
        List<string> words = [.. (operands?.Values ?? []).OfType<string>(), .. app.RemainingArguments];
        if (words.Count > (verb.Operands is null ? 0 : verb.MaxOperands))
        {
            throw new UsageException($"did not expect '{words[^1]}'", verb, path);
        }

        return new CliRequest(verb, path, new CliArguments(path, values, words), false);
    }

    // `-n5` becomes `-n=5`, which the parser understands. A word that is the value of the option before it stays as it is.
    private static void SplitAttached(CliVerb verb, Span<string> args)
    {
        for (int i = 0; i < args.Length; i++)
        {
            string arg = args[i];
            if (arg.Length < 2 || arg[0] != '-')
            {
                continue;
            }

            CliOption? option = verb.Option(arg[1] == '-' ? arg : arg.AsSpan(0, 2));
            if (option?.Value is null)
            {
                continue;
            }

            if (arg.Length == 2 || arg[1] == '-')
            {
                i++;
            }
            else if (arg[2] is not ('=' or ':'))
            {
                args[i] = $"{arg[..2]}={arg[2..]}";
            }
        }
    }

    private static void CheckNames(CliVerb verb, string path, ReadOnlySpan<string> args)
    {
        bool isValue = false;
        foreach (string arg in args)
        {
            if (isValue)
            {
                isValue = false;
                continue;
            }

            if (arg.Length < 2 || arg[0] != '-')
            {
                continue;
            }

            int equals = NameEnd(arg);
            string name = equals < 0 ? arg : arg[..equals];
            CliOption? option = verb.Option(name);
            if (option is null)
            {
                throw NoOption(verb, name, path);
            }

            if (option.Value is null && equals >= 0)
            {
                throw new UsageException($"{name} takes no value", verb, path);
            }

            isValue = option.Value is not null && equals < 0;
        }

        if (isValue)
        {
            throw new UsageException($"{args[^1]} needs a value", verb, path);
        }
    }

    // On their own, so that a line without a fault loads nothing of LINQ.
    private static UsageException NoVerb(CliVerb verb, string word, List<string> path)
    {
        string[] names = [.. verb.Children.Where(v => !v.IsHidden).Select(v => v.Name)];
        return new UsageException($"no verb '{word}'{DidYouMean.Suffix(word, names)}", verb, string.Join(' ', path));
    }

    private static UsageException NoOption(CliVerb verb, string name, string path)
    {
        string[] names = [.. verb.Options.Select(o => "--" + o.Name), "--help"];
        return new UsageException($"no option '{name}'{DidYouMean.Suffix(name, names)}", verb, path);
    }

    // Where `--name=value` is cut; -1 where it has no value. Letter by letter, as all of a plain line: to search by vectors takes types that
    // a short command needs for nothing else.
    private static int NameEnd(string word)
    {
        for (int i = 0; i < word.Length; i++)
        {
            if (word[i] is '=' or ':')
            {
                return i;
            }
        }

        return -1;
    }

    // The parser's sentences begin with a capital and end with a full stop; ours are part of a line.
    private static string Plain(string message)
    {
        string line = message.Split('\n')[0].TrimEnd('.', '\r', ' ');
        return line.Length == 0 ? line : char.ToLowerInvariant(line[0]) + line[1..];
    }
}
