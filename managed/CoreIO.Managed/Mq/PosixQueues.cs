// POSIX queues, call by call. One reference of the handle a call, as in Held.cs; nothing allocates for a message.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using CoreIO.Mq;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Managed.Mq;

internal sealed class PosixQueues : IPosixQueues
{
    // A deadline that is over: the kernel delivers what is ready, and says that it timed out where it would have waited.
    private static readonly MqLibc.TimeSpec Past = new() { Seconds = 0, Nanoseconds = 0 };

    public int Open(string name, PosixQueueFlags flags, int mode, PosixQueueAttributes? limits, out SafeFileHandle queue)
    {
        ArgumentNullException.ThrowIfNull(name);
        MqLibc.MqAttributes attributes = new()
        {
            MaxMessages = (nint)(limits?.MaxMessages ?? 0),
            MessageSize = (nint)(limits?.MessageSize ?? 0),
        };
        ref readonly MqLibc.MqAttributes given =
            ref limits is null ? ref Unsafe.NullRef<MqLibc.MqAttributes>() : ref attributes;
        int status = StatusCode.InvalidArgument;
        if (!name.Contains('\0', StringComparison.Ordinal))
        {
            int opened = MqLibc.MqOpen(in Terminated(name)[0], (int)flags, (uint)mode, in given);
            status = opened < 0 ? MqLibc.Error() : opened;
        }

        queue = new SafeFileHandle(Math.Max(status, -1), ownsHandle: true);
        return status;
    }

    public int Unlink(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Contains('\0', StringComparison.Ordinal) ? StatusCode.InvalidArgument : Status(MqLibc.MqUnlink(in Terminated(name)[0]));
    }

    public int GetAttributes(SafeFileHandle queue, out PosixQueueAttributes attributes)
    {
        using Held held = new(queue);
        int status = Status(MqLibc.MqGetAttributes(held.Descriptor, out MqLibc.MqAttributes found));
        attributes = status < 0
            ? default
            : new PosixQueueAttributes(
                (found.Flags & (nint)PosixQueueFlags.NonBlocking) != 0, found.MaxMessages, found.MessageSize, found.Messages);
        return status;
    }

    public int SetNonBlocking(SafeFileHandle queue, bool nonBlocking)
    {
        using Held held = new(queue);
        MqLibc.MqAttributes attributes = new() { Flags = nonBlocking ? (nint)PosixQueueFlags.NonBlocking : 0 };
        return Status(MqLibc.MqSetAttributes(held.Descriptor, in attributes, out _));
    }

    public int Send(SafeFileHandle queue, ReadOnlySpan<byte> message, int priority, in MqWait wait)
    {
        using Held held = new(queue);
        if (Pace.IsPlain(wait))
        {
            return SendBlocking(held.Descriptor, message, (uint)priority);
        }

        using Held cancel = new(wait.Cancel);
        Pace pace = new(wait, cancel.Descriptor);
        return SendPaced(held.Descriptor, message, (uint)priority, ref pace);
    }

    public int Receive(SafeFileHandle queue, Span<byte> buffer, out int priority, in MqWait wait)
    {
        using Held held = new(queue);
        if (Pace.IsPlain(wait))
        {
            return ReceiveBlocking(held.Descriptor, buffer, out priority);
        }

        using Held cancel = new(wait.Cancel);
        Pace pace = new(wait, cancel.Descriptor);
        return ReceivePaced(held.Descriptor, buffer, out priority, ref pace);
    }

    public int SendMany(SafeFileHandle queue, ReadOnlySpan<byte> bytes, ReadOnlySpan<MqMessage> messages, in MqWait wait)
    {
        if (!MqBatch.Fits(messages, bytes.Length, head: 0))
        {
            return StatusCode.InvalidArgument;
        }

        using Held held = new(queue);
        using Held cancel = new(wait.Cancel);
        Pace pace = new(wait, cancel.Descriptor);
        bool plain = Pace.IsPlain(wait);
        for (int i = 0; i < messages.Length; i++)
        {
            MqMessage message = messages[i];
            ReadOnlySpan<byte> own = bytes.Slice((int)message.Offset, (int)message.Length);
            int status = StatusCode.InvalidArgument;
            if (message.Type is >= 0 and <= uint.MaxValue)
            {
                status = plain
                    ? SendBlocking(held.Descriptor, own, (uint)message.Type)
                    : SendPaced(held.Descriptor, own, (uint)message.Type, ref pace);
            }

            if (status < 0)
            {
                return i > 0 ? i : status;
            }
        }

        return messages.Length;
    }

