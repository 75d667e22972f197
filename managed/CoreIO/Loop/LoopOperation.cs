// One request to the thread of an asynchronous loop, and what its caller awaits. Used again: steady use allocates nothing.
//
// An operation has two holders, who awaits it and the loop, and is used again when both have let go. The loop lets go when the operation
// has ended and no callback of its token can come any more: one that had begun when the operation ended posts a message, which is waited
// for. So what is used again is in no queue.
using System.Runtime.InteropServices;
using System.Threading.Tasks.Sources;

namespace CoreIO.Loop;

internal enum LoopRequest
{
    /// <summary>Ends when a descriptor is ready.</summary>
    Ready,

    /// <summary>Ends at a time.</summary>
    Delay,

    /// <summary>Keeps the watch of a descriptor between waits.</summary>
    Pin,

    /// <summary>Ends a pin.</summary>
    Unpin,

    /// <summary>Reads the counters.</summary>
    Counters,
}

internal sealed class LoopOperation : IValueTaskSource<LoopInterest>, IValueTaskSource
{
    /// <summary>The request is to begin.</summary>
    internal const int Start = 1;

    /// <summary>The request is to end.</summary>
    internal const int Cancel = 2;

    // It is in the queue, or about to be.
    private const int Queued = 4;

    // Its start was in the queue once; a cancellation before that travels with it.
    private const int Begun = 8;

    private readonly AsyncEventLoop _loop;
    private ManualResetValueTaskSourceCore<LoopInterest> _core;
    private CancellationTokenRegistration _registration;
    private int _messages;
    private int _holders;
    private bool _awaitsCancel;

    internal LoopOperation(AsyncEventLoop loop, bool continueOnLoop)
    {
        _loop = loop;
        _core.RunContinuationsAsynchronously = !continueOnLoop;
    }

    /// <summary>The next one in the queue.</summary>
    internal LoopOperation? Next { get; set; }

    /// <summary>What is asked for.</summary>
    internal LoopRequest Request { get; private set; }

    /// <summary>The descriptor, held until the operation ends.</summary>
    internal SafeHandle? Descriptor { get; private set; }

    /// <summary>What is waited for.</summary>
    internal LoopInterest Interest { get; set; }

    /// <summary>When a delay ends, on the monotonic clock; null for never.</summary>
    internal TimeSpan? Deadline { get; set; }

    /// <summary>The pin that is asked for or ended.</summary>
    internal LoopPin? Pin { get; set; }

    /// <summary>Who gets the counters.</summary>
    internal TaskCompletionSource<LoopCounters>? Counters { get; set; }

    /// <summary>Ends it when it asks for that.</summary>
    internal CancellationToken Token { get; private set; }

    /// <summary>Whether the loop's thread has heard that it is to end.</summary>
    internal bool CancelHeard { get; set; }

    /// <summary>Where it stands among all that are under way; null when it is not.</summary>
    internal LinkedListNode<LoopOperation> Node { get; private set; } = null!;

    /// <summary>The watch it waits on.</summary>
    internal LoopWatch? Watch { get; set; }

    /// <summary>The timer of a delay, 0 for none, and its place in the table.</summary>
    internal long Timer { get; set; }

    /// <summary>The place of a delay in the table of timers.</summary>
    internal int Slot { get; set; }

    /// <summary>For the <see cref="ValueTask"/>.</summary>
    internal short Version => _core.Version;

    /// <summary>Makes it ready for a request. A descriptor is held from here on.</summary>
    /// <exception cref="ObjectDisposedException">The descriptor is closed.</exception>
    internal void Prepare(LoopRequest request, SafeHandle? descriptor)
    {
        Node ??= new LinkedListNode<LoopOperation>(this);
        Request = request;
        if (descriptor is not null)
        {
            bool held = false;
            descriptor.DangerousAddRef(ref held);
            Descriptor = descriptor;
        }

        _holders = 2;
        _messages = 0;
        _awaitsCancel = false;
        CancelHeard = false;
    }

    /// <summary>Lets a token end it.</summary>
    internal void Listen(CancellationToken token)
    {
        Token = token;
        _registration = token.CanBeCanceled
            ? token.UnsafeRegister(static state => ((LoopOperation)state!).AskCancel(), this)
            : default;
    }

    /// <summary>Notes a message to the loop's thread; false when there is no need to put it into the queue.</summary>
    internal bool Note(int message)
    {
        int before = Volatile.Read(ref _messages);
        while (true)
        {
            bool queues = message == Start || (before & Begun) != 0;
            int after = before | message | (queues ? Queued | Begun : 0);
            int found = Interlocked.CompareExchange(ref _messages, after, before);
            if (found == before)
            {
                return queues && (before & Queued) == 0;
            }

            before = found;
        }
    }

    /// <summary>The messages, and it is in the queue no more. <see cref="Next"/> is read before.</summary>
    internal int TakeMessages() => Interlocked.And(ref _messages, Begun) & (Start | Cancel);

    /// <summary>Gives up what was prepared for a loop that is closed.</summary>
    internal void Abandon()
    {
        _ = _registration.Unregister();
        ReleaseDescriptor();
    }

    /// <summary>Ends it. On the loop's thread.</summary>
    internal void Complete(LoopInterest ready, Exception? exception)
    {
        ReleaseDescriptor();
        Watch = null;
        Pin = null;
        Counters = null;
        bool settled = !Token.CanBeCanceled || CancelHeard || _registration.Unregister();
        _awaitsCancel = !settled;
        if (exception is null)
        {
            _core.SetResult(ready);
        }
        else
        {
            _core.SetException(exception);
        }

        if (settled)
        {
            Release();
        }
    }

    /// <summary>The message of a token came after the end.</summary>
    internal void HearLateCancel()
    {
        if (_awaitsCancel)
        {
            _awaitsCancel = false;
            Release();
        }
    }

    LoopInterest IValueTaskSource<LoopInterest>.GetResult(short token) => Take(token);

    void IValueTaskSource.GetResult(short token) => Take(token);

    ValueTaskSourceStatus IValueTaskSource<LoopInterest>.GetStatus(short token) => _core.GetStatus(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<LoopInterest>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private LoopInterest Take(short token)
    {
        // A second await finds another version and throws here, before anything is let go.
        if (_core.GetStatus(token) == ValueTaskSourceStatus.Pending)
        {
            throw new InvalidOperationException("the operation has not ended; await it, once");
        }

        try
        {
            return _core.GetResult(token);
        }
        finally
        {
            _core.Reset();
            Release();
        }
    }

    private void AskCancel() => _ = _loop.Post(this, Cancel);

    private void ReleaseDescriptor()
    {
        Descriptor?.DangerousRelease();
        Descriptor = null;
    }

    private void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            _registration = default;
            Token = default;
            _loop.Return(this);
        }
    }
}
