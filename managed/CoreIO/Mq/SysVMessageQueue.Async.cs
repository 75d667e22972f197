// What somebody awaits: a try at once, and if that would wait, a request of a lane. The kernel offers these queues neither a descriptor
// nor a timeout, so the lane tries again, at once and then up to a millisecond apart.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CoreIO.Mq;

public sealed partial class SysVMessageQueue
{
    private readonly Lock _lanes = new();
    private readonly QueueLane _senders;

    // One for each type that is waited for: who waits for one type does not stand before who waits for another. One that nobody has used for
    // a while is not there any more.
    private readonly Dictionary<long, QueueLane> _receivers = [];

    /// <summary>Sends a message when there is room. Order is kept among those who await; the bytes are read until it ends.</summary>
    /// <exception cref="MessageQueueException">It was not sent; EIDRM or EINVAL when the queue was removed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled, and then it was not sent.</exception>
    public ValueTask SendAsync(ReadOnlyMemory<byte> message, long type = 1, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        if (!_senders.IsBusy)
        {
            int status = SendStatus(message.Span, type, SysVQueueFlags.None, MqWait.None);
            if (status != StatusCode.Again)
            {
                return status >= 0
                    ? ValueTask.CompletedTask
                    : ValueTask.FromException(Fault(status, QueueErrors.SendTo, message.Length, type));
            }
        }

        SendRequest request = new(this, message, type);
        _ = _senders.Add(request, cancellationToken);
        return new ValueTask(request.Task);
    }

    /// <summary>Receives a message of a type when there is one. Cancellation loses none: who is cancelled has taken nothing.</summary>
    /// <remarks>
    /// A message may be a millisecond late: the kernel cannot be asked to tell, so a thread tries again and again, at one or two percent of a
    /// CPU. There is one for each type that somebody waits for, as long as somebody does and two seconds more: wait for few types at a time. A
    /// POSIX queue, or a thread of your own that blocks in Receive, is at once.
    /// </remarks>
    /// <param name="wantedType">0 for the oldest, above 0 for the oldest of this type, below 0 for the lowest type up to its opposite.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="MessageQueueException">None can be received; EIDRM or EINVAL when the queue was removed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled, and then no message was taken.</exception>
    public ValueTask<QueueMessage> ReceiveAsync(long wantedType = 0, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<QueueMessage>(cancellationToken);
        }

        ReceiveRequest request = new(this, wantedType);
        if (!IsAwaited(wantedType))
        {
            int status = request.Attempt(MqWait.None);
            if (status >= 0)
            {
                return new ValueTask<QueueMessage>(request.Message);
            }

            if (status != StatusCode.NoMessage)
            {
                return ValueTask.FromException<QueueMessage>(Fault(status, QueueErrors.ReceiveFrom, 0, wantedType));
            }
        }

        while (true)
        {
            QueueLane lane = Receivers(wantedType);
            if (lane.Add(request, cancellationToken))
            {
                return new ValueTask<QueueMessage>(request.Task);
            }

            // It has ended since. Its way to cancel this request may still be under way, so the next lane gets another one.
            LetGo(wantedType, lane);
            request = new ReceiveRequest(this, wantedType);
        }
    }

    /// <summary>Receives messages as they come, until the queue is removed. One is taken when it is asked for, so none is lost at the end.</summary>
    /// <exception cref="MessageQueueException">None can be received; EIDRM or EINVAL when the queue was removed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async IAsyncEnumerable<QueueMessage> ReadAllAsync(
        long wantedType = 0, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (true)
        {
            yield return await ReceiveAsync(wantedType, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Lanes to receive that there are now.</summary>
    internal int ReceiverLanes
    {
        get
        {
            lock (_lanes)
            {
                return _receivers.Count;
            }
        }
    }

    private bool IsAwaited(long wantedType)
    {
        lock (_lanes)
        {
            return _receivers.TryGetValue(wantedType, out QueueLane? lane) && lane.IsBusy;
        }
    }

    private QueueLane Receivers(long wantedType)
    {
        lock (_lanes)
        {
            if (!_receivers.TryGetValue(wantedType, out QueueLane? lane))
            {
                _receivers[wantedType] = lane = new QueueLane(ToString(), ended => LetGo(wantedType, ended));
            }

            return lane;
        }
    }

    // Another one may have its place already.
    private void LetGo(long wantedType, QueueLane lane)
    {
        lock (_lanes)
        {
            if (_receivers.TryGetValue(wantedType, out QueueLane? current) && current == lane)
            {
                _ = _receivers.Remove(wantedType);
            }
        }
    }

    private sealed class SendRequest(SysVMessageQueue queue, ReadOnlyMemory<byte> message, long type) : LaneRequest<bool>
    {
        internal override int Attempt(in MqWait wait) => queue.SendStatus(message.Span, type, SysVQueueFlags.None, wait);

        protected override bool Result(int status) => true;

        protected override Exception Fault(int status) => queue.Fault(status, QueueErrors.SendTo, message.Length, type);
    }

    private sealed class ReceiveRequest(SysVMessageQueue queue, long wantedType) : LaneRequest<QueueMessage>
    {
        // A message may be longer where msgmax is larger; then the kernel says so, the message stays, and the next try has twice the room.
        private const int FirstRoom = 8192;
        private const int MostRoom = 0x7FFFFFC7 - ISysVQueues.HeadBytes;

        internal QueueMessage Message { get; private set; }

        internal override int Attempt(in MqWait wait)
        {
            int length = Receive(Scratch.Of(ISysVQueues.HeadBytes + FirstRoom), wait);
            for (long room = FirstRoom; length == StatusCode.TooBig && room < MostRoom;)
            {
                room = Math.Min(2 * room, MostRoom);
                // Not the thread's own buffer, which would stay as large.
                length = Receive(GC.AllocateUninitializedArray<byte>(ISysVQueues.HeadBytes + (int)room), wait);
            }

            return length;
        }

        protected override QueueMessage Result(int status) => Message;

        protected override Exception Fault(int status) => queue.Fault(status, QueueErrors.ReceiveFrom, FirstRoom, wantedType);

        private int Receive(Span<byte> headed, in MqWait wait)
        {
            int length = queue._queues.Receive(queue.Id, headed, wantedType, SysVQueueFlags.None, wait);
            if (length >= 0)
            {
                Message = new QueueMessage(headed.Slice(ISysVQueues.HeadBytes, length).ToArray(), MemoryMarshal.Read<long>(headed));
            }

            return length;
        }
    }
}
