// Compiles a format: the name of a built-in one, or an nginx log_format template (docs/formats.md, sections 2 to 4).
using System.Text;
using CoreIO.Log;

namespace CoreIO.Managed.Log;

internal static class FormatCompiler
{
    private const string Common = "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent";
    private const string Agent = " \"$http_referer\" \"$http_user_agent\"";

    /// <summary>The fields of <c>edge</c> by name, in order; how such a line is cut is in FreeWalker.cs.</summary>
    private const string EdgeNames =
        "syslog_time syslog_host tag request_id time_local scheme server_addr server_name remote_addr status upstream_addr upstream_status "
        + "connection request request_length bytes_sent host http_user_agent http_referer request_time upstream_response_time "
        + "upstream_connect_time upstream_header_time pid";

    private static readonly Dictionary<string, string> Templates = new()
    {
        ["combined"] = Common + Agent,
        ["common"] = Common,
        ["main"] = Common + Agent + " \"$http_x_forwarded_for\"",
        ["vhost_combined"] = "$server_name:$server_port $remote_addr - $remote_user [$time_local] \"$request\" $status $bytes_sent" + Agent,
    };

    internal static CompiledFormat Compile(string text)
    {
        switch (text)
        {
            case "delimited":
                return new CompiledFormat(text, Layout.Delimited, [], new FreeWalker(isEdge: false));
            case "edge":
                return new CompiledFormat(text, Layout.Edge, [.. EdgeNames.Split(' ').Select(Describe)], new FreeWalker(isEdge: true));
            default:
                return new TemplateReader(text, Templates.GetValueOrDefault(text, text)).Read();
        }
    }

    private static Variable Describe(string name)
    {
        bool known = FieldNames.IsKnown(name, out LogKind kind, out bool isList);
        return new Variable(name, kind, isList, !known);
    }

    /// <summary>Cuts a template into variables and the text between them.</summary>
    private sealed class TemplateReader(string text, string template)
    {
        private readonly byte[] _bytes = Encoding.UTF8.GetBytes(template);
        private readonly List<Variable> _variables = [];
        private readonly List<byte[]> _literals = [];

        internal CompiledFormat Read()
        {
            if (!_bytes.Contains((byte)'$'))
            {
                throw Fault(LogFault.UnknownFormat, 0, _bytes.Length);
            }

            int literal = 0;
            int at = 0;
            while (at < _bytes.Length)
            {
                // A line never holds its own end, so such a template could fit none.
                if (_bytes[at] is (byte)'\n' or (byte)'\r')
                {
                    throw Fault(LogFault.UnexpectedText, at, 1);
                }

                if (_bytes[at] != (byte)'$')
                {
                    at++;
                    continue;
                }

                if (_variables.Count == Limits.MaxFields)
                {
                    throw Fault(LogFault.TooMany, at, _bytes.Length - at);
                }

                int next = ReadVariable(at);
                if (at == literal && _variables.Count > 1)
                {
                    throw Fault(LogFault.AdjacentVariables, at, next - at);
                }

                _literals.Add(_bytes[literal..at]);
                literal = next;
                at = next;
            }

            _literals.Add(_bytes[literal..]);
            TemplateWalker walker = new([.. _literals], [.. _variables.Select(variable => variable.Name)]);
            return new CompiledFormat(text, Layout.Template, [.. _variables], walker);
        }

        /// <summary>Reads the variable at a dollar sign and returns the byte after it.</summary>
        private int ReadVariable(int at)
        {
            bool braced = at + 1 < _bytes.Length && _bytes[at + 1] == (byte)'{';
            int begin = at + (braced ? 2 : 1);
            int end = begin;
            while (end < _bytes.Length && (char.IsAsciiLetterOrDigit((char)_bytes[end]) || _bytes[end] == (byte)'_'))
            {
                end++;
            }

            if (end == begin || (braced && (end == _bytes.Length || _bytes[end] != (byte)'}')))
            {
                throw Fault(LogFault.BadVariable, at, end - at);
            }

            _variables.Add(Describe(Encoding.UTF8.GetString(_bytes, begin, end - begin)));
            return braced ? end + 1 : end;
        }

        private LogSyntaxException Fault(LogFault fault, int offset, int length) =>
            new(LogSyntaxPart.Format, fault, text, offset, length);
    }
}
