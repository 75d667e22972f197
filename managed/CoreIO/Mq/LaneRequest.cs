// One asynchronous send, receive or wait of a queue: what a lane tries, and who awaits it.
namespace CoreIO.Mq;

/// <summary>What a lane runs for somebody who awaits it.</summary>
internal abstract class LaneRequest
{
    private CancellationTokenRegistration _registration;

    /// <summary>Where it stands in its lane; null when it is not queued.</summary>
    internal LinkedListNode<LaneRequest>? Node { get; set; }

    /// <summary>Whether it is to end before it has done anything.</summary>
    internal bool CancelAsked { get; set; }

    /// <summary>Ends it when the token asks for that.</summary>
    protected CancellationToken Token { get; private set; }

    /// <summary>Tries, and waits as <paramref name="wait"/> says; what it got it keeps.</summary>
    internal abstract int Attempt(in MqWait wait);

    /// <summary>Hands what it got to who awaits it.</summary>
    internal abstract void Succeed(int status);

    /// <summary>Hands a failure to who awaits it.</summary>
    internal abstract void Fail(int status);

    /// <summary>Hands an exception to who awaits it.</summary>
    internal abstract void Fail(Exception exception);

    /// <summary>Tells who awaits it that it was cancelled.</summary>
    internal abstract void Cancel();

    /// <summary>Lets the token end the request in <paramref name="lane"/>.</summary>
    internal void Listen(QueueLane lane, CancellationToken token)
    {
        Token = token;
        if (token.CanBeCanceled)
        {
            _registration = token.UnsafeRegister(
                static state => ((ValueTuple<QueueLane, LaneRequest>)state!).Item1.AskCancel(((ValueTuple<QueueLane, LaneRequest>)state).Item2),
                (lane, this));
        }
    }

    /// <summary>The token need not look any more.</summary>
    internal void StopListening() => _registration.Unregister();
}

/// <summary>A request with a result.</summary>
internal abstract class LaneRequest<T> : LaneRequest
{
    private readonly TaskCompletionSource<T> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when the request ends.</summary>
    internal Task<T> Task => _source.Task;

    internal sealed override void Succeed(int status) => _source.TrySetResult(Result(status));

    internal sealed override void Fail(int status) => _source.TrySetException(Fault(status));

    internal sealed override void Fail(Exception exception) => _source.TrySetException(exception);

    internal sealed override void Cancel() => _source.TrySetCanceled(Token);

    /// <summary>What it got.</summary>
    protected abstract T Result(int status);

    /// <summary>The exception of a status.</summary>
    protected abstract Exception Fault(int status);
}
