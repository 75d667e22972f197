// The thread of an asynchronous loop. Everything here runs on it and nowhere else.
//
// A descriptor is watched once for all who wait on it, one-shot: after an event the kernel tells nothing until those who still wait ask
// again, so a descriptor that hangs up while nobody waits keeps nobody busy. When nobody wants it any more it is removed at once, and with
// that given back.
//
// Hot path: a wait that is asked for, told and awaited allocates nothing.
using System.Runtime.InteropServices;

namespace CoreIO.Loop;

public sealed partial class AsyncEventLoop
{
    private const int BatchEvents = 256;

    private readonly LinkedList<LoopOperation> _underWay = new();
    private readonly Dictionary<int, LoopWatch> _byDescriptor = [];
    private readonly LoopSlots<LoopWatch> _watches = new();
    private readonly LoopSlots<LoopOperation> _delays = new();
    private readonly List<LoopOperation> _ready = [];
    private readonly Stack<LoopWatch> _spare = new();

    private void Run()
    {
        Exception? fault = null;
        try
        {
            LoopEvent[] events = new LoopEvent[BatchEvents];
            while (Drain())
            {
                int count = _loop.Wait(events);
                foreach (ref readonly LoopEvent told in events.AsSpan(0, count))
                {
                    Tell(told);
                }
            }
        }
        catch (Exception e)
        {
            // Of a continuation that ran here, or of a kernel that waits no more: those who wait are to know.
            fault = e;
        }

        End(fault);
    }

    // Takes what was asked for; false when the loop is to end.
    private bool Drain()
    {
        while (Interlocked.Exchange(ref _queue, null) is { } last)
        {
            Take(last);
        }

        return !_closing;
    }

    private void Take(LoopOperation last)
    {
        // The last to come is first; turned round, those who came first are served first.
        LoopOperation? first = null;
        for (LoopOperation? next = last; next is not null;)
        {
            LoopOperation current = next;
            next = current.Next;
            current.Next = first;
            first = current;
        }

        while (first is not null)
        {
            LoopOperation current = first;
            first = current.Next;
            current.Next = null;
            int messages = current.TakeMessages();
            bool cancel = (messages & LoopOperation.Cancel) != 0;
            current.CancelHeard |= cancel;
            if ((messages & LoopOperation.Start) != 0)
            {
                Begin(current);
            }
            else if (cancel && current.Node.List is not null)
            {
                Cancel(current);
            }
            else if (cancel)
            {
                current.HearLateCancel();
            }
        }
    }

    private void Begin(LoopOperation operation)
    {
        if (operation.CancelHeard)
        {
            operation.Complete(LoopInterest.None, new OperationCanceledException(operation.Token));
            return;
        }

        Exception? fault = null;
        try
        {
            if (Starts(operation))
            {
                _underWay.AddLast(operation.Node);
                return;
            }
        }
        catch (Exception e) when (e is EventLoopException or ObjectDisposedException)
        {
            fault = e;
        }

        operation.Complete(LoopInterest.None, fault);
    }

    // Does what is asked for; false when it is done.
    private bool Starts(LoopOperation operation)
    {
        switch (operation.Request)
        {
            case LoopRequest.Ready:
                LoopWatch watch = WatchOf(operation.Descriptor!, operation.Interest);
                Arm(watch, watch.Armed | operation.Interest);
                watch.Add(operation);
                return true;
            case LoopRequest.Delay:
                StartTimer(operation);
                return true;
            case LoopRequest.Pin:
                operation.Pin!.Watch = WatchOf(operation.Descriptor!, LoopInterest.None);
                operation.Pin.Watch.Pins++;
                return false;
            case LoopRequest.Unpin when operation.Pin!.Watch is { IsGone: false } pinned:
                pinned.Pins--;
                Settle(pinned);
                return false;
            case LoopRequest.Counters:
                operation.Counters!.SetResult(_loop.Counters);
                return false;
            default:
                return false;
        }
    }

    private void StartTimer(LoopOperation operation)
    {
        operation.Timer = 0;
        operation.Slot = _delays.Add(operation);
        if (operation.Deadline is { } deadline)
        {
            TimeSpan now = _loop.Now;
            operation.Timer = _loop.StartTimer(deadline > now ? deadline - now : TimeSpan.Zero, operation.Slot);
        }
    }

