// A scan: its workers, the input they are at, and the answer.
//
// The owner's thread gives jobs and, for a stream, is the reader. Progress and Stop may be called from any thread.
using CoreIO.Log;
using CoreIO.Managed.Cpu;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Managed.Log;

internal sealed class LogScan : ILogScan
{
    private readonly CompiledQuery _query;
    private readonly Kernel _kernel;
    private readonly ScanWorker[] _workers;
    private readonly BlockRing[] _rings;
    private readonly int[] _cpus;
    private readonly RejectSink _sink;
    private readonly Tally _tally = new();
    private readonly SafeFileHandle _stopEvent;
    private readonly int _blockBytes;
    private volatile bool _stopped;
    private FileJob? _file;
    private StreamJob? _stream;
    private long _fileSize;
    private bool _streamIsOpen;
    private int _input = -1;
    private LogAnswer? _answer;
    private int _lent;
    private bool _ended;
    private int _answerStatus;

    internal LogScan(CompiledQuery query, LogScanOptions options)
    {
        _kernel = Kernel.Pick(options.Kernel);
        bool blockFits = options.BlockBytes == 0 || options.BlockBytes is >= Limits.MinBlock and <= Limits.MaxBlock;
        if (query.Tables.Length == 0 || options.Workers is < 0 or > Limits.MaxWorkers || !blockFits)
        {
            throw new CoreIOException(StatusCode.InvalidArgument, "number of tables, workers or bytes of a block");
        }

        _query = query;
        _blockBytes = options.BlockBytes == 0 ? Limits.DefaultBlock : options.BlockBytes;
        ManagedCpu cpu = new();
        IReadOnlyList<int> cpus = options.Cpus.Count > 0 ? options.Cpus : cpu.Allowed();
        int count = options.Workers > 0 ? options.Workers : Math.Min(cpus.Count, Limits.MaxWorkers);
        ThrowIfFailed(Libc.CreateEvent(out _stopEvent), "eventfd");
        _sink = new RejectSink(options.Rejects, _stopEvent);
        _workers = new ScanWorker[count];
        _rings = new BlockRing[count];
        _cpus = [.. Enumerable.Range(0, count).Select(i => cpus[i % cpus.Count])];
        for (int i = 0; i < count; i++)
        {
            _workers[i] = new ScanWorker(i, _cpus[i], cpu, query, _kernel, _sink, _blockBytes);
            _rings[i] = new BlockRing();
        }

        StartWorkers();
    }

    /// <summary>The workers, for tests.</summary>
    internal IReadOnlyList<ScanWorker> Workers => _workers;

    public LogProgress Progress =>
        _stream is { } stream ? new LogProgress(stream.BytesDone, -1, _sink.WriteStatus)
        : _file is { } file ? new LogProgress(file.BytesDone, Interlocked.Read(ref _fileSize), _sink.WriteStatus)
        : new LogProgress(0, 0, _sink.WriteStatus);

    public void Stop()
    {
        _stopped = true;
        _sink.Fail(StatusCode.Closed);
        Libc.Signal(_stopEvent);
    }

    public void Number(int input)
    {
        ThrowIfEnded();
        ThrowIfFailed(_streamIsOpen || input <= _input ? StatusCode.InvalidArgument : 0, $"number {input}");
        _input = input - 1;
    }

    public long ReadFile(string path)
    {
        ThrowIfUnready(path);
        ThrowIfFailed(Libc.Open(path, out SafeFileHandle handle), path);
        using (handle)
        {
            ThrowIfFailed(Libc.Status(handle, out Libc.FileKind kind, out long size), path);
            if (kind == Libc.FileKind.Directory)
            {
                throw new CoreIOException(StatusCode.IsADirectory, path);
            }

            // Files of /proc are regular, and have no size.
            return kind == Libc.FileKind.Regular && size > 0 ? ReadRegular(handle, size, path) : ReadStream(handle, path);
        }
    }

    public long ReadHandle(SafeFileHandle handle)
    {
        string name = $"descriptor {handle.DangerousGetHandle()}";
        ThrowIfUnready(name);
        return ReadStream(handle, name);
    }

