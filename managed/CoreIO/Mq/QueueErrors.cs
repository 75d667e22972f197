// The one place where the status of a queue becomes an exception, with what a user needs to go on: the limit that was hit and its value
// now, who owns what could not be had, and a way out. Nothing here runs unless something failed.
using System.Globalization;
using System.Text;

namespace CoreIO.Mq;

internal static class QueueErrors
{
    internal const string SendTo = "send to";
    internal const string ReceiveFrom = "receive from";
    internal const string Open = "open";

    /// <summary>Opening or unlinking a POSIX queue failed.</summary>
    internal static Exception OpenPosix(int status, string operation, string name, PosixQueueAttributes? limits, IPosixQueues queues) =>
        Make(status, operation, name, status switch
        {
            StatusCode.NoEntry when name == "/" => "a name has at least one byte behind its slash",
            StatusCode.NoEntry => "no queue has this name in this IPC namespace" + (operation == Open ? "; create it first" : ""),
            StatusCode.Exists => "a queue has this name; open it, or unlink it first",
            StatusCode.NameTooLong => $"a name has at most 255 bytes behind its slash, this one has {Encoding.UTF8.GetByteCount(name) - 1}",
            StatusCode.AccessDenied => NameHasFolders(name) ? OneSlash : PosixOwner(name, queues),
            StatusCode.InvalidArgument => NameOrLimits(name, limits),
            StatusCode.TooManyOpenFiles => QueueBytes(limits) + $"; or the process has RLIMIT_NOFILE, {KernelNumbers.OpenFiles()?.Soft ?? Unknown}, files open",
            StatusCode.NoMemory => QueueBytes(limits),
            StatusCode.NoSpace =>
                $"this IPC namespace has its queues_max of {Text(KernelNumbers.Posix("queues_max"))} queues; unlink some, or raise "
                + "/proc/sys/fs/mqueue/queues_max",
            _ => null,
        });

    /// <summary>A POSIX queue is somebody else's than was expected.</summary>
    internal static Exception ForeignOwner(string name, uint owner, int mode, uint expected) =>
        Make(StatusCode.AccessDenied, "open", name,
            $"it belongs to user {owner} with mode {Octal(mode)}, and user {expected} was expected; who creates a name first owns it");

    /// <summary>Sending, receiving or asking for word failed; <paramref name="length"/> is that of the message or the buffer.</summary>
    internal static Exception Posix(int status, string operation, string name, PosixQueueAttributes queue, long length, int priority)
    {
        bool sends = operation == SendTo;
        return Make(status, operation, name, status switch
        {
            StatusCode.MessageSize => sends
                ? $"the queue's message size is {queue.MessageSize}, the message has {length}; create the queue with a larger message size"
                : $"the queue's message size is {queue.MessageSize}, the buffer has {length}; however short a message is, the buffer must "
                    + "be as long as one may be",
            StatusCode.Again or StatusCode.TimedOut => sends ? $"all of its {queue.MaxMessages} messages wait to be received" : "it is empty",
            StatusCode.InvalidArgument when sends && priority is < 0 or > 32767 => $"priority {priority} is not from 0 to 32767",
            StatusCode.BadDescriptor when operation is SendTo or ReceiveFrom =>
                $"it was opened without the right to {(sends ? "send" : "receive")}, or the descriptor that ends the wait is closed",
            StatusCode.Busy => "a process is registered already, and one may be at a time",
            _ => null,
        });
    }

    /// <summary>A message of a POSIX or System V queue has another length than the value it was received as.</summary>
    internal static Exception WrongLength(string queue, int length, int size) =>
        Make(StatusCode.MessageSize, ReceiveFrom, queue, $"the message has {length} bytes, the value has {size}; it was taken from the queue");

    /// <summary>Finding or creating a System V queue failed.</summary>
    internal static Exception GetSysV(int status, string operation, string label, ISysVQueues queues, int key) =>
        Make(status, operation, label, status switch
        {
            StatusCode.NoEntry => "no queue has this key in this IPC namespace; create it first",
            StatusCode.Exists => "a queue has this key; open it, or remove it first",
            StatusCode.AccessDenied => SysVOwner(queues, s => s.Key == key),
            StatusCode.NoSpace =>
                $"this IPC namespace has its msgmni of {Text(KernelNumbers.SysV("msgmni"))} queues; remove some (ipcs -q, ipcrm -q), or raise "
                + "/proc/sys/kernel/msgmni",
            _ => null,
        });

    /// <summary>A file gave no key.</summary>
    internal static Exception Key(int status, string path) => Make(status, "make a key of", path, null);

    /// <summary>Sending to or receiving from a System V queue failed; <paramref name="length"/> is that of the message or the buffer.</summary>
    internal static Exception SysV(int status, string operation, string label, ISysVQueues queues, int id, long length, long type)
    {
        bool sends = operation == SendTo;
        return Make(status, operation, label, status switch
        {
            StatusCode.Removed => "the queue was removed while this call waited for it",
            StatusCode.TooBig => $"the oldest message that fits the type is longer than the buffer of {length} bytes, and stays in the queue",
            StatusCode.InvalidArgument when sends && type < 1 => $"type {type} is not above 0",
            StatusCode.InvalidArgument when sends && length > KernelNumbers.SysV("msgmax") =>
                $"msgmax is {Text(KernelNumbers.SysV("msgmax"))}, the message has {length}; raise /proc/sys/kernel/msgmax",
            StatusCode.InvalidArgument => Gone(queues, id),
            StatusCode.Again or StatusCode.TimedOut => sends ? Full(queues, id) : "it has no message of this type",
            StatusCode.NoMessage => "it is empty, or has none of this type",
            StatusCode.AccessDenied => SysVOwner(queues, s => s.Id == id),
            StatusCode.NotImplemented => "MSG_COPY needs a kernel with CONFIG_CHECKPOINT_RESTORE",
            _ => null,
        });
    }

