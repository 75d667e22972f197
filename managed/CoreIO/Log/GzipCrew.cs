// Several gzip files at a time. A gzip file is decompressed by one thread from its beginning to its end, so several cores are used by several
// files only. The workers of the report are shared out among as many members; each has a thread that decompresses and a scan of its own,
// takes the next file when it has done one, and is merged into the report's scan in the end. So tables do not grow with the files but
// with the workers, and a large file keeps nobody waiting.
//
// The owner asks for the files in the order of the inputs. What a file leaves behind, its fault and where its rejected lines are, is handed
// over under the lock; all else belongs to one thread.
using System.Runtime.ExceptionServices;

namespace CoreIO.Log;

/// <summary>What became of a file.</summary>
/// <param name="IsOpened">Whether the crew has opened it.</param>
/// <param name="Fault">Why it was not read to its end, or null.</param>
/// <param name="RejectsStatus">What writing its rejected lines failed with; else 0.</param>
/// <param name="Spool">Where its rejected lines are, or null when nobody wants them.</param>
/// <param name="RejectsBegin">First byte of them.</param>
/// <param name="RejectsEnd">One past the last byte of them.</param>
internal sealed record GzipFileResult(
    bool IsOpened, CoreIOException? Fault, int RejectsStatus, RejectsSpool? Spool, long RejectsBegin, long RejectsEnd);

internal sealed class GzipCrew : IDisposable
{
    private readonly object _lock = new();
    private readonly IReadOnlyList<string> _inputs;
    private readonly LogInput?[] _opened;
    private readonly int[] _files;
    private readonly Dictionary<int, GzipFileResult> _results = [];
    private readonly List<Member> _members = [];
    private ExceptionDispatchInfo? _failure;
    private int _next;
    private int _working;
    private long _bytesDone;
    private volatile bool _ended;

