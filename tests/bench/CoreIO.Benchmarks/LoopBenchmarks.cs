// What a turn of an event loop costs in each backend: a wake between two threads and back, an event descriptor that is set, waited for and
// emptied, a timer that is started and ended, a wait that is awaited. The system calls are the same in both; the rest is what is compared.
using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using CoreIO.Loop;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Benchmarks;

public partial class LoopBenchmarks : IDisposable
{
    private const int Rounds = 1024;
    private const int Timers = 100_000;
    private const int CloseOnExecNonBlocking = 0x80800;

    private readonly LoopEvent[] _events = new LoopEvent[64];
    private EventLoop _loop = null!;
    private EventLoop _echo = null!;
    private EventLoop _crowded = null!;
    private AsyncEventLoop _awaited = null!;
    private SafeFileHandle _event = null!;
    private SafeFileHandle _ready = null!;
    private Thread _peer = null!;

    [Params("native", "managed")]
    public string Who { get; set; } = "";

    [GlobalSetup]
    public void Open()
    {
        ICoreBackend backend = CoreBackends.Get(Who);
        _loop = new EventLoop(null, backend);
        _echo = new EventLoop(null, backend);
        _crowded = new EventLoop(null, backend);
        _awaited = new AsyncEventLoop(null, backend);
        _event = new SafeFileHandle(CreateEvent(0, CloseOnExecNonBlocking), ownsHandle: true);
        _ready = new SafeFileHandle(CreateEvent(1, CloseOnExecNonBlocking), ownsHandle: true);
        _loop.Add(_event, LoopInterest.Read);
        for (int i = 0; i < Timers; i++)
        {
            _crowded.StartTimer(TimeSpan.FromMinutes(1 + (i % 60)));
        }

        _peer = new Thread(Answer) { IsBackground = true };
        _peer.Start();
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _echo.Dispose();
        _peer.Join();
        _loop.Dispose();
        _crowded.Dispose();
        _awaited.DisposeAsync().AsTask().Wait();
        _event.Dispose();
        _ready.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark(OperationsPerInvoke = Rounds)]
    public int WakeAndBack()
    {
        int count = 0;
        for (int i = 0; i < Rounds; i++)
        {
            _echo.Wake();
            count += _loop.Wait(_events);
        }

        return count;
    }

    [Benchmark(OperationsPerInvoke = Rounds)]
    public int EventDescriptor()
    {
        int count = 0;
        ulong value = 1;
        for (int i = 0; i < Rounds; i++)
        {
            _ = Write(_event, in value, sizeof(ulong));
            count += _loop.Wait(_events);
            _ = Read(_event, out _, sizeof(ulong));
        }

        return count;
    }

    /// <summary>Beside a hundred thousand others.</summary>
    [Benchmark(OperationsPerInvoke = Rounds)]
    public bool TimerStartAndStop()
    {
        bool stopped = true;
        for (int i = 0; i < Rounds; i++)
        {
            stopped &= _crowded.StopTimer(_crowded.StartTimer(TimeSpan.FromSeconds(30)));
        }

        return stopped;
    }

    [Benchmark(OperationsPerInvoke = Rounds)]
    public async Task<LoopInterest> Awaited()
    {
        LoopInterest ready = LoopInterest.None;
        for (int i = 0; i < Rounds; i++)
        {
            ready = await _awaited.ReadyAsync(_ready, LoopInterest.Read).ConfigureAwait(false);
        }

        return ready;
    }

    [LibraryImport("libc", EntryPoint = "eventfd")]
    private static partial int CreateEvent(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(SafeHandle handle, in ulong value, nint count);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint Read(SafeHandle handle, out ulong value, nint count);

    private void Answer()
    {
        LoopEvent[] events = new LoopEvent[1];
        try
        {
            while (true)
            {
                _echo.Wait(events);
                _loop.Wake();
            }
        }
        catch (ObjectDisposedException)
        {
            // The benchmark is over.
        }
    }
}
