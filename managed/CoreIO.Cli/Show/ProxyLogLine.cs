// One line for a finished connection, in the manner of nginx, so that `coreio log report` reads it by the template beside it. The status is what
// an HTTP server would say of such an end.
using System.Globalization;
using System.Net;
using System.Text;
using CoreIO.Log;
using CoreIO.Proxy;

namespace CoreIO.Cli.Show;

internal static class ProxyLogLine
{
    /// <summary>The format of the lines, for <c>coreio log</c>.</summary>
    public const string Template = "$remote_addr [$time_iso8601] $status $end \"$upstream_addr\" $request_length $bytes_sent $request_time "
        + "$upstream_connect_time $listener $retries \"$target\"";

    private const int InterNetwork = 2;
    private const double SecondNs = 1e9;

    public static void Append(StringBuilder lines, in ProxyRecord record, TcpProxy proxy)
    {
        string upstream = record.Upstream >= 0 ? ProxyAddress.Text(proxy.Plan.Upstreams[record.Upstream].Address) : "-";
        DateTimeOffset begin = DateTimeOffset.UnixEpoch.AddTicks(record.BeginNs / TimeSpan.NanosecondsPerTick);
        lines.Append(EndPointText(record.SourceFamily, record.Source, record.SourcePort))
            .Append(CultureInfo.InvariantCulture, $" [{begin.ToLocalTime():yyyy-MM-ddTHH:mm:sszzz}] {StatusOf(record.End)} {Name(record.End)} ")
            .Append('"').Append(LogText.Escape(upstream)).Append('"')
            .Append(CultureInfo.InvariantCulture, $" {record.BytesIn} {record.BytesOut} {record.DurationNs / SecondNs:0.000000} ")
            .Append(record.ConnectNs < 0 ? "-" : (record.ConnectNs / SecondNs).ToString("0.000000", CultureInfo.InvariantCulture))
            .Append(CultureInfo.InvariantCulture, $" {record.Listener} {record.Retries} ")
            .Append('"').Append(EndPointText(record.TargetFamily, record.Target, record.TargetPort)).Append("\"\n");
    }

    /// <summary>The reason as one word: <c>client-reset</c>.</summary>
    public static string Name(ProxyEnd end)
    {
        StringBuilder name = new();
        foreach (char c in end.ToString())
        {
            _ = char.IsUpper(c) && name.Length > 0 ? name.Append('-').Append(char.ToLowerInvariant(c)) : name.Append(char.ToLowerInvariant(c));
        }

        return name.ToString();
    }

    private static int StatusOf(ProxyEnd end) => end switch
    {
        ProxyEnd.ClientReset or ProxyEnd.ClientGone => 499,
        ProxyEnd.UpstreamReset or ProxyEnd.ConnectFailed => 502,
        ProxyEnd.ConnectTimeout => 504,
        ProxyEnd.NoUpstream => 503,
        ProxyEnd.BadHeader => 400,
        ProxyEnd.HeaderTimeout => 408,
        ProxyEnd.Limit => 429,
        ProxyEnd.Resources => 500,
        _ => 200,
    };

    private static string EndPointText(int family, ReadOnlySpan<byte> bytes, int port) => family switch
    {
        0 => "-",
        InterNetwork => ProxyAddress.Text(new IPEndPoint(new IPAddress(bytes[..4]), port)),
        _ => ProxyAddress.Text(new IPEndPoint(new IPAddress(bytes), port)),
    };
}
