// Queues for one test, with names nobody else has, removed also when it fails.
using System.Globalization;
using CoreIO.Mq;

namespace CoreIO.Tests.Mq;

internal static class Unique
{
    private static int _last;

    public static string Name() => $"/coreio-test-{Environment.ProcessId}-{Interlocked.Increment(ref _last)}";

    // Above what ftok(3) makes of files on devices with small numbers, and of this process.
    public static int Key() => unchecked((int)0x7E00_0000) + ((Environment.ProcessId & 0xFFFF) << 8) + (Interlocked.Increment(ref _last) & 0xFF);

    public static string Octal(int mode) => Convert.ToString(mode, 8).PadLeft(4, '0');

    public static int FromOctal(string mode) => Convert.ToInt32(mode, 8);

    public static string Invariant(long number) => number.ToString(CultureInfo.InvariantCulture);
}

internal sealed class PosixQueue : IDisposable
{
    private readonly ICoreBackend _backend;

    public PosixQueue(string backend, int? messages = null, int? size = null, PosixQueueFlags more = 0)
    {
        _backend = Backends.Get(backend);
        Queue = Create(
            new PosixQueueOptions { MaxMessages = messages, MessageSize = size, Flags = PosixQueueFlags.SendReceive | more }, _backend);
    }

    public PosixMessageQueue Queue { get; }

    public string Name => Queue.Name;

    public IPosixQueues Calls => _backend.Mq.Posix;

    public byte[] Buffer => new byte[Queue.MessageSize];

    public PosixMessageQueue Again(PosixQueueFlags flags = PosixQueueFlags.SendReceive) =>
        PosixMessageQueue.Open(Name, new PosixQueueOptions { Flags = flags }, _backend);

    public void Fill()
    {
        while (Queue.TrySend("full"u8))
        {
        }
    }

    public void Dispose()
    {
        Queue.Dispose();
        _ = _backend.Mq.Posix.Unlink(Name);
    }

    // Test projects run side by side, and what POSIX queues may take is counted for the user: nine of the default size.
    private static PosixMessageQueue Create(PosixQueueOptions options, ICoreBackend backend)
    {
        for (int tries = 1; ; tries++)
        {
            try
            {
                return PosixMessageQueue.Create(Unique.Name(), options, backend);
            }
            catch (MessageQueueException e) when (e.Status == StatusCode.TooManyOpenFiles && tries < 200)
            {
                Thread.Sleep(50);
            }
        }
    }
}

internal sealed class SysVQueue : IDisposable
{
    private readonly ICoreBackend _backend;

    public SysVQueue(string backend, int mode = 0x180)
    {
        _backend = Backends.Get(backend);
        Queue = SysVMessageQueue.CreatePrivate(mode, _backend);
    }

    public SysVMessageQueue Queue { get; }

    public int Id => Queue.Id;

    public ISysVQueues Calls => _backend.Mq.SysV;

    public void Fill()
    {
        while (Queue.TrySend(new byte[4096]))
        {
        }
    }

    public void Dispose() => _ = _backend.Mq.SysV.Remove(Id);
}