    public int ReceiveMany(SafeFileHandle queue, Span<byte> bytes, int messageSize, Span<MqMessage> messages, in MqWait wait)
    {
        if (messages.IsEmpty || messageSize < 1)
        {
            return StatusCode.InvalidArgument;
        }

        if (bytes.Length < messageSize)
        {
            return StatusCode.MessageSize;
        }

        using Held held = new(queue);
        int at = 0;
        int done = 0;
        while (done < messages.Length && bytes.Length - at >= messageSize)
        {
            // What is not there after the first is not waited for.
            int priority;
            int length = done == 0
                ? Receive(queue, bytes, out priority, wait)
                : ReceiveNow(held.Descriptor, bytes[at..], out priority);
            if (length < 0)
            {
                return done > 0 ? done : length;
            }

            messages[done++] = new MqMessage(at, length, priority);
            at += length;
        }

        return done;
    }

    public int Notify(SafeFileHandle queue, PosixNotifyKind kind, int signal, long value, out SafeFileHandle? descriptor)
    {
        using Held held = new(queue);
        return PosixNotify.Register(held.Descriptor, kind, signal, value, out descriptor);
    }

    public int Mount(out SafeFileHandle root)
    {
        int status = QueueFileSystem.Mount();
        root = new SafeFileHandle(Math.Max(status, -1), ownsHandle: true);
        return status;
    }

    private static byte[] Terminated(string name) => Encoding.UTF8.GetBytes(name + "\0");

    private static int Status(int result) => result < 0 ? MqLibc.Error() : result;

    private static int SendBlocking(int queue, ReadOnlySpan<byte> message, uint priority)
    {
        while (MqLibc.MqSend(queue, in MemoryMarshal.GetReference(message), message.Length, priority) < 0)
        {
            int status = MqLibc.Error();
            if (status != StatusCode.Interrupted)
            {
                return status;
            }
        }

        return 0;
    }

    private static int SendPaced(int queue, ReadOnlySpan<byte> message, uint priority, ref Pace pace)
    {
        int step = pace.Begin();
        while (step == Pace.Try)
        {
            if (MqLibc.MqTimedSend(queue, in MemoryMarshal.GetReference(message), message.Length, priority, in Past) == 0)
            {
                return 0;
            }

            int status = MqLibc.Error();
            if (status is StatusCode.TimedOut or StatusCode.Again)
            {
                step = pace.Next(StatusCode.Again, queue, MqLibc.PollOutput);
            }
            else if (status != StatusCode.Interrupted)
            {
                return status;
            }
        }

        return step == Pace.Block ? SendBlocking(queue, message, priority) : step;
    }

    private static int ReceiveBlocking(int queue, Span<byte> buffer, out int priority)
    {
        while (true)
        {
            nint length = MqLibc.MqReceive(queue, ref MemoryMarshal.GetReference(buffer), buffer.Length, out uint found);
            priority = (int)found;
            if (length >= 0)
            {
                return (int)length;
            }

            int status = MqLibc.Error();
            if (status != StatusCode.Interrupted)
            {
                priority = 0;
                return status;
            }
        }
    }

    private static int ReceivePaced(int queue, Span<byte> buffer, out int priority, ref Pace pace)
    {
        int step = pace.Begin();
        while (step == Pace.Try)
        {
            int length = ReceiveNow(queue, buffer, out priority);
            if (length == StatusCode.Again)
            {
                step = pace.Next(StatusCode.Again, queue, MqLibc.PollInput);
            }
            else
            {
                return length;
            }
        }

        priority = 0;
        return step == Pace.Block ? ReceiveBlocking(queue, buffer, out priority) : step;
    }

    private static int ReceiveNow(int queue, Span<byte> buffer, out int priority)
    {
        int status;
        do
        {
            nint length = MqLibc.MqTimedReceive(queue, ref MemoryMarshal.GetReference(buffer), buffer.Length, out uint found, in Past);
            priority = (int)found;
            if (length >= 0)
            {
                return (int)length;
            }

            status = MqLibc.Error();
        }
        while (status == StatusCode.Interrupted);

        priority = 0;
        return status == StatusCode.TimedOut ? StatusCode.Again : status;
    }
}
