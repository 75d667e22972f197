// A thread that waits for a queue, so that no thread of the pool has to. A queue has one lane to receive and one to send, made when they
// are first needed; a System V queue has one to receive for each type that somebody waits for.
//
// The thread blocks in the backend for the first request, with an event that ends the wait. A request that is being tried is not
// cancelled from outside: the event is set, and then either the kernel had given a message, which the request gets, or it had not,
// and the request ends. So no message is taken for somebody who has gone. Requests behind it are taken out at once.
//
// The thread ends when nobody asked for a while, and holds the queue only while it runs. Who keeps a lane for each of many types is told, and
// lets it go: it takes no request from then on.
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Mq;

internal sealed class QueueLane
{
    // Long beside the tenth of a millisecond that a thread takes to start, short for one that nobody needs.
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(2);

    private readonly object _gate = new();
    private readonly LinkedList<LaneRequest> _requests = new();
    private readonly string _queue;
    private readonly Action<QueueLane>? _letGo;
    private LaneRequest? _tried;

    // Made with the thread and closed by it.
    private SafeFileHandle? _wake;
    private bool _closed;
    private bool _ended;

    /// <summary>Makes a lane; the thread comes with the first request.</summary>
    /// <param name="queue">For messages.</param>
    /// <param name="letGo">Told when the lane has ended for good; null for one that is kept and begins again.</param>
    internal QueueLane(string queue, Action<QueueLane>? letGo = null)
    {
        _queue = queue;
        _letGo = letGo;
    }

    /// <summary>Whether somebody waits already, whom a new request may not overtake.</summary>
    internal bool IsBusy
    {
        get
        {
            lock (_gate)
            {
                return _tried is not null || _requests.Count > 0;
            }
        }
    }

    /// <summary>Puts a request behind the others; its task tells how it ended. False when the lane has ended and does not take it.</summary>
    internal bool Add(LaneRequest request, CancellationToken token)
    {
        request.Listen(this, token);
        bool queued = false;
        bool ended;
        try
        {
            lock (_gate)
            {
                if (_closed)
                {
                    throw Disposed();
                }

                ended = _ended;
                if (!ended && !request.CancelAsked)
                {
                    Enqueue(request);
                    queued = true;
                }
            }
        }
        finally
        {
            if (!queued)
            {
                request.StopListening();
                EndUnused();
            }
        }

        if (!queued && !ended)
        {
            request.Cancel();
        }

        return !ended;
    }

    /// <summary>Ends a request: at once if it waits behind others, or when its try has ended without result.</summary>
    internal void AskCancel(LaneRequest request)
    {
        lock (_gate)
        {
            request.CancelAsked = true;
            if (request == _tried)
            {
                Descriptors.Set(_wake!);
            }

            if (request.Node is null)
            {
                return;
            }

            _requests.Remove(request.Node);
            request.Node = null;
        }

        request.Cancel();
    }

    /// <summary>Ends all requests.</summary>
    internal void Close()
    {
        LaneRequest[] waiting;
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
            waiting = [.. _requests];
            _requests.Clear();
            foreach (LaneRequest request in waiting)
            {
                // Who is cancelled from here on is no longer queued.
                request.Node = null;
            }

            if (_wake is not null)
            {
                Descriptors.Set(_wake);
                Monitor.Pulse(_gate);
            }
        }

        foreach (LaneRequest request in waiting)
        {
            request.StopListening();
            request.Fail(Disposed());
        }
    }

    private ObjectDisposedException Disposed() => new(_queue);

    // A lane whose first request did not stay has no thread that could let it go.
    private void EndUnused()
    {
        lock (_gate)
        {
            if (_letGo is null || _wake is not null)
            {
                return;
            }

            _ended = true;
        }

        _letGo(this);
    }

    private void Enqueue(LaneRequest request)
    {
        if (_wake is not null)
        {
            request.Node = _requests.AddLast(request);
            Monitor.Pulse(_gate);
            return;
        }

        SafeFileHandle wake = Descriptors.CreateEvent();
        _wake = wake;
        request.Node = _requests.AddLast(request);
        try
        {
            new Thread(Run) { IsBackground = true, Name = "coreio-mq" }.Start();
        }
        catch
        {
            // Too many threads: the next request may find one.
            _requests.Remove(request.Node);
            request.Node = null;
            _wake = null;
            wake.Dispose();
            throw;
        }
    }

    private void Run()
    {
        while (Take() is { } request)
        {
            Serve(request);
        }

        if (_ended)
        {
            _letGo!(this);
        }
    }

    /// <summary>The next request; null when the thread is to end.</summary>
    private LaneRequest? Take()
    {
        lock (_gate)
        {
            while (!_closed)
            {
                if (_requests.First is { } first)
                {
                    _requests.RemoveFirst();
                    first.Value.Node = null;
                    _tried = first.Value;
                    return _tried;
                }

                if (!Monitor.Wait(_gate, Idle) && _requests.Count == 0)
                {
                    _ended = !_closed && _letGo is not null;
                    break;
                }
            }

            _wake!.Dispose();
            _wake = null;
            return null;
        }
    }

    private void Serve(LaneRequest request)
    {
        int status = StatusCode.Canceled;
        Exception? exception = null;
        try
        {
            while (status == StatusCode.Canceled && !Ends(request))
            {
                status = request.Attempt(new MqWait(Cancel: _wake));
            }
        }
        catch (Exception e)
        {
            // Whatever it is, also of memory that is the caller's own, belongs to who awaits, and must not end the process.
            exception = e;
        }

        lock (_gate)
        {
            _tried = null;
            Descriptors.Clear(_wake!);
        }

        request.StopListening();
        End(request, status, exception);
    }

    /// <summary>Whether a request that got nothing is to end; if not, what set the event was meant for another one.</summary>
    private bool Ends(LaneRequest request)
    {
        lock (_gate)
        {
            if (!request.CancelAsked && !_closed)
            {
                Descriptors.Clear(_wake!);
                return false;
            }

            return true;
        }
    }

    private void End(LaneRequest request, int status, Exception? exception)
    {
        if (exception is not null)
        {
            request.Fail(exception);
        }
        else if (status >= 0)
        {
            request.Succeed(status);
        }
        else if (status != StatusCode.Canceled)
        {
            request.Fail(status);
        }
        else if (request.CancelAsked)
        {
            request.Cancel();
        }
        else
        {
            request.Fail(Disposed());
        }
    }
}
