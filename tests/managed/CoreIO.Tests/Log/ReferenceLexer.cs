// The free lexer and the templates of docs/formats.md, sections 2 and 3, written from the page and for reading: what the fast ones are held
// against. Works on one line without its end.
using System.Text;

namespace CoreIO.Tests.Log;

internal static class ReferenceLexer
{
    private static readonly HashSet<string> Words =
    [
        "status", "body_bytes_sent", "bytes_sent", "request_length", "connection", "connection_requests", "pid", "server_port", "remote_port",
        "content_length", "request_time", "session_time", "msec", "time_iso8601", "remote_addr", "request_method", "scheme", "host", "http_host",
        "server_name", "server_addr", "server_protocol", "request_id", "hostname",
    ];

    /// <summary>The fields of a line by the free lexer, or the name of the reason it is rejected for.</summary>
    public static (string Reason, List<string> Fields) Free(string line)
    {
        List<string> fields = [];
        StringBuilder open = new();
        bool bars = false;
        bool stretchHolds = false;
        for (int i = 0; i < line.Length; i++)
        {
            char c = line[i];
            if (c is not (' ' or '\t' or '|' or '"' or '['))
            {
                open.Append(c);
                continue;
            }

            stretchHolds |= TakeOpen(fields, open);
            if (c == '|')
            {
                if (!stretchHolds)
                {
                    fields.Add("");
                }

                bars = true;
                stretchHolds = false;
            }
            else if (c is '"' or '[')
            {
                char close = c == '"' ? '"' : ']';
                int end = i + 1;
                while (end < line.Length && line[end] != close)
                {
                    end += line[end] == '\\' ? 2 : 1;
                }

                if (end >= line.Length)
                {
                    return ("open_delimiter", []);
                }

                fields.Add(line[(i + 1)..end]);
                stretchHolds = true;
                i = end;
            }
        }

        stretchHolds |= TakeOpen(fields, open);
        if (bars && !stretchHolds)
        {
            fields.Add("");
        }

        return ("parsed", fields);
    }

    /// <summary>The fields of a line by a template: the texts around the variables, and their names.</summary>
    public static (string Reason, List<string> Fields) Template(string[] texts, string[] names, string line)
    {
        if (!line.StartsWith(texts[0], StringComparison.Ordinal))
        {
            return ("missing_text", []);
        }

        List<string> fields = [];
        int at = texts[0].Length;
        for (int i = 0; i < names.Length; i++)
        {
            string after = texts[i + 1];
            bool last = after.Length == 0;
            bool quoted = !last && texts[i].EndsWith('"') && after[0] == '"';
            int end = last ? line.Length : quoted ? Quote(line, at) : line.IndexOf(after, at, StringComparison.Ordinal);
            if (end < 0)
            {
                return (quoted ? "open_delimiter" : "missing_text", []);
            }

            if (string.CompareOrdinal(line, end, after, 0, after.Length) != 0)
            {
                return ("missing_text", []);
            }

            string value = line[at..end];
            if (!quoted && Words.Contains(names[i]) && value.Contains(' ', StringComparison.Ordinal))
            {
                return (last ? "trailing_text" : "missing_text", []);
            }

            fields.Add(value);
            at = end + after.Length;
        }

        return at == line.Length ? ("parsed", fields) : ("trailing_text", []);
    }

    private static bool TakeOpen(List<string> fields, StringBuilder open)
    {
        bool any = open.Length > 0;
        if (any)
        {
            fields.Add(open.ToString());
            open.Clear();
        }

        return any;
    }

    private static int Quote(string line, int at)
    {
        while (at < line.Length && line[at] != '"')
        {
            at += line[at] == '\\' ? 2 : 1;
        }

        return at < line.Length ? at : -1;
    }
}