    private LoopWatch WatchOf(SafeHandle descriptor, LoopInterest interest)
    {
        int number = (int)descriptor.DangerousGetHandle();
        if (_byDescriptor.TryGetValue(number, out LoopWatch? watch))
        {
            return watch;
        }

        watch = _spare.TryPop(out LoopWatch? spare) ? spare : new LoopWatch();
        watch.Slot = _watches.Add(watch);
        try
        {
            watch.Id = _loop.Add(descriptor, interest | LoopInterest.OneShot, watch.Slot);
        }
        catch
        {
            _watches.Remove(watch.Slot);
            throw;
        }

        watch.Descriptor = number;
        watch.Armed = interest;
        watch.Pins = 0;
        watch.IsGone = false;
        _byDescriptor.Add(number, watch);
        return watch;
    }

    private void Arm(LoopWatch watch, LoopInterest interest)
    {
        if (watch.Armed != interest)
        {
            _loop.Modify(watch.Id, interest | LoopInterest.OneShot);
            watch.Armed = interest;
        }
    }

    // Watches for what is still wanted, or no more.
    private void Settle(LoopWatch watch)
    {
        if (watch.IsIdle)
        {
            Drop(watch);
        }
        else
        {
            Arm(watch, watch.Wanted);
        }
    }

    private void Drop(LoopWatch watch)
    {
        watch.IsGone = true;
        _ = _byDescriptor.Remove(watch.Descriptor);
        _watches.Remove(watch.Slot);
        _ = _loop.Remove(watch.Id);
        if (watch.Pins == 0)
        {
            // Pins that are still to end remember their watch, which is then nobody else's.
            _spare.Push(watch);
        }
    }

    private void Cancel(LoopOperation operation)
    {
        _underWay.Remove(operation.Node);
        if (operation.Watch is { } watch)
        {
            watch.Remove(operation);
            Settle(watch);
        }
        else
        {
            _delays.Remove(operation.Slot);
            _ = operation.Timer != 0 && _loop.StopTimer(operation.Timer);
        }

        operation.Complete(LoopInterest.None, new OperationCanceledException(operation.Token));
    }

    private void Tell(in LoopEvent told)
    {
        if (told.Kind == LoopEventKind.Timer)
        {
            if (_delays[told.Data] is { } delay && delay.Timer == told.Id)
            {
                _delays.Remove(delay.Slot);
                _underWay.Remove(delay.Node);
                delay.Complete(LoopInterest.None, null);
            }
        }
        else if (told.Kind != LoopEventKind.Woken && _watches[told.Data] is { } watch && watch.Id == told.Id)
        {
            Tell(watch, told);
        }
    }

    private void Tell(LoopWatch watch, in LoopEvent told)
    {
        EventLoopException? fault = null;
        LoopInterest ready = told.Ready;
        if (told.Kind == LoopEventKind.Lost)
        {
            fault = LoopErrors.Lost(told.Status, watch.Descriptor);
            watch.TakeReady(~LoopInterest.None, _ready);
            Drop(watch);
        }
        else
        {
            // One-shot: the kernel watches for nothing now.
            watch.Armed = LoopInterest.None;
            watch.TakeReady(ready, _ready);
            Settle(watch);
        }

        // The loop is in order again before anybody goes on, who may do so here.
        foreach (LoopOperation operation in _ready)
        {
            _underWay.Remove(operation.Node);
            operation.Complete(ready & LoopWatch.Concerning(operation), fault);
        }

        _ready.Clear();
    }

    private void End(Exception? fault)
    {
        _closing = true;
        LoopOperation? last = Interlocked.Exchange(ref _queue, Closed);
        fault ??= new ObjectDisposedException(GetType().FullName);
        while (_underWay.First is { } first)
        {
            _underWay.RemoveFirst();
            Fail(first.Value, fault);
        }

        while (last is not null)
        {
            LoopOperation current = last;
            last = current.Next;
            current.Next = null;
            int messages = current.TakeMessages();
            if ((messages & LoopOperation.Start) != 0)
            {
                Fail(current, fault);
            }
        }

        _loop.Dispose();
        _ended.SetResult();
    }

    // Whatever a continuation throws that runs here, the others are ended, too.
    private static void Fail(LoopOperation operation, Exception fault)
    {
        try
        {
            operation.Complete(LoopInterest.None, fault);
        }
        catch (Exception)
        {
            // There is nobody to tell.
        }
    }
}
