// What is measured: one way to do one piece of work on one file. Each run is whole work, from opening the file to the answer.
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace CoreIO.Log.Bench;

/// <summary>One run's own findings; what it took is measured around it, but for floors, which measure themselves.</summary>
/// <param name="Answer">What was found, as text that is equal when the answers are; null where nothing is compared.</param>
/// <param name="Lines">Lines of the file.</param>
/// <param name="Kernel">The kernel that ran.</param>
/// <param name="ElapsedNs">Wall time.</param>
internal readonly record struct LogBenchRun(string? Answer, long Lines, string? Kernel, long ElapsedNs);

internal abstract class LogBenchContestant(string question, string text, string who)
{
    public string Question => question;

    public string Text => text;

    public string Who => who;

    /// <summary>The backend whose crossings count; null for none.</summary>
    public ICoreBackend? Backend { get; protected init; }

    /// <summary>Whether the work is done by another process.</summary>
    public bool IsForeign { get; protected init; }

    public abstract LogBenchRun Run();

    /// <summary>Makes the answer of a run into text that is equal when the answers are, and lets go of it; not part of what is measured.</summary>
    public virtual string? Conclude() => null;
}

/// <summary>A floor of a backend; lexing with it is the backend's answer to the question lex.</summary>
internal sealed class FloorContestant : LogBenchContestant
{
    private readonly ILogFloors _floors;
    private readonly LogFloor _work;
    private readonly string _path;
    private readonly ILogFormat _format;

    public FloorContestant(string question, string text, string who, ICoreBackend backend, LogFloor work, string path, ILogFormat format)
        : base(question, text, who)
    {
        Backend = backend;
        _floors = backend.Log.Floors ?? throw new ArgumentException("the backend has no floors", nameof(backend));
        _work = work;
        _path = path;
        _format = format;
    }

    public override LogBenchRun Run()
    {
        LogFloorResult result = _floors.Run(_work, _path, _format);
        string? answer = _work >= LogFloor.Scalar ? LexContestant.AnswerOf(result.Lines, result.Hits) : null;
        return new LogBenchRun(answer, result.Lines, _work is LogFloor.Newlines or LogFloor.Index or LogFloor.Lex ? result.Kernel : null, result.ElapsedNs);
    }
}

/// <summary>Lexing every field through <see cref="ILogLexer"/>, a block a call, so that a call's own cost is a small part of its lines'.</summary>
internal sealed class LexContestant : LogBenchContestant
{
    private const int BlockBytes = 512 * 1024;
    private const int RecordRoom = 8192;

    private readonly string _path;
    private readonly ILogFormat _format;
    private readonly ICoreBackend _backend;
    private readonly LogRecord[] _records = new LogRecord[RecordRoom];
    private LogField[] _fields = new LogField[BlockBytes / 4];
    private byte[] _buffer = GC.AllocateUninitializedArray<byte>(2 * BlockBytes, pinned: true);

    public LexContestant(string text, string who, ICoreBackend backend, string path, ILogFormat format)
        : base(LogBenchQuestion.Lex, text, who)
    {
        Backend = backend;
        _backend = backend;
        _path = path;
        _format = format;
    }

    public static string AnswerOf(long lines, long fields) => string.Create(CultureInfo.InvariantCulture, $"{lines} lines, {fields} fields");

    public override LogBenchRun Run()
    {
        long began = Stopwatch.GetTimestamp();
        using ILogLexer lexer = _backend.Log.CreateLexer(_format);
        using Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(_path, share: FileShare.ReadWrite | FileShare.Delete);
        long lines = 0;
        long fields = 0;
        long offset = 0;
        int filled = 0;
        for (int read = -1; read != 0;)
        {
            if (_buffer.Length - filled < BlockBytes)
            {
                Array.Resize(ref _buffer, _buffer.Length * 2);
            }

            read = RandomAccess.Read(file, _buffer.AsSpan(filled, BlockBytes), offset);
            offset += read;
            filled += read;
            int done = Lex(lexer, filled, read == 0, ref lines, ref fields);
            filled -= done;
            _buffer.AsSpan(done, filled).CopyTo(_buffer);
        }

        return new LogBenchRun(AnswerOf(lines, fields), lines, lexer.Kernel, Stopwatch.GetElapsedTime(began).Ticks * 100);
    }

