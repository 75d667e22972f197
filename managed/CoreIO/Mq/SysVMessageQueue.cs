// A System V queue: calls that the calling thread makes itself. SysVMessageQueue.Async.cs has those that somebody awaits.
//
// Hot path: a send or a receive allocates nothing, takes no lock and makes one system call unless it has to wait. A message is copied once
// behind its type, in a buffer of the thread; batches lay their messages out with room for it and are not copied.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CoreIO.Mq;

/// <summary>A System V queue (sysvipc(7)), an identifier that needs no closing. All members may be used from any thread.</summary>
public sealed partial class SysVMessageQueue
{
    private const int DefaultMode = 0x180;

    private readonly ISysVQueues _queues;

    private SysVMessageQueue(int id, int key, ISysVQueues queues)
    {
        Id = id;
        Key = key;
        _queues = queues;
        _senders = new QueueLane(ToString());
    }

    /// <summary>Its identifier, which anybody of this IPC namespace who may use it can use.</summary>
    public int Id { get; }

    /// <summary>Its key; 0 for none.</summary>
    public int Key { get; }

    /// <summary>What it is now.</summary>
    /// <exception cref="MessageQueueException">It was removed, or may not be read.</exception>
    public SysVQueueStatus Status
    {
        get
        {
            Control(_queues.Stat(Id, SysVStatKind.Id, out SysVQueueStatus status), "look at");
            return status;
        }
    }

    /// <summary>Creates a queue that must not be there; who created the key before would own it.</summary>
    /// <param name="key">Not 0; <see cref="KeyOf"/> makes one of a file.</param>
    /// <param name="mode">Nine bits of permissions, 0600 unless given.</param>
    /// <param name="backend">Null for the default.</param>
    /// <exception cref="MessageQueueException">It cannot be created; the message says why.</exception>
    public static SysVMessageQueue Create(int key, int mode = DefaultMode, ICoreBackend? backend = null) =>
        Get("create", Named(key), SysVQueueFlags.Create | SysVQueueFlags.Exclusive, mode, backend);

    /// <summary>Opens the queue of a key, or creates it.</summary>
    /// <param name="key">Not 0.</param>
    /// <param name="mode">Of a queue that is created.</param>
    /// <param name="expectedOwner">The user that must own one that is there; null for anybody, who may read what is sent.</param>
    /// <param name="backend">Null for the default.</param>
    /// <exception cref="MessageQueueException">It can be neither opened nor created, or it is somebody else's.</exception>
    public static SysVMessageQueue OpenOrCreate(
        int key, int mode = DefaultMode, uint? expectedOwner = null, ICoreBackend? backend = null) =>
        Owned(Get("open", Named(key), SysVQueueFlags.Create, mode, backend), expectedOwner);

    /// <summary>Opens the queue of a key.</summary>
    /// <param name="key">Not 0.</param>
    /// <param name="expectedOwner">The user that must own it; null for anybody. Keys are public: who creates one first owns it.</param>
    /// <param name="backend">Null for the default.</param>
    /// <exception cref="MessageQueueException">There is none, it may not be used, or it is somebody else's.</exception>
    public static SysVMessageQueue Open(int key, uint? expectedOwner = null, ICoreBackend? backend = null) =>
        Owned(Get("open", Named(key), SysVQueueFlags.None, 0, backend), expectedOwner);

    /// <summary>Creates a queue without a key, known by its identifier alone.</summary>
    /// <exception cref="MessageQueueException">It cannot be created; the message says why.</exception>
    public static SysVMessageQueue CreatePrivate(int mode = DefaultMode, ICoreBackend? backend = null) =>
        Get("create", 0, SysVQueueFlags.Create | SysVQueueFlags.Exclusive, mode, backend);

    /// <summary>The queue with an identifier; whether it is there shows at the first use.</summary>
    public static SysVMessageQueue FromId(int id, ICoreBackend? backend = null)
    {
        ISysVQueues queues = (backend ?? CoreBackends.Default).Mq.SysV;
        return new SysVMessageQueue(id, queues.Stat(id, SysVStatKind.Id, out SysVQueueStatus status) < 0 ? 0 : status.Key, queues);
    }

