// One worker: a named thread pinned to its CPU, its engine, its buffer. Between inputs it waits for a job.
using CoreIO.Cpu;
using CoreIO.Log;
using CoreIO.Managed.Cpu;

namespace CoreIO.Managed.Log;

/// <summary>What workers are given to do together.</summary>
internal abstract class ScanJob
{
    private int _status;

    /// <summary>The first error of any worker, or 0.</summary>
    internal int Status => Volatile.Read(ref _status);

    /// <summary>The part of one worker. Runs on its thread.</summary>
    internal abstract void Work(ScanWorker worker);

    internal void Fail(int status) => Interlocked.CompareExchange(ref _status, status, 0);
}

internal sealed class ScanWorker : IDisposable
{
    private readonly Thread _thread;
    private readonly ManagedCpu _cpu;
    private readonly SemaphoreSlim _start = new(0);
    private readonly SemaphoreSlim _done = new(0);
    private readonly byte[][] _buffers = new byte[Turns.Most][];
    private Turns _turns;
    private int _buffer;
    private ScanJob? _job;
    private TimeSpan _cpuTime;
    private LogWorker _credited = new(0, 0, 0, 0, TimeSpan.Zero);
    private CpuPlace _place;
    private Exception? _failure;

    internal ScanWorker(int number, int cpu, ManagedCpu cpus, CompiledQuery query, Kernel kernel, RejectSink sink, int blockBytes)
    {
        Number = number;
        _turns = new Turns(blockBytes);
        Array.Fill(_buffers, []);
        Sink = sink;
        Engine = new LineEngine(query, kernel) { RejectedLines = sink.IsSet ? [] : null };
        _cpu = cpus;
        WantedCpu = cpu;
        _thread = new Thread(Run) { IsBackground = true, Name = $"coreio-log-{number}" };
    }

    internal int Number { get; }

    /// <summary>Where it is to be pinned.</summary>
    internal int WantedCpu { get; }

    internal LineEngine Engine { get; }

    internal RejectSink Sink { get; }

    /// <summary>The buffer of a file's block.</summary>
    internal byte[] Buffer => _buffers[_buffer];

    /// <summary>Where the thread ran and what it did; after it has ended.</summary>
    internal LogWorker Summary => new(
        _place.ThreadId,
        _place.Cpu,
        Engine.Tally.Lines + _credited.Lines,
        Engine.Tally.Bytes + _credited.Bytes,
        _cpuTime + _credited.CpuTime);

    /// <summary>Adds what a worker of a merged scan did to the summary.</summary>
    internal void Credit(LogWorker done) => _credited = new LogWorker(
        0, 0, _credited.Lines + done.Lines, _credited.Bytes + done.Bytes, _credited.CpuTime + done.CpuTime);

    /// <summary>Starts the thread; <see cref="Join"/> then waits until it runs where it is pinned.</summary>
    internal void Start() => _thread.Start();

    /// <summary>Gives the worker a job, or null to end it; <see cref="Join"/> waits until it is done.</summary>
    internal void Begin(ScanJob? job)
    {
        _job = job;
        _start.Release();
    }

    /// <summary>Waits until the worker has done what it was given.</summary>
    /// <exception cref="CoreIOException">It could not, for want of memory or of its CPU.</exception>
    internal void Join()
    {
        _done.Wait();
        if (_failure is not null)
        {
            throw _failure as CoreIOException ?? new CoreIOException(StatusCode.NoMemory, _failure.Message);
        }
    }

    /// <summary>Waits until the thread has ended, which <see cref="Begin"/> with null told it to.</summary>
    public void Dispose()
    {
        _thread.Join();
        _start.Dispose();
        _done.Dispose();
    }

    /// <summary>Takes the buffer for the next block.</summary>
    internal void TakeBuffer() => _buffer = _turns.Next();

    /// <summary>Notes how long a whole block took, from <see cref="TakeBuffer"/> on.</summary>
    internal void Took(long time) => _turns.Took(time);

    /// <summary>Makes the buffer at least this long; what it holds is kept.</summary>
    internal void Reserve(int length)
    {
        if (Buffer.Length < length)
        {
            byte[] buffer = GC.AllocateUninitializedArray<byte>(length);
            Buffer.CopyTo(buffer, 0);
            _buffers[_buffer] = buffer;
        }
    }

    /// <summary>Works on whole lines, then writes the rejected ones when it is the block's turn, which the caller passes on.</summary>
    /// <returns>0 or the status of the sink.</returns>
    internal int RunBlock(byte[] buffer, int start, int end, int input, long offset, long block)
    {
        if (start < end)
        {
            Engine.Run(buffer, start, end, input, offset);
        }

        List<Slice>? rejected = Engine.RejectedLines;
        if (rejected is null)
        {
            return 0;
        }

        int status = Sink.Wait(block);
        foreach (Slice lines in rejected)
        {
            status = status < 0 ? status : Sink.Write(buffer.AsSpan(lines.Start, lines.Length));
        }

        rejected.Clear();
        return status;
    }

    /// <summary>Gives a job up. No line may be lost in silence: the scan has no answer any more.</summary>
    internal void Abandon(ScanJob job, Exception cause)
    {
        _failure = cause;
        job.Fail(StatusCode.NoMemory);
        Sink.Fail(StatusCode.NoMemory);
    }

    private void Run()
    {
        try
        {
            _place = _cpu.Pin(WantedCpu);
        }
        catch (CoreIOException e)
        {
            _failure = e;
        }

        _done.Release();
        while (true)
        {
            _start.Wait();
            if (_job is null)
            {
                break;
            }

            RunJob(_job);
            _done.Release();
        }

        _cpuTime = Libc.ThreadCpuTime();
        _done.Release();
    }

    private void RunJob(ScanJob job)
    {
        try
        {
            job.Work(this);
        }
        catch (Exception e) when (e is OutOfMemoryException or OverflowException)
        {
            Abandon(job, e);
        }
    }
}
