// What somebody awaits of a loop: readiness, time. AsyncEventLoop.Thread.cs has the thread that serves them.
//
// A request is an operation in a queue that the loop's thread takes whole: a stack of one compare-and-swap a request, and a wake by who
// found it empty. Only that thread touches the loop, its watches and its timers, so there is no lock.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CoreIO.Loop;

/// <summary>
/// An event loop for those who await: one thread, named <c>coreio-loop</c>, waits for any number of descriptors and delays, so that no thread
/// of the pool does. All members may be used from any thread.
/// </summary>
public sealed partial class AsyncEventLoop : IAsyncDisposable
{
    private const LoopInterest Awaitable = LoopInterest.Read | LoopInterest.Write | LoopInterest.Priority | LoopInterest.ReadHangUp;

    // Operations kept to be used again, some hundred bytes each.
    private const int MostKept = 1024;

    // Stands for the end of a queue that takes nothing any more.
    private static readonly LoopOperation Closed = new(null!, continueOnLoop: false);

    private readonly EventLoop _loop;
    private readonly Thread _thread;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentQueue<LoopOperation> _kept = new();
    private readonly bool _continueOnLoop;
    private LoopOperation? _queue;
    private int _keptCount;
    private volatile bool _closing;

    /// <summary>Makes a loop and starts its thread.</summary>
    /// <param name="options">Null for the default.</param>
    /// <param name="backend">Null for the default.</param>
    /// <exception cref="EventLoopException">It cannot be made; the message says why.</exception>
    public AsyncEventLoop(AsyncEventLoopOptions? options = null, ICoreBackend? backend = null)
    {
        _continueOnLoop = options?.RunContinuationsOnLoop ?? false;
        _loop = new EventLoop(null, backend);
        _thread = new Thread(Run) { IsBackground = true, Name = "coreio-loop" };
        try
        {
            _thread.Start();
        }
        catch
        {
            _loop.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Waits until a descriptor is ready, and tells for what: some of <paramref name="interest"/>, <see cref="LoopInterest.Error"/> or
    /// <see cref="LoopInterest.HangUp"/>. Nothing is read or written, so a wait that is cancelled has lost nothing.
    /// </summary>
    /// <param name="descriptor">Held until the wait ends: disposed of meanwhile, it stays open until then, so cancel first.</param>
    /// <param name="interest">Of <see cref="LoopInterest.Read"/>, Write, Priority and ReadHangUp.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>To be awaited once, as every <see cref="ValueTask"/>.</returns>
    /// <exception cref="EventLoopException">It cannot be watched; the message says why.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The descriptor is closed, or the loop is or was meanwhile.</exception>
    public ValueTask<LoopInterest> ReadyAsync(
        SafeHandle descriptor, LoopInterest interest, CancellationToken cancellationToken = default)
    {
        CheckArguments(descriptor, interest);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<LoopInterest>(cancellationToken);
        }

        LoopOperation operation = Rent(LoopRequest.Ready, descriptor);
        operation.Interest = interest;
        return new ValueTask<LoopInterest>(operation, Submit(operation, cancellationToken));
    }

    /// <summary>Waits for a time, and never ends early; <see cref="Timeout.InfiniteTimeSpan"/> only ends by cancellation.</summary>
    /// <returns>To be awaited once.</returns>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The loop is closed, or was meanwhile.</exception>
    public ValueTask DelayAsync(TimeSpan delay, CancellationToken cancellationToken = default)
    {
        if (delay < TimeSpan.Zero && delay != Timeout.InfiniteTimeSpan)
        {
            throw new ArgumentOutOfRangeException(nameof(delay), delay, "a time is not below zero, but for Timeout.InfiniteTimeSpan");
        }

        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        ObjectDisposedException.ThrowIf(_closing, this);
        if (delay == TimeSpan.Zero)
        {
            return ValueTask.CompletedTask;
        }

        LoopOperation operation = Rent(LoopRequest.Delay, null);
        TimeSpan now = Clock();
        operation.Deadline = delay < TimeSpan.Zero ? null : delay > TimeSpan.MaxValue - now ? TimeSpan.MaxValue : now + delay;
        return new ValueTask(operation, Submit(operation, cancellationToken));
    }

    /// <summary>
    /// Tells each time a descriptor is ready when the next one is asked for; the descriptor stays registered in between, which is cheaper
    /// than a <see cref="ReadyAsync"/> for each. Who has not taken all that is there is told again.
    /// </summary>
    /// <exception cref="EventLoopException">It cannot be watched; the message says why.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The descriptor is closed, or the loop is or was meanwhile.</exception>
    public IAsyncEnumerable<LoopInterest> WatchAsync(
        SafeHandle descriptor, LoopInterest interest, CancellationToken cancellationToken = default)
    {
        CheckArguments(descriptor, interest);
        return Watch(descriptor, interest, cancellationToken);
    }

    /// <summary>What the loop has done and holds.</summary>
    /// <exception cref="ObjectDisposedException">The loop is closed.</exception>
    public async Task<LoopCounters> GetCountersAsync()
    {
        LoopOperation operation = Rent(LoopRequest.Counters, null);
        TaskCompletionSource<LoopCounters> counters = new(TaskCreationOptions.RunContinuationsAsynchronously);
        operation.Counters = counters;
        await new ValueTask(operation, Submit(operation, CancellationToken.None)).ConfigureAwait(false);
        return await counters.Task.ConfigureAwait(false);
    }

    /// <summary>
    /// Ends the loop: who still waits gets <see cref="ObjectDisposedException"/>, and when this is done there is neither thread nor
    /// descriptor any more.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        _closing = true;
        try
        {
            _loop.Wake();
        }
        catch (ObjectDisposedException)
        {
            // It has ended.
        }

        await _ended.Task.ConfigureAwait(false);
        // It has nothing left to do but end; whatever follows runs elsewhere.
        _thread.Join();
    }