    /// <summary>Describing, changing or removing a System V queue failed.</summary>
    internal static Exception ControlSysV(int status, string operation, string label, ISysVQueues queues, int id, long maxBytes) =>
        Make(status, operation, label, status switch
        {
            StatusCode.NotPermitted when maxBytes > KernelNumbers.SysV("msgmnb") =>
                $"more than msgmnb, {Text(KernelNumbers.SysV("msgmnb"))} bytes, needs CAP_SYS_RESOURCE; or {SysVOwner(queues, s => s.Id == id)}",
            StatusCode.NotPermitted => "only its owner, its creator and CAP_SYS_ADMIN may: " + SysVOwner(queues, s => s.Id == id),
            StatusCode.AccessDenied => SysVOwner(queues, s => s.Id == id),
            StatusCode.InvalidArgument or StatusCode.Removed => Gone(queues, id),
            _ => null,
        });

    private const string OneSlash = "a name has one slash, at its beginning";
    private const string Unknown = "unknown";

    private static Exception Make(int status, string operation, string queue, string? advice) => status == StatusCode.Canceled
        ? new OperationCanceledException($"{operation} {queue}: cancelled")
        : new MessageQueueException(status, operation, queue, advice);

    private static bool NameHasFolders(string name) => name.LastIndexOf('/') > 0;

    private static string Text(long? number) => number?.ToString(CultureInfo.InvariantCulture) ?? Unknown;

    private static string Octal(int mode) => "0" + Convert.ToString(mode, 8).PadLeft(3, '0');

    private static string? NameOrLimits(string name, PosixQueueAttributes? limits)
    {
        if (name.Contains('\0', StringComparison.Ordinal))
        {
            return "a name holds no zero byte";
        }

        if (!name.StartsWith('/'))
        {
            return "a name begins with a slash";
        }

        return limits is { } asked
            ? $"{asked.MaxMessages} messages of {asked.MessageSize} bytes were asked for; msg_max is {Text(KernelNumbers.Posix("msg_max"))} and "
                + $"msgsize_max {Text(KernelNumbers.Posix("msgsize_max"))} without CAP_SYS_RESOURCE; raise them in /proc/sys/fs/mqueue"
            : null;
    }

    // The kernel's own sum: what a queue could hold counts, not what it does.
    private static string QueueBytes(PosixQueueAttributes? limits)
    {
        long? messages = limits?.MaxMessages ?? KernelNumbers.Posix("msg_default");
        long? size = limits?.MessageSize ?? KernelNumbers.Posix("msgsize_default");
        string limit = KernelNumbers.QueueBytes()?.Soft ?? Unknown;
        string text = $"the queues of this user take RLIMIT_MSGQUEUE, {limit} bytes";
        if (messages is long count && size is long each)
        {
            long bytes = MqLimits.BytesOf(count, each);
            text += $"; a queue of {count} messages of {each} bytes takes {bytes}"
                + (long.TryParse(limit, CultureInfo.InvariantCulture, out long most) && bytes > 0 ? $", of which {most / bytes} fit" : "");
        }

        return text + "; unlink queues, make them smaller, or raise it with ulimit -q or LimitMSGQUEUE=";
    }

    private static string PosixOwner(string name, IPosixQueues queues)
    {
        using QueueFolder folder = QueueFolder.Open(queues);
        if (folder.Path is null || FileOwner.Of(folder.Path + name) is not FileOwner owner)
        {
            return "its owner and mode keep this user out";
        }

        string text = $"it belongs to user {owner.Uid} with mode {Octal(owner.Mode)}, and this is user {Environment.UserName}";
        return folder.Advice is null ? text : $"if {folder.Path} is of this IPC namespace, {text}";
    }

    private static string SysVOwner(ISysVQueues queues, Func<SysVQueueStatus, bool> which)
    {
        foreach (SysVQueueStatus queue in SysVMessageQueue.List(queues))
        {
            if (which(queue))
            {
                return $"it belongs to user {queue.Uid}, was created by user {queue.CreatorUid} and has mode {Octal(queue.Mode)}";
            }
        }

        return "its owner and mode keep this user out";
    }

    private static string Full(ISysVQueues queues, int id) => queues.Stat(id, SysVStatKind.Id, out SysVQueueStatus status) >= 0
        ? $"it holds {status.Messages} messages and {status.Bytes} of {status.MaxBytes} bytes"
        : "it is full";

    private static string? Gone(ISysVQueues queues, int id) =>
        queues.Stat(id, SysVStatKind.Id, out _) is StatusCode.InvalidArgument or StatusCode.Removed
            ? "no queue has this id: it was removed, or never was in this IPC namespace"
            : null;
}
