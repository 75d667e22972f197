// System V queues, call by call. The kernel gives them neither a descriptor nor a timeout, so a wait that is not plain tries with
// IPC_NOWAIT and pauses between the tries.
using System.Runtime.InteropServices;
using System.Text;
using CoreIO.Mq;

namespace CoreIO.Managed.Mq;

internal sealed class SysVQueues : ISysVQueues
{
    private const int Head = ISysVQueues.HeadBytes;
    private const int ModeBits = 0x1FF;

    // The numbers of msgctl(2).
    private const int RemoveCommand = 0;
    private const int SetCommand = 1;
    private const int StatCommand = 2;
    private const int LimitsCommand = 3;
    private const int StatIndexCommand = 11;
    private const int UsageCommand = 12;
    private const int StatAnyIndexCommand = 13;

    public int Key(string path, int project, out int key)
    {
        ArgumentNullException.ThrowIfNull(path);
        key = 0;
        if (path.Contains('\0', StringComparison.Ordinal))
        {
            return StatusCode.InvalidArgument;
        }

        // -1 is also the key of some file; only an error leaves an errno.
        int made = MqLibc.FileToKey(in Encoding.UTF8.GetBytes(path + "\0")[0], project);
        int status = made == -1 ? MqLibc.Error() : 0;
        key = status < 0 ? 0 : made;
        return status;
    }

    public int Get(int key, SysVQueueFlags flags, int mode) => Status(MqLibc.MsgGet(key, (int)flags | (mode & ModeBits)));

    public int Send(int queue, ReadOnlySpan<byte> message, SysVQueueFlags flags, in MqWait wait)
    {
        if (message.Length < Head)
        {
            return StatusCode.InvalidArgument;
        }

        if (Pace.IsPlain(wait))
        {
            return SendBlocking(queue, message, (int)flags);
        }

        using Held cancel = new(wait.Cancel);
        Pace pace = new(wait, cancel.Descriptor);
        return SendPaced(queue, message, (int)flags, ref pace);
    }

    public int Receive(int queue, Span<byte> buffer, long type, SysVQueueFlags flags, in MqWait wait)
    {
        if (buffer.Length < Head)
        {
            return StatusCode.InvalidArgument;
        }

        if (Pace.IsPlain(wait))
        {
            return ReceiveBlocking(queue, buffer, type, (int)flags);
        }

        using Held cancel = new(wait.Cancel);
        Pace pace = new(wait, cancel.Descriptor);
        return ReceivePaced(queue, buffer, type, (int)flags, ref pace);
    }

    public int SendMany(int queue, Span<byte> bytes, ReadOnlySpan<MqMessage> messages, in MqWait wait)
    {
        if (!MqBatch.Fits(messages, bytes.Length, Head))
        {
            return StatusCode.InvalidArgument;
        }

        using Held cancel = new(wait.Cancel);
        Pace pace = new(wait, cancel.Descriptor);
        bool plain = Pace.IsPlain(wait);
        for (int i = 0; i < messages.Length; i++)
        {
            MqMessage message = messages[i];
            Span<byte> own = bytes.Slice((int)message.Offset - Head, Head + (int)message.Length);
            MemoryMarshal.Write(own, message.Type);
            int status = plain ? SendBlocking(queue, own, 0) : SendPaced(queue, own, 0, ref pace);
            if (status < 0)
            {
                return i > 0 ? i : status;
            }
        }

        return messages.Length;
    }

    public int ReceiveMany(
        int queue, Span<byte> bytes, int messageSize, long type, SysVQueueFlags flags, Span<MqMessage> messages, in MqWait wait)
    {
        // A copy stays in the queue, and the next one would be another copy of it.
        if (messages.IsEmpty || messageSize < 0 || bytes.Length - Head < messageSize || (flags & SysVQueueFlags.Copy) != 0)
        {
            return StatusCode.InvalidArgument;
        }

        int at = 0;
        int done = 0;
        while (done < messages.Length && bytes.Length - at - Head >= messageSize)
        {
            // What is not there after the first is not waited for.
            Span<byte> own = bytes.Slice(at, Head + messageSize);
            int length = done == 0
                ? Receive(queue, own, type, flags, wait)
                : ReceiveBlocking(queue, own, type, (int)(flags | SysVQueueFlags.NoWait));
            if (length < 0)
            {
                return done > 0 ? done : length;
            }

            messages[done++] = new MqMessage(at + Head, length, MemoryMarshal.Read<long>(own));
            at += Head + ((length + Head - 1) / Head * Head);
        }

        return done;
    }

