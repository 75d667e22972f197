// One report from its options to its answer: finds the format, starts the scan, reads every input, collects what could not be read, and
// sorts the rows. Blocks its caller; Progress and Stop may be called from any thread. A fault of one input never ends the others.
using System.Diagnostics;

namespace CoreIO.Log;

/// <summary>How far a report is.</summary>
/// <param name="BytesDone">Bytes read, as they lie on the disk.</param>
/// <param name="BytesTotal">Bytes of all inputs, or -1 when a stream is among them.</param>
public readonly record struct LogReportProgress(long BytesDone, long BytesTotal);

/// <summary>A report that is being made.</summary>
public sealed class LogReportRun : IDisposable
{
    private readonly ICoreBackend _backend;
    private readonly LogReportOptions _options;
    private readonly LogInput?[] _opened;
    private readonly List<LogInputError> _errors = [];
    private readonly long _startedAt = Stopwatch.GetTimestamp();
    private IReadOnlyList<LogReportTableOptions> _tables = [];
    private LogFormatChoice? _format;
    private RejectsFile? _rejects;
    private int _offsetMinutes;
    private long _bytesTotal;
    private long _bytesBefore;
    private int _inputsRead;
    private volatile ILogScan? _scan;
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

    /// <summary>The format, once <see cref="Start"/> has found it.</summary>
    public LogFormatChoice Format => _format ?? throw new InvalidOperationException("The report is not started.");

    /// <summary>How far it is. Any thread.</summary>
    public LogReportProgress Progress
    {
        get
        {
            LogInput? reading = _reading;
            long now = reading is null ? 0
                : !reading.IsPlainFile && reading.FileBytes >= 0 ? reading.FilePosition
                : _scan?.Progress.BytesDone ?? 0;
            return new LogReportProgress(Volatile.Read(ref _bytesBefore) + now, _bytesTotal);
        }
    }

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

        LogQuery query = new()
        {
            Format = _format.Format,
            Where = _options.Where,
            Since = _options.Since?.In(_offsetMinutes),
            Until = _options.Until?.In(_offsetMinutes),
            Interval = _options.Interval,
            Tables = [.. _tables.Select(t => t.Table)],
        };
        _rejects = _options.RejectsPath is null ? null : RejectsFile.Open(_options.RejectsPath, _options.Inputs);
        _scan = _backend.Log.CreateScan(query, _options.Scan with { Rejects = _rejects?.Handle });
        // Only now is it certain that the work begins, so only now is what the file held before given up.
        _rejects?.Begin();
        _bytesTotal = TotalBytes();
    }

    /// <summary>Reads every input and returns the answer.</summary>
    /// <exception cref="OperationCanceledException"><see cref="Stop"/> was called.</exception>
    public LogReport Finish()
    {
        ILogScan scan = _scan ?? throw new InvalidOperationException("The report is not started.");
        Interlocked.MemoryBarrier();
        for (int i = 0; i < _options.Inputs.Count; i++)
        {
            ThrowIfStopped();
            ReadInput(scan, i);
        }

        ThrowIfStopped();

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
        _scan?.Dispose();
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
        if (_opened[index] is null && !_errors.Exists(e => ReferenceEquals(e.Input, _options.Inputs[index])))
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

    private void ReadInput(ILogScan scan, int index)
    {
        LogInput? input = TryOpen(index);
        if (input is null)
        {
            return;
        }

        _reading = input;
        try
        {
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
        catch (CoreIOException e)
        {
            Blame(index, e);
        }
        finally
        {
            Volatile.Write(ref _bytesBefore, Progress.BytesDone);
            _reading = null;
            _opened[index] = null;
            input.Dispose();
        }
    }

    private void Blame(int index, CoreIOException fault) => _errors.Add(new LogInputError(
        _options.Inputs[index],
        fault.Status,
        fault is LogInputException ? fault.Message : StatusCode.Describe(fault.Status)));

    private void ThrowIfStopped()
    {
        if (_stopped)
        {
            throw new OperationCanceledException();
        }
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

            total += File.Exists(input) ? new FileInfo(input).Length : 0;
        }

        return total;
    }
}