    private int Lex(ILogLexer lexer, int filled, bool last, ref long lines, ref long fields)
    {
        int at = 0;
        while (at < filled)
        {
            LogLexResult result = lexer.Feed(_buffer.AsSpan(at, filled - at), last, _records, _fields);
            if (result.NeededFields > 0)
            {
                _fields = new LogField[result.NeededFields];
                continue;
            }

            lines += result.Records;
            fields += result.Fields;
            at += result.Consumed;
            // What is left begins a line that the next block ends: asking for it would be a call for nothing.
            if (result.Consumed == 0 || (!last && !_buffer.AsSpan(at, filled - at).Contains((byte)'\n')))
            {
                break;
            }
        }

        return at;
    }
}

/// <summary>A report, from its options to the rows that the command shows.</summary>
internal sealed class ReportContestant : LogBenchContestant
{
    private readonly ICoreBackend _backend;
    private readonly LogReportOptions _options;
    private LogReport? _report;

    public ReportContestant(LogBenchQuestion question, string who, ICoreBackend backend, LogReportOptions options)
        : base(question.Name, question.Text, who)
    {
        Backend = backend;
        _backend = backend;
        _options = options;
    }

    /// <summary>Groups of the question status with their counts, as <see cref="MawkContestant"/> has them; of the last run.</summary>
    public string? Counts { get; private set; }

    /// <summary>The tables as they are shown and all of their rows, sorted only here, and the totals; who answered and how fast is left out.</summary>
    public override string Conclude()
    {
        LogReport report = _report ?? throw new InvalidOperationException("nothing was asked");
        _report = null;
        Counts = Question == LogBenchQuestion.Status ? CountsOf(report.Answer.Tables[0]) : null;
        LogReport plain = report with { Backend = "", Elapsed = default, Answer = report.Answer with { Kernel = "", Workers = [] } };
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using MemoryStream text = new();
        foreach (LogReportTable table in plain.Tables)
        {
            foreach (LogReportTable rows in (LogReportTable[])[table, new LogReportTable(table.Answer, sort: null, top: 0)])
            {
                LogReportJson.Write(text, plain, rows);
                hash.AppendData(text.GetBuffer(), 0, (int)text.Length);
                text.SetLength(0);
            }
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    public override LogBenchRun Run()
    {
        long began = Stopwatch.GetTimestamp();
        _report = LogReports.Run(_backend, _options);
        long elapsed = Stopwatch.GetElapsedTime(began).Ticks * 100;
        return _report.Errors.Count > 0
            ? throw new CoreIOException(_report.Errors[0].Status, _report.Errors[0].Input)
            : new LogBenchRun(null, _report.Answer.Lines, _report.Answer.Kernel, elapsed);
    }

    private static string CountsOf(LogTableAnswer table) => string.Join('\n', table.Groups
        .Select(g => $"{(table.TryGetKey(g, 0, out ReadOnlySpan<byte> key) ? Encoding.Latin1.GetString(key) : "-")} {g.Count}")
        .Order(StringComparer.Ordinal));
}

/// <summary>Decompression alone: what a report of a gzip file is held against.</summary>
internal sealed class DecompressContestant(string path)
    : LogBenchContestant(LogBenchQuestion.Gzip, "decompress: the same file, its lines left alone", "decompress")
{
    private const int BufferBytes = 256 * 1024;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BufferBytes);

    public override LogBenchRun Run()
    {
        long began = Stopwatch.GetTimestamp();
        using LogInput input = LogInput.Open(path);
        using Stream bytes = input.AsStream();
        while (bytes.Read(_buffer) > 0)
        {
        }

        return new LogBenchRun(null, 0, null, Stopwatch.GetElapsedTime(began).Ticks * 100);
    }
}
