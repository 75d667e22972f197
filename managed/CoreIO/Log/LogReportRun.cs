// One report from its options to its answer: finds the format, starts the scan, reads every input, collects what could not be read, and
// sorts the rows. Inputs are read one after the other, but for several gzip files, which a crew reads meanwhile. Blocks its caller; Progress and Stop may be called from any thread. A fault of one input never ends the others.
using System.Diagnostics;

namespace CoreIO.Log;

/// <summary>How far a report is.</summary>
/// <param name="BytesDone">Bytes read, as they lie on the disk.</param>
/// <param name="BytesTotal">Bytes of all inputs, or -1 when a stream is among them.</param>
public readonly record struct LogReportProgress(long BytesDone, long BytesTotal);

/// <summary>A report that is being made.</summary>
public sealed class LogReportRun : IDisposable
{
    private const int GzipBlockBytes = 1 << 20;

    private readonly ICoreBackend _backend;
    private readonly LogReportOptions _options;
    private readonly LogInput?[] _opened;
    private readonly List<LogInputError> _errors = [];
    private readonly long _startedAt = Stopwatch.GetTimestamp();
    private IReadOnlyList<LogReportTableOptions> _tables = [];
    private LogFormatChoice? _format;
    private RejectsFile? _rejects;
    private RejectsSpool? _spool;
    private Stream? _rejectsInOrder;
    private int _offsetMinutes;
    private long _bytesTotal;
    private long _bytesBefore;
    private int _inputsRead;
    private volatile ILogScan? _scan;
    private volatile GzipCrew? _crew;
    private volatile LogInput? _reading;
    private volatile bool _stopped;

    /// <summary>Takes the options; no work is done before <see cref="Start"/>.</summary>
    public LogReportRun(ICoreBackend backend, LogReportOptions options)
    {
        ArgumentNullException.ThrowIfNull(backend);
        ArgumentNullException.ThrowIfNull(options);
        _backend = backend;
        _options = options;
        _opened = new LogInput?[options.Inputs.Count];
    }

    /// <summary>Whether <see cref="Start"/> has found the format, which it does before it looks at the question.</summary>
    public bool HasFormat => _format is not null;

    /// <summary>The format, once it is found.</summary>
    public LogFormatChoice Format => _format ?? throw new InvalidOperationException("The report is not started.");

    /// <summary>How far it is. Any thread.</summary>
    public LogReportProgress Progress =>
        new(Volatile.Read(ref _bytesBefore) + BytesOf(_reading) + (_crew?.BytesDone ?? 0), _bytesTotal);

    /// <summary>
    /// Makes <see cref="Finish"/> end soon with an <see cref="OperationCanceledException"/>; where it waits for a stream, with the next
    /// bytes of it. Any thread.
    /// </summary>
    public void Stop()
    {
        _stopped = true;
        // Either the scan is seen here, or the stop is seen before the first input is read.
        Interlocked.MemoryBarrier();
        _scan?.Stop();
        _crew?.Stop();
    }

    /// <summary>Finds the format, compiles the question and starts the workers; all that is wrong with the question is told here.</summary>
    /// <exception cref="CoreIOException">The question, the format, a name or the file for rejects is wrong.</exception>
    public void Start()
    {
        LogSample sample = TakeSample();
        _format = LogFormatSource.Find(_backend.Log, _options.Format, sample);
        _offsetMinutes = LogFormatSource.OffsetMinutes(_backend.Log, _format.Format, sample);
        _tables = _options.Tables(_format.Format);
        foreach (LogReportTableOptions table in _tables)
        {
            LogOrder.Check(table.Table, table.Sort);
        }

        LogTable[] questions = new LogTable[_tables.Count];
        for (int i = 0; i < questions.Length; i++)
        {
            questions[i] = _tables[i].Table;
        }

        LogQuery query = new()
        {
            Format = _format.Format,
            Where = _options.Where,
            Since = _options.Since?.In(_offsetMinutes),
            Until = _options.Until?.In(_offsetMinutes),
            Interval = _options.Interval,
            Tables = questions,
        };
        _rejects = _options.RejectsPath is null ? null : RejectsFile.Open(_options.RejectsPath, _options.Inputs);
        int[] gzips = GzipFiles();
        LogScanOptions own = OwnOptions(gzips.Length);
        LogScanOptions? shared = SharedOptions(own, gzips.Length);
        _spool = shared is not null && _rejects is not null ? RejectsSpool.Create() : null;
        _scan = _backend.Log.CreateScan(query, own with { Rejects = _spool?.Handle ?? _rejects?.Handle });
        if (shared is not null)
        {
            HireCrew(shared, gzips);
        }

        // Only now is it certain that the work begins, so only now is what the file held before given up.
        _rejects?.Begin();
        _rejectsInOrder = _spool is null ? null : _rejects!.OpenStream();
        _bytesTotal = TotalBytes();
    }

