namespace CoreIO.Log.Bench;

/// <summary>A question that is benched: whole work on one file, asked of every backend.</summary>
/// <param name="Name">What <c>--questions</c> calls it.</param>
/// <param name="Text">What is asked, as one would type it.</param>
/// <param name="By">Its keys; null where it is no single table.</param>
/// <param name="Stats">Its statistics.</param>
/// <param name="Needs">Fields it needs; a format without one of them is not asked by default.</param>
/// <param name="IsDefault">Whether it is asked when nobody says what.</param>
public sealed record LogBenchQuestion(
    string Name, string Text, IReadOnlyList<string>? By, IReadOnlyList<string> Stats, IReadOnlyList<string> Needs, bool IsDefault)
{
    /// <summary>The name of the question that cuts every field and asks nothing.</summary>
    public const string Lex = "lex";

    /// <summary>The name of the question that is the report without options.</summary>
    public const string Report = "report";

    /// <summary>The name of the question that mawk is asked, too.</summary>
    public const string Status = "status";

    /// <summary>The name of the question that is asked of the file compressed.</summary>
    public const string Gzip = "gzip";

    /// <summary>All questions, in the order they are asked.</summary>
    public static IReadOnlyList<LogBenchQuestion> All { get; } =
    [
        new(Lex, "lex every field", null, [], [], true),
        Table(Status, "status", "count", true),
        Table("clients", "remote_addr", "count,sum(bytes),distinct(http_user_agent)", true),
        Table("hosts", "host,status", "count,sum(bytes),p50(request_time),p99(request_time)", true),
        new(Report, "the default report", null, [], [], true),
        Table("groups", "remote_addr,request,bytes", "count", false),
        new(Gzip, "--by status of the file in gzip", ["status"], ["count"], ["status"], false),
    ];

    /// <summary>The questions for a format: the ones named, or the default ones whose fields it has.</summary>
    /// <exception cref="ArgumentException">A name is none.</exception>
    public static IReadOnlyList<LogBenchQuestion> For(ILogFormat format, IReadOnlyList<string>? names)
    {
        ArgumentNullException.ThrowIfNull(format);
        if (names is not null)
        {
            return [.. names.Select(name => All.FirstOrDefault(q => q.Name == name)
                ?? throw new ArgumentException($"'{name}' is none of {string.Join(", ", All.Select(q => q.Name))}", nameof(names)))];
        }

        HashSet<string> has = [.. format.Fields.Select(f => f.Name), .. LogDerived.Of(format)];
        bool timed = has.Contains("request_time");
        // Where hosts can be asked, clients say nothing new.
        return [.. All.Where(q => q.IsDefault && q.Needs.All(has.Contains) && !(timed && q.Name == "clients"))];
    }

    private static LogBenchQuestion Table(string name, string by, string stats, bool isDefault)
    {
        string[] keys = by.Split(',');
        string[] statistics = stats.Split(',');
        IEnumerable<string> fields = statistics.Where(s => s.Contains('(', StringComparison.Ordinal)).Select(s => s[(s.IndexOf('(') + 1)..^1]);
        string text = stats == "count" ? $"--by {by}" : $"--by {by} --stats {stats}";
        return new LogBenchQuestion(name, text, keys, statistics, [.. keys, .. fields], isDefault);
    }
}