    public int Stat(int queue, SysVStatKind kind, out SysVQueueStatus status)
    {
        MqLibc.SysVStatus found = default;
        int command = kind switch
        {
            SysVStatKind.Id => StatCommand,
            SysVStatKind.Index => StatIndexCommand,
            SysVStatKind.AnyIndex => StatAnyIndexCommand,
            _ => -1,
        };
        int result = command < 0 ? StatusCode.InvalidArgument : Status(MqLibc.MsgControl(queue, command, ref found));
        if (result < 0)
        {
            status = default;
            return result;
        }

        int id = kind == SysVStatKind.Id ? queue : result;
        status = new SysVQueueStatus
        {
            Id = id,
            Key = found.Key,
            Uid = found.Uid,
            Gid = found.Gid,
            CreatorUid = found.CreatorUid,
            CreatorGid = found.CreatorGid,
            Mode = (int)found.Mode & ModeBits,
            Sequence = found.Sequence,
            SendTime = found.SendTime,
            ReceiveTime = found.ReceiveTime,
            ChangeTime = found.ChangeTime,
            Bytes = found.Bytes,
            Messages = found.Messages,
            MaxBytes = found.MaxBytes,
            LastSender = found.LastSender,
            LastReceiver = found.LastReceiver,
        };
        return id;
    }

    public int Set(int queue, SysVQueueChange change)
    {
        MqLibc.SysVStatus wanted = new()
        {
            Uid = change.Uid,
            Gid = change.Gid,
            Mode = (uint)change.Mode & ModeBits,
            MaxBytes = (nint)change.MaxBytes,
        };
        return Status(MqLibc.MsgControl(queue, SetCommand, ref wanted));
    }

    public int Remove(int queue)
    {
        MqLibc.SysVStatus unused = default;
        return Status(MqLibc.MsgControl(queue, RemoveCommand, ref unused));
    }

    public int Info(SysVInfoKind kind, out SysVInfo info)
    {
        MqLibc.SysVLimits found = default;
        int command = kind switch { SysVInfoKind.Limits => LimitsCommand, SysVInfoKind.Usage => UsageCommand, _ => -1 };
        int status = command < 0 ? StatusCode.InvalidArgument : Status(MqLibc.MsgInfo(0, command, ref found));
        info = new SysVInfo(found.Pool, found.Map, found.Max, found.Mnb, found.Mni, found.Ssz, found.Tql, found.Seg);
        return status;
    }

    private static int Status(int result) => result < 0 ? MqLibc.Error() : result;

    private static int SendBlocking(int queue, ReadOnlySpan<byte> message, int flags)
    {
        while (MqLibc.MsgSend(queue, in MemoryMarshal.GetReference(message), message.Length - Head, flags) < 0)
        {
            int status = MqLibc.Error();
            if (status != StatusCode.Interrupted)
            {
                return status;
            }
        }

        return 0;
    }

    private static int SendPaced(int queue, ReadOnlySpan<byte> message, int flags, ref Pace pace)
    {
        int step = FirstStep(ref pace, flags);
        bool tried = false;
        for (; step == Pace.Try; tried = true)
        {
            int status = SendBlocking(queue, message, flags | (int)SysVQueueFlags.NoWait);
            if (status != StatusCode.Again)
            {
                return Outcome(status, tried);
            }

            step = pace.Next(StatusCode.Again, -1, 0);
        }

        return step == Pace.Block ? Outcome(SendBlocking(queue, message, flags), tried) : step;
    }

    private static int ReceiveBlocking(int queue, Span<byte> buffer, long type, int flags)
    {
        while (true)
        {
            nint length = MqLibc.MsgReceive(queue, ref MemoryMarshal.GetReference(buffer), buffer.Length - Head, (nint)type, flags);
            if (length >= 0)
            {
                return (int)length;
            }

            int status = MqLibc.Error();
            if (status != StatusCode.Interrupted)
            {
                return status;
            }
        }
    }

    private static int ReceivePaced(int queue, Span<byte> buffer, long type, int flags, ref Pace pace)
    {
        int step = FirstStep(ref pace, flags);
        bool tried = false;
        for (; step == Pace.Try; tried = true)
        {
            int length = ReceiveBlocking(queue, buffer, type, flags | (int)SysVQueueFlags.NoWait);
            if (length != StatusCode.NoMessage)
            {
                return Outcome(length, tried);
            }

            step = pace.Next(StatusCode.NoMessage, -1, 0);
        }

        return step == Pace.Block ? Outcome(ReceiveBlocking(queue, buffer, type, flags), tried) : step;
    }

    // A queue that a try before has found and that is no more was removed in between, which is what a blocked call would be told, too.
    private static int Outcome(int status, bool tried) =>
        tried && status == StatusCode.InvalidArgument ? StatusCode.Removed : status;

    // IPC_NOWAIT of the call is stronger than any wait.
    private static int FirstStep(ref Pace pace, int flags)
    {
        int step = pace.Begin();
        return step == Pace.Try && (flags & (int)SysVQueueFlags.NoWait) != 0 ? Pace.Block : step;
    }
}
