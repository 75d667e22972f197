// Questions for each built-in format that between them use every kind of key, statistic and filter.
using CoreIO.Log;

namespace CoreIO.Tests.Log;

internal static class Questions
{
    private static readonly string[] SizeStats =
    [
        "count", "sum(bytes)", "avg(bytes)", "min(bytes)", "max(bytes)", "p0(bytes)", "p50(bytes)", "p99.99(bytes)", "p100(bytes)", "distinct(client)",
    ];

    public static readonly string[] Formats = ["combined", "common", "main", "vhost_combined", "edge", "delimited"];

    /// <summary>Several questions for a format.</summary>
    public static IEnumerable<Question> For(string format) => format switch
    {
        "delimited" => Delimited(),
        "edge" => [.. Access(format, "host", "scheme"), .. Edge()],
        "vhost_combined" => Access(format, "host", "remote_user"),
        _ => Access(format, "protocol", "remote_user"),
    };

    private static IEnumerable<Question> Access(string format, string extra, string rare)
    {
        yield return new Question(format)
        {
            Interval = TimeSpan.FromSeconds(10),
            Tables =
            [
                Table(20, [], SizeStats),
                Table(1 << 20, ["status"], "count", "sum(bytes)"),
                Table(1 << 20, ["client", "method"], "count", "distinct(path)", "p90(bytes)"),
                Table(5, ["path", "protocol"], "count", "sum(bytes)", "distinct(uri)", "min(bytes)"),
                Table(1 << 20, ["time", "status_class"], "count", "max(bytes)"),
                Table(3, ["minute", extra], "count"),
            ],
        };
        yield return new Question(format)
        {
            Where = "status>=400 and not path^=\"/p1\" or bytes < 1000",
            Tables = [Table(9, ["request", "time_local"], "count"), Table(1 << 20, [rare], SizeStats)],
        };
        yield return new Question(format)
        {
            Where = "request =~ '(?i)^(get|m-search) /p[0-4]?[05]/' and client != \"-\"",
            Since = new DateTimeOffset(2023, 2, 27, 12, 0, 0, TimeSpan.Zero),
            Until = new DateTimeOffset(2023, 2, 27, 13, 0, 0, TimeSpan.FromHours(-1)),
            Tables = [Table(1 << 20, ["uri"], "count", "distinct(request)")],
        };
    }

    private static IEnumerable<Question> Edge()
    {
        yield return new Question("edge")
        {
            Tables =
            [
                Table(
                    1 << 20,
                    ["syslog_host", "tag", "attempts"],
                    "count",
                    "sum(upstream_response_time)",
                    "avg(request_time)",
                    "p50(request_time)",
                    "p99(upstream_response_time)",
                    "max(upstream_status)"),
                Table(6, ["f22", "f24", "upstream_addr"], "count", "distinct(f23)"),
            ],
        };
        yield return new Question("edge") { Where = "upstream_status == 200 && request_time > 0.5 or f22 == \"-\"", Tables = [Table(8, ["request_id", "pid"], "count")] };
    }

    private static IEnumerable<Question> Delimited()
    {
        yield return new Question("delimited")
        {
            Tables = [Table(1 << 20, ["f1", "f2"], "count", "distinct(f3)"), Table(4, ["f4"], "count"), Table(4, [], "count", "distinct(f1)")],
        };
        yield return new Question("delimited") { Tables = [Table(1 << 20, ["f1"], "count", "sum(f2)", "avg(f2)", "p75(f2)", "min(f2)")] };
        yield return new Question("delimited") { Where = "f1 != 17 or f3 *= 'b' or f9 == \"-\"", Tables = [Table(100, ["f5"], "count")] };
    }

    private static LogTable Table(int maxGroups, string[] by, params string[] stats) => new() { By = by, Stats = stats, MaxGroups = maxGroups };
}
