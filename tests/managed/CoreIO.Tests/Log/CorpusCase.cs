// A case of tests/corpus/log: a question in NAME.args, its log, and what must come out. README.md there describes the files.
using System.Globalization;
using System.IO.Compression;
using CoreIO.Log;
using CoreIO.Testing;

namespace CoreIO.Tests.Log;

internal sealed class CorpusCase
{
    private readonly Dictionary<string, string> _arguments;

    private CorpusCase(string name, Dictionary<string, string> arguments)
    {
        Name = name;
        _arguments = arguments;
    }

    /// <summary>Whether expected results are rewritten instead of compared.</summary>
    public static bool Accept { get; } = Environment.GetEnvironmentVariable("COREIO_ACCEPT") == "1";

    public static string Folder { get; } = Repository.PathOf("tests/corpus/log");

    public string Name { get; }

    public string LogPath => Path.GetFullPath(Path.Combine(Folder, Get("log") ?? Name + ".log"));

    public string ExpectedPath => Path.Combine(Folder, Name + ".expected.json");

    public string LexExpectedPath => Path.Combine(Folder, Name + ".lex.expected");

    public bool Lexes => Get("lex") == "yes";

    /// <summary>The format that <c>auto</c> must take, where the case is about that.</summary>
    public string? FormatTaken => Get("takes");

    /// <summary>The format for a lexer, which knows no <c>auto</c> and no files.</summary>
    public string LexFormat => FormatTaken ?? (Format.StartsWith('@') ? LogFormatSource.FromFile(Format) : Format);

    /// <summary>As it is asked; the path of an <c>@FILE:NAME</c> is meant from the root of the repository.</summary>
    private string Format => Get("format") is not string format ? LogFormatSource.Auto
        : format.StartsWith('@') ? "@" + Repository.PathOf(format[1..])
        : format;

    public static IEnumerable<string> Names() =>
        Directory.GetFiles(Folder, "*.args").Select(path => Path.GetFileNameWithoutExtension(path)!).Order(StringComparer.Ordinal);

    public static CorpusCase Read(string name)
    {
        Dictionary<string, string> arguments = [];
        string[] known = ["log", "lex", "takes", "format", "by", "stats", "where", "interval", "since", "until", "max_groups", "top", "sort"];
        foreach (string line in File.ReadLines(Path.Combine(Folder, name + ".args")).Where(line => line.Length > 0 && line[0] != '#'))
        {
            string[] parts = line.Split(' ', 2);
            Assert.That(known, Does.Contain(parts[0]), $"{name}.args");
            arguments.Add(parts[0], parts[1]);
        }

        return new CorpusCase(name, arguments);
    }

    /// <summary>The log as the lines that are read: decompressed.</summary>
    public byte[] Bytes()
    {
        if (!LogPath.EndsWith(".gz", StringComparison.Ordinal))
        {
            return File.ReadAllBytes(LogPath);
        }

        using MemoryStream bytes = new();
        using GZipStream gzip = new(File.OpenRead(LogPath), CompressionMode.Decompress);
        gzip.CopyTo(bytes);
        return bytes.ToArray();
    }

    public LogReportOptions Options(string path, LogScanOptions scan) => new()
    {
        Inputs = [path],
        Format = Format,
        Where = Get("where"),
        Interval = Get("interval") is string interval ? Duration(interval) : TimeSpan.Zero,
        Since = Moment("since"),
        Until = Moment("until"),
        Tables = _ =>
        [
            new LogReportTableOptions
            {
                Table = new LogTable
                {
                    By = Split(Get("by")),
                    Stats = Get("stats") is string stats ? Split(stats) : ["count"],
                    MaxGroups = Get("max_groups") is string groups ? int.Parse(groups, CultureInfo.InvariantCulture) : 1 << 20,
                },
                Sort = Get("sort"),
                Top = Get("top") is string top ? int.Parse(top, CultureInfo.InvariantCulture) : 0,
            },
        ],
        Scan = scan,
    };

    public override string ToString() => Name;

    private static string[] Split(string? list) => list is null ? [] : list.Split(',');

    private static TimeSpan Duration(string text)
    {
        int number = int.Parse(text[..^1], CultureInfo.InvariantCulture);
        return text[^1] switch
        {
            's' => TimeSpan.FromSeconds(number),
            'm' => TimeSpan.FromMinutes(number),
            'h' => TimeSpan.FromHours(number),
            _ => throw new FormatException($"'{text}' is no interval"),
        };
    }

    private LogMoment? Moment(string name) => Get(name) is not string text ? null
        : LogMoment.TryParse(text, out LogMoment moment) ? moment
        : throw new FormatException($"'{text}' is no time");

    private string? Get(string name) => _arguments.GetValueOrDefault(name);
}