    /// <summary>Starts the scans of a crew; <see cref="Start"/> starts its work.</summary>
    /// <param name="scan">The scan of the report.</param>
    /// <param name="options">How it runs, with its workers and CPUs counted.</param>
    /// <param name="inputs">All inputs.</param>
    /// <param name="opened">Those that are open; the crew takes its own.</param>
    /// <param name="files">Which of the inputs are the crew's.</param>
    /// <param name="pin">Pins the decompressing threads, or null.</param>
    public GzipCrew(
        ILogScan scan, LogScanOptions options, IReadOnlyList<string> inputs, LogInput?[] opened, int[] files, Action<int>? pin)
    {
        _inputs = inputs;
        _opened = opened;
        _files = files;
        int count = Size(options.Workers, files.Length);
        try
        {
            for (int i = 0; i < count; i++)
            {
                // Worker by worker the CPUs are those that the report's scan would use.
                int first = (int)((long)options.Workers * i / count);
                int workers = (int)((long)options.Workers * (i + 1) / count) - first;
                int[] cpus = [.. Enumerable.Range(first, workers).Select(w => options.Cpus[w % options.Cpus.Count])];
                _members.Add(new Member(this, i, scan, options with { Workers = workers, Cpus = cpus }, pin));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Bytes of the crew's files that were read. Any thread.</summary>
    public long BytesDone => Interlocked.Read(ref _bytesDone) + _members.Sum(member => member.Reading?.FilePosition ?? 0);

    /// <summary>How many files are read at a time; less than two is no crew.</summary>
    public static int Size(int workers, int files) => Math.Min(workers, files);

    /// <summary>Whether an input is the crew's.</summary>
    public bool Has(int input) => Array.BinarySearch(_files, input) >= 0;

    /// <summary>Begins the work.</summary>
    public void Start()
    {
        _working = _members.Count;
        foreach (Member member in _members)
        {
            member.Start();
        }
    }

    /// <summary>Waits until an input of the crew is done. Null when the crew was stopped before.</summary>
    public GzipFileResult? Wait(int input)
    {
        lock (_lock)
        {
            while (true)
            {
                _failure?.Throw();
                if (_results.Remove(input, out GzipFileResult? result))
                {
                    return result;
                }

                if (_working == 0)
                {
                    return null;
                }

                Monitor.Wait(_lock);
            }
        }
    }

    /// <summary>Adds what the crew has counted to the scan of the report; every file is done.</summary>
    public void MergeInto(ILogScan scan)
    {
        foreach (Member member in _members)
        {
            member.Join();
            scan.Merge(member.Scan);
        }
    }

    /// <summary>Makes the members end soon. Any thread.</summary>
    public void Stop()
    {
        _ended = true;
        foreach (Member member in _members)
        {
            member.Scan.Stop();
        }
    }

    public void Dispose()
    {
        Stop();
        foreach (Member member in _members)
        {
            member.Dispose();
        }
    }

    private void ThrowIfEnded()
    {
        if (_ended)
        {
            throw new OperationCanceledException();
        }
    }

    /// <summary>The next input that nobody has begun, or -1.</summary>
    private int Take()
    {
        int file = Interlocked.Increment(ref _next) - 1;
        return file < _files.Length ? _files[file] : -1;
    }

    private void Hand(int input, GzipFileResult result)
    {
        lock (_lock)
        {
            _results.Add(input, result);
            Monitor.PulseAll(_lock);
        }
    }

    private void Leave(Exception? failure)
    {
        _ended |= failure is not null;
        lock (_lock)
        {
            _failure ??= failure is null ? null : ExceptionDispatchInfo.Capture(failure);
            _working--;
            Monitor.PulseAll(_lock);
        }
    }

    private sealed class Member : IDisposable
    {
        private readonly GzipCrew _crew;
        private readonly Thread _thread;
        private readonly RejectsSpool? _spool;
        private readonly Action? _pin;
        private volatile LogInput? _reading;
        private bool _started;

        public Member(GzipCrew crew, int number, ILogScan scan, LogScanOptions options, Action<int>? pin)
        {
            _crew = crew;
            _pin = pin is null ? null : () => pin(options.Cpus[0]);
            _spool = options.Rejects is null ? null : RejectsSpool.Create();
            _thread = new Thread(Run) { Name = $"coreio-gzip-{number}", IsBackground = true };
            try
            {
                Scan = scan.CreatePart(options with { Rejects = _spool?.Handle });
            }
            catch
            {
                _spool?.Dispose();
                throw;
            }
        }

        public ILogScan Scan { get; }

        /// <summary>The file being read. Any thread.</summary>
        public LogInput? Reading => _reading;

        public void Start()
        {
            _thread.Start();
            _started = true;
        }

        public void Join() => _thread.Join();

        public void Dispose()
        {
            if (_started)
            {
                _thread.Join();
            }

            Scan.Dispose();
            _spool?.Dispose();
        }

        private void Run()
        {
            Exception? failure = null;
            try
            {
                _pin?.Invoke();
                for (int input = _crew.Take(); input >= 0; input = _crew.Take())
                {
                    _crew.Hand(input, Read(input));
                }
            }
            catch (OperationCanceledException)
            {
                // The owner knows: it stopped the crew.
            }
            catch (Exception e)
            {
                // Whatever it is belongs to the owner, who waits for this input.
                failure = e;
            }

            _crew.Leave(failure);
        }

        private GzipFileResult Read(int number)
        {
            _crew.ThrowIfEnded();
            LogInput? input = _crew._opened[number];
            _crew._opened[number] = null;
            bool isMine = input is null;
            long begin = _spool?.Length ?? 0;
            CoreIOException? fault = null;
            try
            {
                input ??= LogInput.Open(_crew._inputs[number]);
                _reading = input;
                Scan.Number(number);
                input.FeedTo(Scan, _crew.ThrowIfEnded);
            }
            catch (CoreIOException e)
            {
                _crew.ThrowIfEnded();
                fault = e;
            }
            finally
            {
                _ = Interlocked.Add(ref _crew._bytesDone, input?.FilePosition ?? 0);
                _reading = null;
                input?.Dispose();
            }

            int status = fault is null ? 0 : Scan.Progress.RejectsStatus;
            return new GzipFileResult(isMine && input is not null, fault, status, _spool, begin, _spool?.Length ?? 0);
        }
    }
}
