namespace CoreIO.Log;

/// <summary>Which derived fields a format has (docs/formats.md, section 6).</summary>
public static class LogDerived
{
    /// <summary>The names, in the order of the documentation.</summary>
    public static IReadOnlyList<string> Of(ILogFormat format)
    {
        ArgumentNullException.ThrowIfNull(format);
        List<string> has = NamesOf(format);
        bool request = has.Contains("request");
        bool clock = Array.Exists(LogClock.Fields, has.Contains);
        List<string> derived = [];
        Add("client", has.Contains("remote_addr"));
        Add("host", has.Contains("host") || has.Contains("http_host") || has.Contains("server_name"));
        Add("bytes", has.Contains("body_bytes_sent") || has.Contains("bytes_sent"));
        Add("method", request || has.Contains("request_method"));
        Add("uri", request || has.Contains("request_uri"));
        Add("path", request || has.Contains("request_uri") || has.Contains("uri"));
        Add("protocol", request || has.Contains("server_protocol"));
        Add("status_class", has.Contains("status"));
        Add("minute", clock);
        Add("time", clock);
        Add("attempts", has.Contains("upstream_addr") || has.Contains("upstream_status") || has.Contains("upstream_response_time"));
        return derived;

        void Add(string name, bool there)
        {
            if (there)
            {
                derived.Add(name);
            }
        }
    }

    /// <summary>The names of the fields that are written in a line.</summary>
    internal static List<string> NamesOf(ILogFormat format)
    {
        List<string> names = [];
        foreach (LogFieldInfo field in format.Fields)
        {
            names.Add(field.Name);
        }

        return names;
    }
}