    public void Feed(ReadOnlySpan<byte> bytes)
    {
        ThrowIfEnded();
        _lent = 0;
        StreamJob stream = OpenStream();
        while (!bytes.IsEmpty)
        {
            Span<byte> room = stream.Room();
            int part = Math.Min(bytes.Length, room.Length);
            bytes[..part].CopyTo(room);
            bytes = bytes[part..];
            Take(stream, part);
        }
    }

    public Span<byte> FeedRoom()
    {
        ThrowIfEnded();
        _lent = 0;
        StreamJob stream = OpenStream();
        ThrowIfFailed(_stopped ? StatusCode.Closed : stream.Status, "stream");
        Span<byte> room = stream.Room();
        _lent = room.Length;
        return room;
    }

    public void FeedDone(int length)
    {
        ThrowIfEnded();
        ThrowIfFailed(!_streamIsOpen || length < 0 || length > _lent ? StatusCode.InvalidArgument : 0, "stream");
        _lent = 0;
        if (length > 0)
        {
            Take(_stream!, length);
        }
    }

    public void EndFeed()
    {
        ThrowIfEnded();
        int status = _streamIsOpen ? CloseStream() : 0;
        ThrowIfFailed(_stopped ? StatusCode.Closed : status, "stream");
    }

    public ILogScan CreatePart(LogScanOptions options) => new LogScan(_query, options);

    public void Merge(ILogScan part)
    {
        LogScan other = part as LogScan ?? throw new ArgumentException("the scan is another backend's", nameof(part));
        bool fits = other != this && other._query == _query && !_streamIsOpen && !other._streamIsOpen;
        ThrowIfFailed(fits ? 0 : StatusCode.InvalidArgument, "part of a scan");
        ThrowIfUnready("scan");
        try
        {
            other.ThrowIfUnready("part of a scan");
        }
        catch (CoreIOException e) when (e.Status == StatusCode.NoMemory)
        {
            // What the part has lost for want of memory cannot be added any more.
            _answerStatus = e.Status;
            throw;
        }

        other.EndWorkers();
        other._answerStatus = StatusCode.Closed;
        try
        {
            _tally.Merge(other._tally);
            foreach (ScanWorker worker in other._workers)
            {
                MergeWorker(worker);
            }
        }
        catch (Exception e) when (e is OutOfMemoryException or OverflowException)
        {
            // Part of it is added, so the answer would be neither with it nor without it.
            _answerStatus = StatusCode.NoMemory;
            throw new CoreIOException(_answerStatus, "part of a scan");
        }
    }

    public LogAnswer Finish()
    {
        ThrowIfFailed(_answerStatus, "answer");
        if (_streamIsOpen)
        {
            throw new CoreIOException(StatusCode.InvalidArgument, "the stream is not ended");
        }

        if (_answer is null)
        {
            EndWorkers();
            try
            {
                _answer = AnswerBuilder.Build(_query, _kernel, _workers, _tally);
            }
            catch (Exception e) when (e is OutOfMemoryException or OverflowException)
            {
                throw new CoreIOException(e is OverflowException ? StatusCode.Capacity : StatusCode.NoMemory, "answer");
            }
        }

        return _answer;
    }

    public void Dispose()
    {
        if (!_ended)
        {
            Stop();
            if (_streamIsOpen)
            {
                CloseStream();
            }

            EndWorkers();
        }

        _stopEvent.Dispose();
    }

    private void MergeWorker(ScanWorker worker)
    {
        _tally.Merge(worker.Engine.Tally);
        (_workers.FirstOrDefault(own => own.WantedCpu == worker.WantedCpu) ?? _workers[0]).Credit(worker.Summary);
        for (int i = 0; i < _query.Tables.Length; i++)
        {
            _workers[0].Engine.Tables[i].Merge(worker.Engine.Tables[i]);
        }
    }

