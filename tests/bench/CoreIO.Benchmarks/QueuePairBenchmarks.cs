// A message sent and received by one thread, 64 bytes: what C# adds to the system calls of a program that has one backend. `coreio bench mq` has
// both in one process, where calls through an interface are found anew each time, and the command runs without the runtime's profiling.
using BenchmarkDotNet.Attributes;
using CoreIO.Mq;

namespace CoreIO.Benchmarks;

public class QueuePairBenchmarks
{
    private const int Size = 64;
    private const int FloorPairs = 4096;

    private readonly byte[] _message = new byte[Size];
    private readonly byte[] _buffer = new byte[Size];
    private IMqFloors? _floors;
    private PosixMessageQueue _posix = null!;
    private SysVMessageQueue _sysV = null!;

    /// <summary><c>floor</c> is the plain calls in C.</summary>
    [Params("floor", "native", "managed")]
    public string Who { get; set; } = "";

    [GlobalSetup]
    public void Open()
    {
        ICoreBackend backend = CoreBackends.Get(Who == "floor" ? "native" : Who);
        _floors = Who == "floor" ? backend.Mq.Floors : null;
        string name = $"/coreio-bench-{Environment.ProcessId}";
        _posix = PosixMessageQueue.Create(name, new PosixQueueOptions { MaxMessages = 10, MessageSize = Size }, backend);
        PosixMessageQueue.Unlink(name, backend);
        _sysV = SysVMessageQueue.CreatePrivate(backend: backend);
    }

    [GlobalCleanup]
    public void Close()
    {
        _posix.Dispose();
        _sysV.Remove();
    }

    [Benchmark(OperationsPerInvoke = FloorPairs)]
    public int Posix()
    {
        if (_floors is not null)
        {
            return Floor(MqFamily.Posix);
        }

        int length = 0;
        for (int i = 0; i < FloorPairs; i++)
        {
            _posix.Send(_message);
            length = _posix.Receive(_buffer, out _);
        }

        return length;
    }

    [Benchmark(OperationsPerInvoke = FloorPairs)]
    public int SysV()
    {
        if (_floors is not null)
        {
            return Floor(MqFamily.SysV);
        }

        int length = 0;
        for (int i = 0; i < FloorPairs; i++)
        {
            _sysV.Send(_message, 1);
            length = _sysV.Receive(_buffer, out _);
        }

        return length;
    }

    private int Floor(MqFamily family) => _floors!.Run(MqFloorWork.Pair, family, Size, FloorPairs, -1, -1, out _);
}