    /// <summary>Reads every input and returns the answer.</summary>
    /// <exception cref="OperationCanceledException"><see cref="Stop"/> was called.</exception>
    /// <exception cref="CoreIOException">The rejected lines cannot be written, or memory did not suffice.</exception>
    public LogReport Finish()
    {
        ILogScan scan = _scan ?? throw new InvalidOperationException("The report is not started.");
        Interlocked.MemoryBarrier();
        _crew?.Start();
        for (int i = 0; i < _options.Inputs.Count; i++)
        {
            ThrowIfStopped();
            if (_crew?.Has(i) == true)
            {
                TakeFromCrew(i);
            }
            else
            {
                ReadInput(scan, i);
            }
        }

        ThrowIfStopped();
        MergeCrew(scan);
        LogAnswer answer = scan.Finish();
        List<LogReportTable> tables = [];
        for (int i = 0; i < _tables.Count; i++)
        {
            tables.Add(new LogReportTable(answer.Tables[i], _tables[i].Sort, _tables[i].Top));
        }

        return new LogReport
        {
            Answer = answer,
            Tables = tables,
            Format = Format,
            Backend = _backend.Name,
            Elapsed = Stopwatch.GetElapsedTime(_startedAt),
            OffsetMinutes = _offsetMinutes,
            InputsRead = _inputsRead,
            Errors = _errors,
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _crew?.Dispose();
        _scan?.Dispose();
        _spool?.Dispose();
        _format?.Format.Dispose();
        _rejects?.Dispose();
        foreach (LogInput? input in _opened)
        {
            input?.Dispose();
        }
    }

    // The first input that has lines tells the format. Inputs opened on the way stay open: a pipe can be read only once.
    private LogSample TakeSample()
    {
        for (int i = 0; i < _opened.Length; i++)
        {
            if (TryOpen(i) is LogInput input)
            {
                ReadOnlySpan<byte> sample = input.Sample(out bool end);
                if (!sample.IsEmpty)
                {
                    return new LogSample(sample.ToArray(), end);
                }
            }
        }

        return LogSample.Empty;
    }

    private LogInput? TryOpen(int index)
    {
        if (_opened[index] is null && !IsBlamed(index))
        {
            try
            {
                _opened[index] = LogInput.Open(_options.Inputs[index]);
                _inputsRead++;
            }
            catch (CoreIOException e)
            {
                Blame(index, e);
            }
        }

        return _opened[index];
    }

    private bool IsBlamed(int index)
    {
        foreach (LogInputError error in _errors)
        {
            if (ReferenceEquals(error.Input, _options.Inputs[index]))
            {
                return true;
            }
        }

        return false;
    }

    private void ReadInput(ILogScan scan, int index)
    {
        LogInput? input = TryOpen(index);
        if (input is null)
        {
            return;
        }

        _reading = input;
        long rejectsBegin = _spool?.Length ?? 0;
        try
        {
            scan.Number(index);
            if (input.IsPlainFile)
            {
                _ = scan.ReadFile(input.Name);
            }
            else
            {
                input.FeedTo(scan, ThrowIfStopped);
            }
        }
        catch (CoreIOException e) when (e.Status == StatusCode.Closed && _stopped)
        {
            throw new OperationCanceledException();
        }
        catch (CoreIOException) when (scan.Progress.RejectsStatus != 0)
        {
            // No input is to blame, and the counts of a report without its rejects would be wrong.
            throw RejectsFault(scan.Progress.RejectsStatus);
        }
        catch (CoreIOException e)
        {
            ThrowIfNoMemory(e);
            Blame(index, e);
        }
        finally
        {
            Volatile.Write(ref _bytesBefore, _bytesBefore + BytesOf(input));
            _reading = null;
            _opened[index] = null;
            input.Dispose();
        }

        CopyRejects(_spool, rejectsBegin, _spool?.Length ?? 0);
    }

    // How much of an input that this run reads itself was read.
    private long BytesOf(LogInput? input) => input is null ? 0
        : !input.IsPlainFile && input.FileBytes >= 0 ? input.FilePosition
        : _scan?.Progress.BytesDone ?? 0;

    private void TakeFromCrew(int index)
    {
        GzipFileResult result = _crew!.Wait(index) ?? throw new OperationCanceledException();
        _inputsRead += result.IsOpened ? 1 : 0;
        if (result.RejectsStatus != 0)
        {
            throw RejectsFault(result.RejectsStatus);
        }

        if (result.Fault is not null)
        {
            ThrowIfNoMemory(result.Fault);
            Blame(index, result.Fault);
        }

        CopyRejects(result.Spool, result.RejectsBegin, result.RejectsEnd);
    }

    private void MergeCrew(ILogScan scan)
    {
        try
        {
            _crew?.MergeInto(scan);
        }
        catch (CoreIOException e) when (e.Status == StatusCode.Closed && _stopped)
        {
            throw new OperationCanceledException();
        }
    }

    private void CopyRejects(RejectsSpool? spool, long begin, long end)
    {
        try
        {
            if (begin < end)
            {
                spool!.CopyTo(_rejectsInOrder!, begin, end);
                _rejectsInOrder!.Flush();
            }
        }
        catch (IOException e)
        {
            throw _rejects!.Fault(e);
        }
    }

    private CoreIOException RejectsFault(int status) => new(status, $"--rejects {_options.RejectsPath}");

    private void Blame(int index, CoreIOException fault) => _errors.Add(new LogInputError(
        _options.Inputs[index],
        fault.Status,
        fault is LogInputException ? fault.Message : StatusCode.Describe(fault.Status)));

    // No input is to blame: a worker has lost lines, of this input or of one before, and the counts of a report without them would be wrong.
    private static void ThrowIfNoMemory(CoreIOException fault)
    {
        if (fault.Status == StatusCode.NoMemory)
        {
            throw new CoreIOException(fault.Status, "the report");
        }
    }

    private void ThrowIfStopped()
    {
        if (_stopped)
        {
            throw new OperationCanceledException();
        }
    }

    // The options of the scan. A worker keeps up with decompression and sleeps between blocks, and waking it costs the thread that
    // decompresses microseconds: so blocks are larger where that is all there is to do.
    private LogScanOptions OwnOptions(int gzips)
    {
        // One input alone was opened for its sample, and may be standard input.
        bool allGzip = _opened is [LogInput only] ? only.IsGzip : gzips == _options.Inputs.Count;
        return allGzip && _options.Scan.BlockBytes == 0 ? _options.Scan with { BlockBytes = GzipBlockBytes } : _options.Scan;
    }

    // What the members of a crew share, with the number of workers and the CPUs that zero and an empty list stand for; null for no crew.
    private LogScanOptions? SharedOptions(LogScanOptions options, int gzips)
    {
        if (gzips < 2 || options.Workers == 1)
        {
            return null;
        }

        IReadOnlyList<int> cpus = options.Cpus.Count > 0 ? options.Cpus : _backend.Cpu.Allowed();
        int workers = options.Workers > 0 ? options.Workers : cpus.Count;
        return GzipCrew.Size(workers, gzips) > 1 ? options with { Cpus = cpus, Workers = workers } : null;
    }

    private void HireCrew(LogScanOptions shared, int[] gzips)
    {
        // Who says where the work is to be done means that of decompression, too.
        Action<int>? pin = _options.Scan.Cpus.Count > 0 ? cpu => _ = _backend.Cpu.Pin(cpu) : null;
        _crew = new GzipCrew(_scan!, shared with { Rejects = _spool?.Handle }, _options.Inputs, _opened, gzips, pin);
    }

    private int[] GzipFiles()
    {
        List<int> found = [];
        for (int i = 0; i < _options.Inputs.Count && _options.Inputs.Count > 1; i++)
        {
            if (LogInput.IsGzipFile(_options.Inputs[i]))
            {
                found.Add(i);
            }
        }

        return found.ToArray();
    }

    private long TotalBytes()
    {
        long total = 0;
        for (int i = 0; i < _options.Inputs.Count; i++)
        {
            string input = _options.Inputs[i];
            if (input == "-")
            {
                return -1;
            }

            total += _opened[i] is { } opened ? Math.Max(opened.FileBytes, 0) : File.Exists(input) ? new FileInfo(input).Length : 0;
        }

        return total;
    }
}