    /// <summary>Puts a message to the loop's thread into the queue; false when it takes none any more.</summary>
    internal bool Post(LoopOperation operation, int message)
    {
        if (!operation.Note(message))
        {
            return true;
        }

        LoopOperation? head = Volatile.Read(ref _queue);
        while (true)
        {
            if (ReferenceEquals(head, Closed))
            {
                return false;
            }

            operation.Next = head;
            LoopOperation? found = Interlocked.CompareExchange(ref _queue, operation, head);
            if (ReferenceEquals(found, head))
            {
                break;
            }

            head = found;
        }

        // Who found it empty wakes the loop for all who come until it looks; its own thread looks before it waits.
        if (head is null && Environment.CurrentManagedThreadId != _thread.ManagedThreadId)
        {
            try
            {
                _loop.Wake();
            }
            catch (ObjectDisposedException)
            {
                // The thread is ending, and takes what is in the queue.
            }
        }

        return true;
    }

    /// <summary>Takes an operation back that nobody uses.</summary>
    internal void Return(LoopOperation operation)
    {
        if (Interlocked.Increment(ref _keptCount) <= MostKept)
        {
            _kept.Enqueue(operation);
        }
        else
        {
            Interlocked.Decrement(ref _keptCount);
        }
    }

    private static void CheckArguments(SafeHandle descriptor, LoopInterest interest)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        if (interest == LoopInterest.None || (interest & ~Awaitable) != 0)
        {
            throw new ArgumentException($"one waits for some of {Awaitable}, not for {interest}", nameof(interest));
        }
    }

    // Rounded up, so that no delay ends early.
    private static TimeSpan Clock() =>
        TimeSpan.FromTicks((Stopwatch.GetTimestamp() + TimeSpan.NanosecondsPerTick - 1) / TimeSpan.NanosecondsPerTick);

    private async IAsyncEnumerable<LoopInterest> Watch(
        SafeHandle descriptor, LoopInterest interest, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        LoopPin pin = new();
        LoopOperation first = Rent(LoopRequest.Pin, descriptor);
        first.Pin = pin;
        await new ValueTask(first, Submit(first, CancellationToken.None)).ConfigureAwait(false);
        try
        {
            while (true)
            {
                yield return await ReadyAsync(descriptor, interest, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            await Unpin(pin).ConfigureAwait(false);
        }
    }

    private async ValueTask Unpin(LoopPin pin)
    {
        LoopOperation operation = Rent(LoopRequest.Unpin, null);
        operation.Pin = pin;
        try
        {
            await new ValueTask(operation, Submit(operation, CancellationToken.None)).ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            // With the loop went the pin.
        }
    }

    private LoopOperation Rent(LoopRequest request, SafeHandle? descriptor)
    {
        if (_kept.TryDequeue(out LoopOperation? operation))
        {
            Interlocked.Decrement(ref _keptCount);
        }
        else
        {
            operation = new LoopOperation(this, _continueOnLoop);
        }

        operation.Prepare(request, descriptor);
        return operation;
    }

    // The version of the operation, which may have ended and be in use again when this returns.
    private short Submit(LoopOperation operation, CancellationToken cancellationToken)
    {
        short version = operation.Version;
        operation.Listen(cancellationToken);
        if (!Post(operation, LoopOperation.Start))
        {
            operation.Abandon();
            throw new ObjectDisposedException(GetType().FullName);
        }

        return version;
    }
}
