// The limits a program with queues meets, of both families, in one reading: what the namespace allows, what this process is allowed, and
// what is used of it.
using System.Globalization;
using System.Numerics;

namespace CoreIO.Mq;

/// <summary>One limit.</summary>
/// <param name="Name">As sysctl(8) or getrlimit(2) calls it.</param>
/// <param name="Value">Its value; null where it cannot be read, and for a soft or hard limit that is unlimited.</param>
/// <param name="Used">What is used of it; null where that is not known.</param>
/// <param name="For">What it limits.</param>
/// <param name="Change">How to change it.</param>
public sealed record MqLimit(string Name, long? Value, long? Used, string For, string Change)
{
    /// <summary>Whether there is no such limit.</summary>
    public bool IsUnlimited { get; init; }
}

/// <summary>The limits of message queues as this process meets them.</summary>
public sealed record MqLimits
{
    /// <summary>The soft limit that <see cref="DefaultQueues"/> and errors are about.</summary>
    public const string ByteLimit = "RLIMIT_MSGQUEUE";

    // What the kernel counts for a queue beside its messages: for each one a struct msg_msg, and nodes of the tree of priorities.
    private const int BytesOfMessageHead = 48;
    private const int BytesOfTreeNode = 48;
    private const int MostPriorities = 32768;
    private const int ResourceCapability = 24;

    /// <summary>Of POSIX queues.</summary>
    public required IReadOnlyList<MqLimit> Posix { get; init; }

    /// <summary>Of System V queues.</summary>
    public required IReadOnlyList<MqLimit> SysV { get; init; }

    /// <summary>Whether this process may go beyond msg_max, msgsize_max, queues_max and msgmnb; null where that is not known.</summary>
    public required bool? HasResourceCapability { get; init; }

    /// <summary>How many queues of the default size <c>RLIMIT_MSGQUEUE</c> has room for; null where it is unlimited or not known.</summary>
    public required long? DefaultQueues { get; init; }

    /// <summary>Bytes of the own user's queues as <c>RLIMIT_MSGQUEUE</c> counts them; null where not all of them could be seen.</summary>
    public required long? OwnBytes { get; init; }

    /// <summary>Reads them.</summary>
    /// <exception cref="CoreIOException">The kernel has no System V queues.</exception>
    public static MqLimits Read(ICoreBackend? backend = null)
    {
        backend ??= CoreBackends.Default;
        PosixQueueListing listing = PosixQueues.List(backend);
        long? defaultMessages = KernelNumbers.Posix("msg_default");
        long? defaultSize = KernelNumbers.Posix("msgsize_default");
        (long? soft, bool softUnlimited, long? hard, bool hardUnlimited) = ByteLimits();
        long? own = OwnBytesOf(listing);
        return new MqLimits
        {
            Posix =
            [
                PosixLimit("msg_max", null, "messages in a queue"),
                PosixLimit("msgsize_max", null, "bytes in a message"),
                PosixLimit("queues_max", listing.Advice is null ? listing.Queues.Count : null, "queues of the IPC namespace"),
                PosixLimit("msg_default", null, "messages in a queue whose size is not given"),
                PosixLimit("msgsize_default", null, "bytes in a message of a queue whose size is not given"),
                new(ByteLimit, soft, own, "bytes in all queues of a user, this process's soft limit",
                    "ulimit -q BYTES, LimitMSGQUEUE= in a systemd unit") { IsUnlimited = softUnlimited },
                new(ByteLimit + " (hard)", hard, null, "how far ulimit -q may raise it",
                    "msgqueue in /etc/security/limits.conf, LimitMSGQUEUE= in a systemd unit") { IsUnlimited = hardUnlimited },
            ],
            SysV = ReadSysV(backend.Mq.SysV),
            HasResourceCapability = ReadCapability(),
            DefaultQueues = soft is long bytes && defaultMessages is long messages && defaultSize is long size
                ? bytes / Math.Max(1, BytesOf(messages, size)) : null,
            OwnBytes = own,
        };
    }

    /// <summary>The bytes that <c>RLIMIT_MSGQUEUE</c> counts for a queue, empty or full.</summary>
    public static long BytesOf(long maxMessages, long messageSize) =>
        (maxMessages * (messageSize + BytesOfMessageHead)) + (Math.Min(maxMessages, MostPriorities) * BytesOfTreeNode);

    private static MqLimit PosixLimit(string name, long? used, string what) =>
        new("fs.mqueue." + name, KernelNumbers.Posix(name), used, what, Sysctl("fs.mqueue." + name));

    private static string Sysctl(string name) => $"sysctl -w {name}=N, and a file in /etc/sysctl.d to keep it";

    private static MqLimit[] ReadSysV(ISysVQueues queues)
    {
        int status = queues.Info(SysVInfoKind.Limits, out SysVInfo limits);
        if (status < 0)
        {
            throw new CoreIOException(status, "read the limits of System V queues");
        }

        _ = queues.Info(SysVInfoKind.Usage, out SysVInfo usage);
        return
        [
            new("kernel.msgmax", limits.Max, null, "bytes in a message", Sysctl("kernel.msgmax")),
            new("kernel.msgmnb", limits.Mnb, usage.Tql, "bytes in a queue, to begin with; used: bytes in all queues", Sysctl("kernel.msgmnb")),
            new("kernel.msgmni", limits.Mni, usage.Pool, "queues of the IPC namespace", Sysctl("kernel.msgmni")),
        ];
    }

    private static (long? Soft, bool SoftUnlimited, long? Hard, bool HardUnlimited) ByteLimits()
    {
        if (KernelNumbers.QueueBytes() is not (string softText, string hardText))
        {
            return (null, false, null, false);
        }

        (long? soft, bool softUnlimited) = Limit(softText);
        (long? hard, bool hardUnlimited) = Limit(hardText);
        return (soft, softUnlimited, hard, hardUnlimited);
    }

    private static (long? Value, bool IsUnlimited) Limit(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) ? (value, false) : (null, text == "unlimited");

    // The kernel counts by user, not by namespace: queues of other namespaces, and those without a name that are still open, are not seen.
    private static long? OwnBytesOf(PosixQueueListing listing)
    {
        uint? self = FileOwner.Of("/proc/self")?.Uid;
        if (self is null || listing.Advice is not null)
        {
            return null;
        }

        long bytes = 0;
        foreach (PosixQueueEntry queue in listing.Queues.Where(queue => queue.Uid == self))
        {
            if (queue.MaxMessages is not long messages || queue.MessageSize is not long size)
            {
                return null;
            }

            bytes += BytesOf(messages, size);
        }

        return bytes;
    }

    private static bool? ReadCapability()
    {
        string? line = ProcText.Lines("/proc/self/status").FirstOrDefault(l => l.StartsWith("CapEff:", StringComparison.Ordinal));
        return line is not null && BigInteger.TryParse("0" + line[7..].Trim(), NumberStyles.HexNumber, null, out BigInteger mask)
            ? !((mask >> ResourceCapability) & 1).IsZero
            : null;
    }
}
