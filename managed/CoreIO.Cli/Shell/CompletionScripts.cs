// Completion scripts, written from the tree of verbs. All three work alike: the words before the cursor choose the verb, the word before it
// may be an option that wants a value, else verbs, options or paths are offered.
using System.Text;

namespace CoreIO.Cli.Shell;

internal static class CompletionScripts
{
    public static string Bash(CliVerb root)
    {
        StringBuilder text = new();
        text.Append(
            """
            # Completion of coreio for bash: source <(coreio completions bash)
            _coreio() {
                local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb="" word i
                for ((i = 1; i < COMP_CWORD; i++)); do
                    word=${COMP_WORDS[i]}
                    case "$verb $word" in

            """);
        foreach ((string path, CliVerb verb) in All(root).Where(v => v.Path.Length > 0))
        {
            string parent = path.Contains(' ', StringComparison.Ordinal) ? path[..path.LastIndexOf(' ')] : "";
            text.Append($"            '{parent} {verb.Name}') verb='{path}' ;;\n");
        }

        text.Append(
            """
                    esac
                done
                COMPREPLY=()
                case "$verb $prev" in

            """);
        foreach ((string path, CliVerb verb) in All(root))
        {
            foreach (CliOption option in verb.Options.Where(o => o.Value is not null))
            {
                string pattern = $"'{path} --{option.Name}'" + (option.Letter is char c ? $"|'{path} -{c}'" : "");
                string reply = option.IsPath ? "COMPREPLY=($(compgen -f -- \"$cur\"))"
                    : option.Choices.Length > 0 ? $"COMPREPLY=($(compgen -W '{string.Join(' ', option.Choices)}' -- \"$cur\"))"
                    : ":";
                text.Append($"        {pattern}) {reply}; return ;;\n");
            }
        }

        text.Append("    esac\n    case \"$verb\" in\n");
        foreach ((string path, CliVerb verb) in All(root))
        {
            string words = string.Join(' ', Words(verb));
            string files = TakesFiles(verb) ? "[[ $cur == -* ]] || COMPREPLY=($(compgen -f -- \"$cur\")); " : "";
            text.Append($"        '{path}') {files}COMPREPLY+=($(compgen -W '{words}' -- \"$cur\")) ;;\n");
        }

        text.Append("    esac\n}\ncomplete -o filenames -F _coreio coreio\n");
        return text.ToString();
    }

    public static string Zsh(CliVerb root)
    {
        StringBuilder text = new();
        text.Append(
            """
            #compdef coreio
            # Completion of coreio for zsh: source <(coreio completions zsh), after compinit
            _coreio() {
                local verb="" word i
                for ((i = 2; i < CURRENT; i++)); do
                    word=$words[i]
                    case "$verb $word" in

            """);
        foreach ((string path, CliVerb verb) in All(root).Where(v => v.Path.Length > 0))
        {
            string parent = path.Contains(' ', StringComparison.Ordinal) ? path[..path.LastIndexOf(' ')] : "";
            text.Append($"            '{parent} {verb.Name}') verb='{path}' ;;\n");
        }

        text.Append("        esac\n    done\n    case \"$verb $words[CURRENT-1]\" in\n");
        foreach ((string path, CliVerb verb) in All(root))
        {
            foreach (CliOption option in verb.Options.Where(o => o.Value is not null))
            {
                string pattern = $"'{path} --{option.Name}'" + (option.Letter is char c ? $"|'{path} -{c}'" : "");
                string reply = option.IsPath ? "_files" : option.Choices.Length > 0 ? $"compadd -- {string.Join(' ', option.Choices)}" : ":";
                text.Append($"        {pattern}) {reply}; return ;;\n");
            }
        }

        text.Append("    esac\n    case \"$verb\" in\n");
        foreach ((string path, CliVerb verb) in All(root))
        {
            string words = string.Join(' ', Described(verb).Select(w => $"'{w.Word}:{ZshText(w.Summary)}'"));
            string files = TakesFiles(verb) ? "[[ $words[CURRENT] == -* ]] || _files; " : "";
            text.Append($"        '{path}') {files}local -a all=({words}); _describe -o coreio all ;;\n");
        }

        // Autoloaded from fpath the file is the function's body; sourced it must be registered.
        text.Append("    esac\n}\nif [[ $funcstack[1] == _coreio ]]; then _coreio \"$@\"; else compdef _coreio coreio; fi\n");
        return text.ToString();
    }

    public static string Fish(CliVerb root)
    {
        StringBuilder text = new();
        text.Append(
            """
            # Completion of coreio for fish: coreio completions fish > ~/.config/fish/completions/coreio.fish
            function __coreio_verb
                set -l verb
                for word in (commandline -opc)[2..]
                    switch "$verb $word"

            """);
        foreach ((string path, CliVerb verb) in All(root).Where(v => v.Path.Length > 0))
        {
            string parent = path.Contains(' ', StringComparison.Ordinal) ? path[..path.LastIndexOf(' ')] : "";
            text.Append($"            case '{parent} {verb.Name}'\n                set verb '{path}'\n");
        }

        text.Append("        end\n    end\n    test \"$verb\" = \"$argv[1]\"\nend\ncomplete -c coreio -f\n");
        foreach ((string path, CliVerb verb) in All(root))
        {
            string when = $"-n '__coreio_verb \"{path}\"'";
            if (TakesFiles(verb))
            {
                text.Append($"complete -c coreio {when} -F\n");
            }

            foreach (CliVerb child in verb.Verbs)
            {
                text.Append($"complete -c coreio {when} -a {child.Name} -d '{FishText(child.Summary)}'\n");
            }

            if (verb.OperandChoices.Length > 0)
            {
                text.Append($"complete -c coreio {when} -a '{string.Join(' ', verb.OperandChoices)}'\n");
            }

            foreach (CliOption option in verb.Options)
            {
                string letter = option.Letter is char c ? $" -s {c}" : "";
                string value = option.Value is null ? "" : option.IsPath ? " -r -F"
                    : option.Choices.Length > 0 ? $" -x -a '{string.Join(' ', option.Choices)}'" : " -x";
                text.Append($"complete -c coreio {when} -l {option.Name}{letter}{value} -d '{FishText(option.Summary)}'\n");
            }

            text.Append($"complete -c coreio {when} -l help -s h -d 'help'\n");
        }

        return text.ToString();
    }

    private static IEnumerable<(string Path, CliVerb Verb)> All(CliVerb verb, string path = "")
    {
        yield return (path, verb);
        foreach (CliVerb child in verb.Verbs)
        {
            foreach ((string, CliVerb) below in All(child, path.Length == 0 ? child.Name : path + " " + child.Name))
            {
                yield return below;
            }
        }
    }

    private static bool TakesFiles(CliVerb verb) => verb.Operands is not null && verb.OperandChoices.Length == 0;

    private static IEnumerable<string> Words(CliVerb verb) => Described(verb).Select(w => w.Word);

    private static IEnumerable<(string Word, string Summary)> Described(CliVerb verb) =>
    [
        .. verb.Verbs.Select(v => (v.Name, v.Summary)),
        .. verb.OperandChoices.Select(c => (c, c)),
        .. verb.Options.Select(o => ("--" + o.Name, o.Summary)),
        ("--help", "help"),
    ];

    private static string ZshText(string summary) =>
        summary.Replace("'", "'\\''", StringComparison.Ordinal).Replace(":", "\\:", StringComparison.Ordinal);

    private static string FishText(string summary) =>
        summary.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal);
}