    /// <summary>Throws unless a user owns it, also where this one may not read it.</summary>
    /// <exception cref="MessageQueueException">It is somebody else's, or was removed.</exception>
    public void RequireOwner(uint expected)
    {
        int result = _queues.Stat(Id, SysVStatKind.Id, out SysVQueueStatus status);
        if (result == StatusCode.AccessDenied)
        {
            // A list needs no right to read.
            status = List(_queues).FirstOrDefault(queue => queue.Id == Id);
            result = status.MaxBytes > 0 ? 0 : StatusCode.Removed;
        }

        Control(result, "look at");
        if (status.Uid != expected)
        {
            throw QueueErrors.ForeignOwner(ToString(), status.Uid, status.Mode, expected);
        }
    }

    /// <summary>Makes a key of a file and the lower eight bits of <paramref name="project"/>, as ftok(3); 0 and 256 are the same.</summary>
    /// <remarks>
    /// The key holds 16 bits of the file's inode and 8 of its device, so different files may have the same: of 65,537 files two surely have.
    /// Check the owner of what is opened with it, or use a number of your own.
    /// </remarks>
    /// <exception cref="MessageQueueException">There is no such file, or it may not be looked at.</exception>
    public static int KeyOf(string path, int project, ICoreBackend? backend = null)
    {
        int status = (backend ?? CoreBackends.Default).Mq.SysV.Key(path, project, out int key);
        return status >= 0 ? key : throw QueueErrors.Key(status, path);
    }

    /// <summary>The limits of this IPC namespace.</summary>
    public static SysVInfo Limits(ICoreBackend? backend = null) => Info(SysVInfoKind.Limits, backend);

    /// <summary>What is used of the limits; the fields mean something else, as <see cref="SysVInfo"/> says.</summary>
    public static SysVInfo Usage(ICoreBackend? backend = null) => Info(SysVInfoKind.Usage, backend);

    /// <summary>All queues of this IPC namespace, also those this user may not read.</summary>
    public static IReadOnlyList<SysVQueueStatus> List(ICoreBackend? backend = null) =>
        [.. List((backend ?? CoreBackends.Default).Mq.SysV)];

    /// <summary>Sends a message; waits while the queue is full, for ever unless told otherwise.</summary>
    /// <param name="message">At most msgmax bytes.</param>
    /// <param name="type">Above 0; who receives may ask for it.</param>
    /// <param name="flags"><see cref="SysVQueueFlags.NoWait"/> or nothing.</param>
    /// <param name="wait">How long, and what ends it.</param>
    /// <exception cref="MessageQueueException">It was not sent; EAGAIN or ETIMEDOUT when the queue was full, EIDRM when it was removed.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public void Send(ReadOnlySpan<byte> message, long type = 1, SysVQueueFlags flags = SysVQueueFlags.None, in MqWait wait = default) =>
        Check(SendStatus(message, type, flags, wait), QueueErrors.SendTo, message.Length, type);

    /// <summary>Sends a message if there is room now.</summary>
    /// <exception cref="MessageQueueException">It cannot be sent.</exception>
    public bool TrySend(ReadOnlySpan<byte> message, long type = 1) => TrySend(message, type, MqWait.None);

    /// <summary>Sends a message; false when the queue was full until the wait ended.</summary>
    /// <exception cref="MessageQueueException">It cannot be sent.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public bool TrySend(ReadOnlySpan<byte> message, long type, in MqWait wait)
    {
        int status = SendStatus(message, type, SysVQueueFlags.None, wait);
        return !IsOver(status) && Check(status, QueueErrors.SendTo, message.Length, type) >= 0;
    }

