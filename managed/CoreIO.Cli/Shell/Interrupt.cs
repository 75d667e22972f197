// Ctrl-C for work that takes what cannot be given back, such as a message off a queue: it ends a wait through a descriptor, what was taken is
// still written, and then the process ends by the signal all the same, so that a shell shows 130. A second Ctrl-C ends it at once.
//
// The same descriptor ends the wait when nobody reads standard output any more: a message that could not be written stays in its queue.
using System.Runtime.InteropServices;
using CoreIO.Mq;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Cli.Shell;

internal sealed class Interrupt : IDisposable
{
    private readonly SafeFileHandle _event = Descriptors.CreateEvent();
    private readonly ManualResetEventSlim _concluded = new();
    private readonly PosixSignalRegistration[] _signals;
    private int _count;

    private Interrupt()
    {
        Descriptor = Libc.Poller();
        _ = Libc.Add(Descriptor, (int)_event.DangerousGetHandle(), readable: true);
        _ = Libc.Add(Descriptor, Libc.StandardOutput, readable: false);
        _signals = [.. ((PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP]).Select(s =>
            PosixSignalRegistration.Create(s, OnSignal))];
    }

    /// <summary>Can be read once the process should end.</summary>
    public SafeFileHandle Descriptor { get; }

    /// <summary>Whether a signal came.</summary>
    public bool IsRequested => Volatile.Read(ref _count) > 0;

    /// <summary>Begins to listen.</summary>
    public static Interrupt Listen() => new();

    /// <summary>Waits; true when the process should end.</summary>
    public bool Wait(TimeSpan time) => Descriptors.WaitReadable(Descriptor, time, cancel: null) >= 0 || IsRequested;

    /// <summary>All is written: where a signal came, the process ends by it here.</summary>
    public void Conclude()
    {
        if (IsRequested)
        {
            _concluded.Set();
            Thread.Sleep(Timeout.Infinite);
        }
    }

    public void Dispose()
    {
        foreach (PosixSignalRegistration signal in _signals)
        {
            signal.Dispose();
        }

        _concluded.Set();
        Descriptor.Dispose();
        _event.Dispose();
    }

    // Returning without `Cancel` lets the runtime do what the signal does by default.
    private void OnSignal(PosixSignalContext context)
    {
        if (Interlocked.Increment(ref _count) == 1)
        {
            Descriptors.Set(_event);
            _concluded.Wait();
        }
    }
}
