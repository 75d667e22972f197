// A loop of the library.
//
// Each member crosses once and holds one reference of the loop meanwhile, so a Dispose by another thread never frees the loop from under a
// call; a wait is one crossing for its whole batch. Statuses are handed on as they are.
using System.Runtime.InteropServices;
using CoreIO.Interop;
using CoreIO.Loop;

namespace CoreIO.Native.Loop;

internal sealed unsafe class NativeEventLoop(EventLoopHandle handle) : IEventLoop
{
    private LoopDescriptorHandle? _descriptor;

    public LoopCounters Counters
    {
        get
        {
            using Borrowed borrowed = Cross();
            LoopCounters counters;
            _ = LibCoreIO.coreio_loop_counters(handle.Pointer, (coreio_loop_counters*)&counters);
            return counters;
        }
    }

    public long Now
    {
        get
        {
            using Borrowed borrowed = Cross();
            return LibCoreIO.coreio_loop_now(handle.Pointer);
        }
    }

    public int Add(SafeHandle descriptor, LoopInterest interest, long data, out long id)
    {
        using Borrowed borrowed = Cross();
        using Borrowed watched = new(descriptor);
        long found;
        int status = LibCoreIO.coreio_loop_add(
            handle.Pointer, (int)descriptor.DangerousGetHandle(), (uint)interest, (ulong)data, &found);
        id = found;
        return status;
    }

    public int Modify(long id, LoopInterest interest)
    {
        using Borrowed borrowed = Cross();
        return LibCoreIO.coreio_loop_modify(handle.Pointer, id, (uint)interest);
    }

    public int Remove(long id, bool closing)
    {
        using Borrowed borrowed = Cross();
        return LibCoreIO.coreio_loop_remove(handle.Pointer, id, closing ? LibCoreIO.COREIO_LOOP_CLOSING : 0);
    }

    public int Again(long id, LoopInterest ready)
    {
        using Borrowed borrowed = Cross();
        return LibCoreIO.coreio_loop_again(handle.Pointer, id, (uint)ready);
    }

    public bool Holds(long id)
    {
        using Borrowed borrowed = Cross();
        return LibCoreIO.coreio_loop_holds(handle.Pointer, id) != 0;
    }

    public int StartTimer(long delayNs, long periodNs, long data, out long id)
    {
        using Borrowed borrowed = Cross();
        long found;
        int status = LibCoreIO.coreio_loop_start(handle.Pointer, delayNs, periodNs, (ulong)data, &found);
        id = found;
        return status;
    }

    public int RestartTimer(long id, long delayNs)
    {
        using Borrowed borrowed = Cross();
        return LibCoreIO.coreio_loop_restart(handle.Pointer, id, delayNs);
    }

    public int StopTimer(long id)
    {
        using Borrowed borrowed = Cross();
        return LibCoreIO.coreio_loop_stop(handle.Pointer, id);
    }

    public int Wait(Span<LoopEvent> events, long timeoutNs)
    {
        using Borrowed borrowed = Cross();
        fixed (LoopEvent* start = events)
        {
            return LibCoreIO.coreio_loop_wait(handle.Pointer, (coreio_loop_event*)start, events.Length, timeoutNs);
        }
    }

    public int Wake()
    {
        using Borrowed borrowed = Cross();
        return LibCoreIO.coreio_loop_wake(handle.Pointer);
    }

    public int Descriptor(out SafeHandle? descriptor)
    {
        using Borrowed borrowed = Cross();
        int status = LibCoreIO.coreio_loop_descriptor(handle.Pointer);
        if (status >= 0)
        {
            _descriptor ??= new LoopDescriptorHandle(handle, status);
        }

        descriptor = status < 0 ? null : _descriptor;
        return Math.Min(status, 0);
    }

    public void Dispose()
    {
        _descriptor?.Dispose();
        handle.Dispose();
    }

    private Borrowed Cross()
    {
        Borrowed borrowed = new(handle);
        Crossings.Add();
        return borrowed;
    }
}
