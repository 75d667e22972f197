// What is known of fields by their names: nginx's variables, and the fields derived from them (docs/formats.md, sections 5 and 6).
using CoreIO.Log;

namespace CoreIO.Managed.Log;

/// <summary>How a column is made of its source field.</summary>
internal enum Derivation
{
    AsIs,
    Address,
    Method,
    Uri,
    Path,
    Protocol,
    PathOfUri,
    StatusClass,
    Minute,
    Interval,
    Attempts,
}

/// <summary>A name of a question, resolved against a format.</summary>
/// <param name="Source">Index of the field in the line.</param>
/// <param name="Derivation">How the column is made of it.</param>
/// <param name="Kind">What the column is.</param>
/// <param name="IsList">Whether it holds one entry for each upstream attempt.</param>
/// <param name="IsFree">Whether nothing is known of the name: text, or a decimal where a number is asked for.</param>
internal readonly record struct Column(int Source, Derivation Derivation, LogKind Kind, bool IsList, bool IsFree);

internal static class FieldNames
{
    /// <summary>Highest N of a field fN.</summary>
    private const int MaxFreeField = 4096;

    /// <summary>N of the first field of <c>edge</c> after the named ones.</summary>
    private const int EdgeFirstFree = 22;

    private static readonly string[] Clocks = ["time_local", "time_iso8601", "msec"];

    private static readonly Dictionary<string, (LogKind Kind, bool IsList)> Known = BuildKnown();

    /// <summary>Texts and times that never hold a space, beside the numbers that are no lists (docs/formats.md, section 3).</summary>
    private static readonly HashSet<string> Words =
    [
        .. ("msec time_iso8601 remote_addr request_method scheme host http_host server_name server_addr server_protocol request_id "
            + "hostname").Split(' '),
    ];

    /// <summary>A derived field and where it may come from, the first that the format has.</summary>
    private static readonly (string Name, Derivation Derivation, LogKind Kind, string[] Sources)[] Derived =
    [
        ("client", Derivation.Address, LogKind.Text, ["remote_addr"]),
        ("host", Derivation.Address, LogKind.Text, ["host", "http_host", "server_name"]),
        ("bytes", Derivation.AsIs, LogKind.Integer, ["body_bytes_sent", "bytes_sent"]),
        ("method", Derivation.Method, LogKind.Text, ["request"]),
        ("method", Derivation.AsIs, LogKind.Text, ["request_method"]),
        ("uri", Derivation.Uri, LogKind.Text, ["request"]),
        ("uri", Derivation.AsIs, LogKind.Text, ["request_uri"]),
        ("path", Derivation.Path, LogKind.Text, ["request"]),
        ("path", Derivation.PathOfUri, LogKind.Text, ["request_uri", "uri"]),
        ("protocol", Derivation.Protocol, LogKind.Text, ["request"]),
        ("protocol", Derivation.AsIs, LogKind.Text, ["server_protocol"]),
        ("status_class", Derivation.StatusClass, LogKind.Text, ["status"]),
        ("minute", Derivation.Minute, LogKind.Time, Clocks),
        ("time", Derivation.Interval, LogKind.Time, Clocks),
        ("attempts", Derivation.Attempts, LogKind.Integer, ["upstream_addr", "upstream_status", "upstream_response_time"]),
    ];

    /// <summary>What a variable is by its name; false when the name is free.</summary>
    internal static bool IsKnown(string name, out LogKind kind, out bool isList)
    {
        bool found = Known.TryGetValue(name, out (LogKind Kind, bool IsList) known);
        (kind, isList) = known;
        return found;
    }

    /// <summary>What a value of this name looks like when it is a clock, in its marks above all; else nothing.</summary>
    internal static string TimePattern(string name) => name switch
    {
        "time_local" => "00/Mon/0000:00:00:00 +0000",
        "time_iso8601" => "0000-00-00T00:00:00+00:00",
        "msec" => "0.000",
        _ => "",
    };