    /// <summary>Receives a message and returns its length; waits while there is none.</summary>
    /// <param name="buffer">A longer message is E2BIG and stays, or is cut with <see cref="SysVQueueFlags.NoError"/>.</param>
    /// <param name="type">That of the message.</param>
    /// <param name="wantedType">0 for the oldest, above 0 for the oldest of this type, below 0 for the lowest type up to its opposite.</param>
    /// <param name="flags">As msgrcv(2) has them.</param>
    /// <param name="wait">How long, and what ends it.</param>
    /// <exception cref="MessageQueueException">None was received; ENOMSG or ETIMEDOUT when there was none, EIDRM when it was removed.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public int Receive(
        Span<byte> buffer,
        out long type,
        long wantedType = 0,
        SysVQueueFlags flags = SysVQueueFlags.None,
        in MqWait wait = default) =>
        Check(ReceiveStatus(buffer, out type, wantedType, flags, wait), QueueErrors.ReceiveFrom, buffer.Length, wantedType);

    /// <summary>Receives a message if there is one now.</summary>
    /// <exception cref="MessageQueueException">None can be received.</exception>
    public bool TryReceive(
        Span<byte> buffer, out int length, out long type, long wantedType = 0, SysVQueueFlags flags = SysVQueueFlags.None) =>
        TryReceive(buffer, out length, out type, wantedType, flags, MqWait.None);

    /// <summary>Receives a message; false when there was none until the wait ended.</summary>
    /// <exception cref="MessageQueueException">None can be received.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public bool TryReceive(
        Span<byte> buffer, out int length, out long type, long wantedType, SysVQueueFlags flags, in MqWait wait)
    {
        length = ReceiveStatus(buffer, out type, wantedType, flags, wait);
        if (IsOver(length))
        {
            length = 0;
            return false;
        }

        Check(length, QueueErrors.ReceiveFrom, buffer.Length, wantedType);
        return true;
    }

    /// <summary>Sends messages in order, pieces of <paramref name="bytes"/>, and returns how many were sent; one crossing for all.</summary>
    /// <remarks>
    /// Before each are <see cref="ISysVQueues.HeadBytes"/> bytes of room, which are written. Fewer than all when the wait ended or an error
    /// came between; the next call tells which error.
    /// </remarks>
    /// <exception cref="MessageQueueException">Not even the first was sent.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled before the first.</exception>
    public int SendMany(Span<byte> bytes, ReadOnlySpan<MqMessage> messages, in MqWait wait = default)
    {
        int sent = _queues.SendMany(Id, bytes, messages, wait);
        return sent >= 0
            ? sent
            : Check(sent, QueueErrors.SendTo, messages.IsEmpty ? 0 : messages[0].Length, messages.IsEmpty ? 1 : messages[0].Type);
    }

    /// <summary>Receives what is there of a type, and returns how many; waits for the first alone.</summary>
    /// <param name="bytes">Each message is written behind <see cref="ISysVQueues.HeadBytes"/> bytes of its own.</param>
    /// <param name="messageSize">The most bytes a message is expected to have; a longer one stays in the queue.</param>
    /// <param name="messages">Where they are.</param>
    /// <param name="wantedType">As for <see cref="Receive(Span{byte}, out long, long, SysVQueueFlags, in MqWait)"/>.</param>
    /// <param name="flags">Likewise, but for <see cref="SysVQueueFlags.Copy"/>.</param>
    /// <param name="wait">How long, and what ends it.</param>
    /// <exception cref="MessageQueueException">None was received.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public int ReceiveMany(
        Span<byte> bytes,
        int messageSize,
        Span<MqMessage> messages,
        long wantedType = 0,
        SysVQueueFlags flags = SysVQueueFlags.None,
        in MqWait wait = default) =>
        Check(
            _queues.ReceiveMany(Id, bytes, messageSize, wantedType, flags, messages, wait), QueueErrors.ReceiveFrom, messageSize, wantedType);

    /// <summary>Sends a value as the bytes it has in memory.</summary>
    /// <exception cref="MessageQueueException">It was not sent.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public void Send<T>(in T value, long type = 1, in MqWait wait = default)
        where T : unmanaged => Send(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)), type, SysVQueueFlags.None, wait);

    /// <summary>Receives a value.</summary>
    /// <exception cref="MessageQueueException">None was received: E2BIG for a longer message, which stays; a shorter one was taken.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public T Receive<T>(out long type, long wantedType = 0, in MqWait wait = default)
        where T : unmanaged
    {
        T value = default;
        int length = Receive(MemoryMarshal.AsBytes(new Span<T>(ref value)), out type, wantedType, SysVQueueFlags.None, wait);
        return length == Unsafe.SizeOf<T>() ? value : throw QueueErrors.WrongLength(ToString(), length, Unsafe.SizeOf<T>());
    }

    /// <summary>Changes owner, mode and room.</summary>
    /// <exception cref="MessageQueueException">Only the owner, the creator and CAP_SYS_ADMIN may.</exception>
    public void Change(SysVQueueChange change) => Control(_queues.Set(Id, change), "change", change.MaxBytes);

    /// <summary>Removes it with its messages, for everybody, at once; who waits on it gets EIDRM.</summary>
    /// <exception cref="MessageQueueException">Only the owner, the creator and CAP_SYS_ADMIN may.</exception>
    public void Remove() => Control(_queues.Remove(Id), "remove");

    /// <summary>Its key and identifier, as in messages.</summary>
    public override string ToString() => Key == 0 ? $"queue {Id}" : $"queue 0x{Key:x8} (id {Id})";

    /// <summary>All queues; one that comes or goes meanwhile may or may not be among them.</summary>
    internal static IEnumerable<SysVQueueStatus> List(ISysVQueues queues)
    {
        int last = queues.Info(SysVInfoKind.Usage, out _);
        for (int index = 0; index <= last; index++)
        {
            if (queues.Stat(index, SysVStatKind.AnyIndex, out SysVQueueStatus status) >= 0)
            {
                yield return status;
            }
        }
    }

    private static SysVMessageQueue Owned(SysVMessageQueue queue, uint? expected)
    {
        if (expected is uint user)
        {
            queue.RequireOwner(user);
        }

        return queue;
    }

    private static int Named(int key) => key != 0
        ? key
        : throw new ArgumentException("key 0 (IPC_PRIVATE) names no queue, it always creates one; CreatePrivate does that", nameof(key));

    private static SysVMessageQueue Get(string operation, int key, SysVQueueFlags flags, int mode, ICoreBackend? backend)
    {
        ISysVQueues queues = (backend ?? CoreBackends.Default).Mq.SysV;
        int id = queues.Get(key, flags, mode);
        return id >= 0
            ? new SysVMessageQueue(id, key, queues)
            : throw QueueErrors.GetSysV(id, operation, key == 0 ? "a private queue" : $"queue 0x{key:x8}", queues, key);
    }

    private static SysVInfo Info(SysVInfoKind kind, ICoreBackend? backend)
    {
        int status = (backend ?? CoreBackends.Default).Mq.SysV.Info(kind, out SysVInfo info);
        return status >= 0 ? info : throw new CoreIOException(status, "System V queues");
    }

    private static bool IsOver(int status) => status is StatusCode.Again or StatusCode.NoMessage or StatusCode.TimedOut;

    private int SendStatus(ReadOnlySpan<byte> message, long type, SysVQueueFlags flags, in MqWait wait)
    {
        Span<byte> headed = Scratch.Of(ISysVQueues.HeadBytes + message.Length);
        MemoryMarshal.Write(headed, in type);
        message.CopyTo(headed[ISysVQueues.HeadBytes..]);
        return _queues.Send(Id, headed, flags, wait);
    }

    private int ReceiveStatus(Span<byte> buffer, out long type, long wantedType, SysVQueueFlags flags, in MqWait wait)
    {
        Span<byte> headed = Scratch.Of(ISysVQueues.HeadBytes + buffer.Length);
        int length = _queues.Receive(Id, headed, wantedType, flags, wait);
        if (length < 0)
        {
            type = 0;
            return length;
        }

        type = MemoryMarshal.Read<long>(headed);
        headed.Slice(ISysVQueues.HeadBytes, length).CopyTo(buffer);
        return length;
    }

    private int Check(int status, string operation, long length, long type) =>
        status >= 0 ? status : throw Fault(status, operation, length, type);

    private Exception Fault(int status, string operation, long length, long type) =>
        QueueErrors.SysV(status, operation, ToString(), _queues, Id, length, type);

    private void Control(int status, string operation, long maxBytes = 0)
    {
        if (status < 0)
        {
            throw QueueErrors.ControlSysV(status, operation, ToString(), _queues, Id, maxBytes);
        }
    }
}
