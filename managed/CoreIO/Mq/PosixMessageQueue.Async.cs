// What somebody awaits: a try at once, and if that would wait, a request of a lane. Nobody of the thread pool waits for a queue.
using System.Buffers;
using System.Runtime.CompilerServices;

namespace CoreIO.Mq;

public sealed partial class PosixMessageQueue
{
    private readonly Lock _lanes = new();
    private QueueLane? _receivers;
    private QueueLane? _senders;
    private QueueLane? _listeners;
    private bool _closed;

    /// <summary>Sends a message when there is room. Order is kept among those who await; the bytes are read until it ends.</summary>
    /// <exception cref="MessageQueueException">It was not sent.</exception>
    /// <exception cref="OperationCanceledException">Cancelled, and then it was not sent.</exception>
    public ValueTask SendAsync(ReadOnlyMemory<byte> message, int priority = 0, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        QueueLane lane = Lane(ref _senders);
        if (!lane.IsBusy)
        {
            int status = _queues.Send(Handle, message.Span, priority, MqWait.None);
            if (status != StatusCode.Again)
            {
                return status >= 0
                    ? ValueTask.CompletedTask
                    : ValueTask.FromException(Fault(status, QueueErrors.SendTo, message.Length, priority));
            }
        }

        SendRequest request = new(this, message, priority);
        _ = lane.Add(request, cancellationToken);
        return new ValueTask(request.Task);
    }

    /// <summary>Receives a message when there is one. Cancellation loses none: who is cancelled has taken nothing.</summary>
    /// <exception cref="MessageQueueException">None can be received.</exception>
    /// <exception cref="OperationCanceledException">Cancelled, and then no message was taken.</exception>
    public ValueTask<QueueMessage> ReceiveAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<QueueMessage>(cancellationToken);
        }

        QueueLane lane = Lane(ref _receivers);
        ReceiveRequest request = new(this);
        if (!lane.IsBusy)
        {
            int status = request.Attempt(MqWait.None);
            if (status >= 0)
            {
                return new ValueTask<QueueMessage>(request.Message);
            }

            if (status != StatusCode.Again)
            {
                return ValueTask.FromException<QueueMessage>(Fault(status, QueueErrors.ReceiveFrom, MessageSize, 0));
            }
        }

        _ = lane.Add(request, cancellationToken);
        return new ValueTask<QueueMessage>(request.Task);
    }

    /// <summary>Receives messages as they come, for ever. One is taken from the queue when it is asked for, so none is lost at the end.</summary>
    /// <exception cref="MessageQueueException">None can be received.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async IAsyncEnumerable<QueueMessage> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (true)
        {
            yield return await ReceiveAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Asks that this process be told once when a message comes into the empty queue; see <see cref="PosixQueueNotification.Arm"/> for how
    /// to be told again without losing one.
    /// </summary>
    /// <param name="kind">How; by a descriptor there is neither a signal nor a thread of libc.</param>
    /// <param name="signal">With <see cref="PosixNotifyKind.Signal"/>, which.</param>
    /// <param name="value">With <see cref="PosixNotifyKind.Signal"/>, what comes with it.</param>
    /// <exception cref="MessageQueueException">EBUSY when a process is registered already.</exception>
    public PosixQueueNotification Notify(
        PosixNotifyKind kind = PosixNotifyKind.Descriptor, int signal = 0, long value = 0) => new(this, _queues, kind, signal, value);

    /// <summary>
    /// Takes messages by notification: asks to be told, takes what is there, waits to be told, and so on. Nothing that comes between is
    /// missed, other receivers may take their share, and this process holds the queue's registration meanwhile.
    /// </summary>
    /// <exception cref="MessageQueueException">EBUSY when a process is registered already.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; no message was taken that was not returned.</exception>
    public async IAsyncEnumerable<QueueMessage> ReadNotifiedAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using PosixQueueNotification notification = Notify();
        while (true)
        {
            // What comes from here on is told; what came before is taken now. The other way round a message between the two is not told.
            ReceiveRequest request = new(this);
            int status;
            while ((status = request.Attempt(MqWait.None)) >= 0)
            {
                yield return request.Message;
                cancellationToken.ThrowIfCancellationRequested();
            }

            if (status != StatusCode.Again)
            {
                throw Fault(status, QueueErrors.ReceiveFrom, MessageSize, 0);
            }

            await notification.WaitAsync(cancellationToken).ConfigureAwait(false);
            notification.Arm();
        }
    }

    /// <summary>Waits for a registration in a lane of its own.</summary>
    internal Task ListenAsync(PosixQueueNotification notification, CancellationToken cancellationToken)
    {
        ListenRequest request = new(this, notification);
        _ = Lane(ref _listeners).Add(request, cancellationToken);
        return request.Task;
    }

    private QueueLane Lane(ref QueueLane? lane)
    {
        lock (_lanes)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            return lane ??= new QueueLane(Name);
        }
    }

    private void CloseLanes()
    {
        lock (_lanes)
        {
            _closed = true;
            _receivers?.Close();
            _senders?.Close();
            _listeners?.Close();
        }
    }

    private sealed class SendRequest(PosixMessageQueue queue, ReadOnlyMemory<byte> message, int priority) : LaneRequest<bool>
    {
        internal override int Attempt(in MqWait wait) => queue._queues.Send(queue.Handle, message.Span, priority, wait);

        protected override bool Result(int status) => true;

        protected override Exception Fault(int status) => queue.Fault(status, QueueErrors.SendTo, message.Length, priority);
    }

    private sealed class ReceiveRequest(PosixMessageQueue queue) : LaneRequest<QueueMessage>
    {
        internal QueueMessage Message { get; private set; }

        internal override int Attempt(in MqWait wait)
        {
            byte[] buffer = ArrayPool<byte>.Shared.Rent(queue.MessageSize);
            try
            {
                int length = queue._queues.Receive(queue.Handle, buffer, out int priority, wait);
                if (length >= 0)
                {
                    Message = new QueueMessage(buffer.AsSpan(0, length).ToArray(), priority);
                }

                return length;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }

        protected override QueueMessage Result(int status) => Message;

        protected override Exception Fault(int status) => queue.Fault(status, QueueErrors.ReceiveFrom, queue.MessageSize, 0);
    }

    private sealed class ListenRequest(PosixMessageQueue queue, PosixQueueNotification notification) : LaneRequest<bool>
    {
        internal override int Attempt(in MqWait wait) => notification.WaitOnce(wait);

        protected override bool Result(int status) => true;

        protected override Exception Fault(int status) => queue.Fault(status, PosixQueueNotification.WaitFor, 0, 0);
    }
}