    /// <summary>Whether a value of this name never holds a space.</summary>
    internal static bool IsWord(string name) =>
        Words.Contains(name)
        || (IsKnown(name, out LogKind kind, out bool isList) && !isList && kind is LogKind.Integer or LogKind.Seconds);

    /// <summary>Resolves a name; false when the format has no such field.</summary>
    internal static bool Resolve(CompiledFormat format, string name, out Column column)
    {
        // `host` is the one derived field that goes before a variable of its own name.
        if (name == "host" && ResolveDerived(format, name, out column))
        {
            return true;
        }

        int variable = format.IndexOf(name);
        if (variable >= 0)
        {
            Variable found = format.Variables[variable];
            column = new Column(variable, Derivation.AsIs, found.Kind, found.IsList, found.IsFree);
            return true;
        }

        return ResolveDerived(format, name, out column) || ResolveFree(format, name, out column);
    }

    /// <summary>The field that holds the line's clock, or -1.</summary>
    internal static int Clock(CompiledFormat format)
    {
        foreach (string name in Clocks)
        {
            int found = format.IndexOf(name);
            if (found >= 0)
            {
                return found;
            }
        }

        return -1;
    }

    private static bool ResolveDerived(CompiledFormat format, string name, out Column column)
    {
        foreach ((string derivedName, Derivation derivation, LogKind kind, string[] sources) in Derived)
        {
            if (derivedName != name)
            {
                continue;
            }

            foreach (string source in sources)
            {
                int found = format.IndexOf(source);
                if (found >= 0)
                {
                    column = new Column(found, derivation, kind, false, false);
                    return true;
                }
            }
        }

        column = default;
        return false;
    }

    private static bool ResolveFree(CompiledFormat format, string name, out Column column)
    {
        column = default;
        int number = FreeNumber(name);
        int source = format.Layout switch
        {
            Layout.Delimited => number - 1,
            Layout.Edge when number >= EdgeFirstFree => format.Variables.Length + number - EdgeFirstFree,
            _ => -1,
        };
        if (number == 0 || source < 0)
        {
            return false;
        }

        column = new Column(source, Derivation.AsIs, LogKind.Text, false, true);
        return true;
    }

    /// <summary>The number N of a name fN without leading zeros, or 0.</summary>
    private static int FreeNumber(string name)
    {
        if (name.Length is < 2 or > 5 || name[0] != 'f' || name[1] == '0')
        {
            return 0;
        }

        int number = 0;
        foreach (char c in name.AsSpan(1))
        {
            if (!char.IsAsciiDigit(c))
            {
                return 0;
            }

            number = (number * 10) + (c - '0');
        }

        return number <= MaxFreeField ? number : 0;
    }

    private static Dictionary<string, (LogKind Kind, bool IsList)> BuildKnown()
    {
        Dictionary<string, (LogKind Kind, bool IsList)> known = [];
        Add(LogKind.Integer, false, "status body_bytes_sent bytes_sent request_length connection connection_requests pid server_port "
            + "remote_port content_length");
        Add(LogKind.Integer, true, "upstream_status upstream_bytes_sent upstream_bytes_received upstream_response_length");
        Add(LogKind.Seconds, false, "request_time session_time");
        Add(LogKind.Seconds, true, "upstream_response_time upstream_connect_time upstream_header_time upstream_first_byte_time "
            + "upstream_session_time");
        Add(LogKind.Time, false, "time_local time_iso8601 msec");
        Add(LogKind.Text, false, "remote_addr remote_user request request_method request_uri uri scheme host http_host server_name "
            + "server_addr server_protocol http_referer http_user_agent http_x_forwarded_for upstream_cache_status ssl_protocol "
            + "ssl_cipher request_id syslog_time syslog_host tag hostname");
        Add(LogKind.Text, true, "upstream_addr");
        return known;

        void Add(LogKind kind, bool isList, string names)
        {
            foreach (string name in names.Split(' '))
            {
                known.Add(name, (kind, isList));
            }
        }
    }
}