    private void Take(StreamJob stream, int length)
    {
        ThrowIfFailed(stream.Took(length), "stream");
        ThrowIfFailed(_stopped ? StatusCode.Closed : stream.Status, "stream");
    }

    private static void ThrowIfFailed(int status, string what)
    {
        if (status < 0)
        {
            throw new CoreIOException(status, what);
        }
    }

    private long ReadRegular(SafeFileHandle handle, long size, string path)
    {
        _sink.Restart();
        Interlocked.Exchange(ref _fileSize, size);
        FileJob job = new(handle, size, ++_input, _blockBytes, () => _stopped);
        _stream = null;
        _file = job;
        foreach (ScanWorker worker in _workers)
        {
            worker.Begin(job);
        }

        JoinWorkers();
        ThrowIfFailed(_stopped ? StatusCode.Closed : job.Status, path);
        return size;
    }

    private long ReadStream(SafeFileHandle handle, string name)
    {
        StreamJob stream = OpenStream();
        int status = 0;
        while (status == 0)
        {
            Libc.WaitReadable(handle, _stopEvent);
            if (_stopped)
            {
                status = StatusCode.Closed;
                break;
            }

            int read = Libc.Read(handle, stream.Room());
            if (read == 0)
            {
                break;
            }

            if (read > 0)
            {
                status = stream.Took(read);
                status = status < 0 ? status : stream.Status;
            }
            else if (read != StatusCode.Again)
            {
                status = read;
            }
        }

        int closed = CloseStream();
        ThrowIfFailed(status < 0 ? status : closed, name);
        return stream.BytesDone;
    }

    private StreamJob OpenStream()
    {
        if (_streamIsOpen)
        {
            return _stream!;
        }

        ThrowIfFailed(_stopped ? StatusCode.Closed : 0, "stream");
        _sink.Restart();
        StreamJob job = new(_rings, _cpus, _tally, _sink, ++_input, _blockBytes, () => _stopped);
        _stream = job;
        _streamIsOpen = true;
        foreach (ScanWorker worker in _workers)
        {
            worker.Begin(job);
        }

        return job;
    }

    private int CloseStream()
    {
        StreamJob stream = _stream!;
        stream.Close();
        _streamIsOpen = false;
        JoinWorkers();
        return stream.Status;
    }

    private void StartWorkers()
    {
        int started = 0;
        try
        {
            foreach (ScanWorker worker in _workers)
            {
                worker.Start();
                started++;
            }

            JoinWorkers();
        }
        catch (Exception e) when (e is CoreIOException or OutOfMemoryException or ThreadStartException)
        {
            // Those that run are ended; whoever has not been pinned takes the end of the job as any other.
            foreach (ScanWorker worker in _workers.AsSpan(0, started))
            {
                worker.Begin(null);
            }

            _stopEvent.Dispose();
            throw e as CoreIOException ?? new CoreIOException(StatusCode.Again, "thread of a worker");
        }
    }

    private void JoinWorkers()
    {
        CoreIOException? failure = null;
        foreach (ScanWorker worker in _workers)
        {
            try
            {
                worker.Join();
            }
            catch (CoreIOException e)
            {
                // The others are waited for all the same: they work on buffers of the caller.
                failure ??= e;
            }
        }

        if (failure is not null)
        {
            // Whoever could not go on has lost lines, so what all hold together is no answer.
            _answerStatus = failure.Status;
            throw failure;
        }
    }

    private void EndWorkers()
    {
        _ended = true;
        foreach (ScanWorker worker in _workers)
        {
            worker.Begin(null);
        }

        foreach (ScanWorker worker in _workers)
        {
            worker.Dispose();
        }

        foreach (BlockRing ring in _rings)
        {
            ring.Dispose();
        }
    }

    private void ThrowIfUnready(string what)
    {
        ThrowIfEnded();
        ThrowIfFailed(_streamIsOpen ? StatusCode.InvalidArgument : _stopped ? StatusCode.Closed : _sink.Status, what);
    }

    private void ThrowIfEnded() => ThrowIfFailed(_ended ? StatusCode.Closed : 0, "scan");
}
