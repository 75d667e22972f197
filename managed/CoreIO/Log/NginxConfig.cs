// Reads the log_format directives of an nginx configuration file as nginx's own tokenizer does: quoted strings with escapes, comments,
// directives over many lines. Everything else in the file is passed over; include directives are not followed.
using System.Text;

namespace CoreIO.Log;

/// <summary>The formats of an nginx configuration file.</summary>
public static class NginxConfig
{
    /// <summary>Names and templates of all <c>log_format</c> directives, in the order of the file.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> LogFormats(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        List<KeyValuePair<string, string>> formats = [];
        List<string> words = [];
        int at = 0;
        while (Next(text, ref at, out string word, out char mark))
        {
            if (mark == '\0')
            {
                words.Add(word);
                continue;
            }

            if (mark == ';' && words.Count >= 3 && words[0] == "log_format")
            {
                int first = words[2].StartsWith("escape=", StringComparison.Ordinal) ? 3 : 2;
                formats.Add(new(words[1], string.Concat(words.Skip(first))));
            }
            else if (mark == '{' && words.Count > 0 && words[0].EndsWith("_by_lua_block", StringComparison.Ordinal))
            {
                SkipBlock(text, ref at);
            }

            words.Clear();
        }

        return formats;
    }

    // One word, or one of the marks ; { } that end a directive. False at the end of the file.
    private static bool Next(string text, ref int at, out string word, out char mark)
    {
        word = "";
        mark = '\0';
        while (at < text.Length && (char.IsWhiteSpace(text[at]) || text[at] == '#'))
        {
            if (text[at] == '#')
            {
                int end = text.IndexOf('\n', at);
                at = end < 0 ? text.Length : end;
            }
            else
            {
                at++;
            }
        }

        if (at == text.Length)
        {
            return false;
        }

        char first = text[at];
        if (first is ';' or '{' or '}')
        {
            mark = first;
            at++;
            return true;
        }

        bool quoted = first is '"' or '\'';
        StringBuilder builder = new();
        for (at += quoted ? 1 : 0; at < text.Length; at++)
        {
            char c = text[at];
            if (c == '\\' && at + 1 < text.Length)
            {
                Unescape(builder, text[++at]);
            }
            else if (quoted && c == first)
            {
                at++;
                break;
            }
            else if (!quoted && c == '$' && at + 1 < text.Length && text[at + 1] == '{')
            {
                // The brace of ${name} begins no block.
                builder.Append("${");
                at++;
            }
            else if (!quoted && (char.IsWhiteSpace(c) || c is ';' or '{'))
            {
                break;
            }
            else
            {
                builder.Append(c);
            }
        }

        word = builder.ToString();
        return true;
    }

    // nginx knows these escapes; before any other byte the backslash stays.
    private static void Unescape(StringBuilder builder, char c)
    {
        switch (c)
        {
            case '"' or '\'' or '\\':
                builder.Append(c);
                break;
            case 't':
                builder.Append('\t');
                break;
            case 'r':
                builder.Append('\r');
                break;
            case 'n':
                builder.Append('\n');
                break;
            default:
                builder.Append('\\').Append(c);
                break;
        }
    }

    // Lua between braces follows no rule of nginx's but that its braces match.
    private static void SkipBlock(string text, ref int at)
    {
        for (int depth = 1; at < text.Length && depth > 0; at++)
        {
            depth += text[at] switch { '{' => 1, '}' => -1, _ => 0 };
        }
    }
}
