// POSIX queues of the library.
//
// Each member crosses once and holds one reference of the queue's handle meanwhile, so a Dispose by another thread never closes the
// descriptor, which somebody else could get, from under a call. Statuses are handed on as they are: nothing here throws for the kernel.
using System.Text;
using CoreIO.Interop;
using CoreIO.Mq;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Native.Mq;

internal sealed unsafe class NativePosixQueues : IPosixQueues
{
    public int Open(string name, PosixQueueFlags flags, int mode, PosixQueueAttributes? limits, out SafeFileHandle queue)
    {
        ArgumentNullException.ThrowIfNull(name);
        coreio_mq_posix_attributes attributes = new()
        {
            max_messages = limits?.MaxMessages ?? 0,
            message_size = limits?.MessageSize ?? 0,
        };
        int status = StatusCode.InvalidArgument;
        if (!name.Contains('\0', StringComparison.Ordinal))
        {
            fixed (byte* start = (byte[])[.. Encoding.UTF8.GetBytes(name), 0])
            {
                status = LibCoreIO.coreio_mq_posix_open(start, (int)flags, (uint)mode, limits is null ? null : &attributes);
            }

            Crossings.Add();
        }

        queue = new SafeFileHandle(Math.Max(status, -1), ownsHandle: true);
        return status;
    }

    public int Unlink(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Contains('\0', StringComparison.Ordinal))
        {
            return StatusCode.InvalidArgument;
        }

        Crossings.Add();
        fixed (byte* start = (byte[])[.. Encoding.UTF8.GetBytes(name), 0])
        {
            return LibCoreIO.coreio_mq_posix_unlink(start);
        }
    }

    public int GetAttributes(SafeFileHandle queue, out PosixQueueAttributes attributes)
    {
        using Borrowed borrowed = new(queue);
        Crossings.Add();
        coreio_mq_posix_attributes found = default;
        int status = LibCoreIO.coreio_mq_posix_attributes(Descriptor(queue), &found);
        attributes = new PosixQueueAttributes(
            (found.flags & (long)PosixQueueFlags.NonBlocking) != 0, found.max_messages, found.message_size, found.messages);
        return status;
    }

    public int SetNonBlocking(SafeFileHandle queue, bool nonBlocking)
    {
        using Borrowed borrowed = new(queue);
        Crossings.Add();
        coreio_mq_posix_attributes attributes = new() { flags = nonBlocking ? (long)PosixQueueFlags.NonBlocking : 0 };
        return LibCoreIO.coreio_mq_posix_set(Descriptor(queue), &attributes, null);
    }

    public int Send(SafeFileHandle queue, ReadOnlySpan<byte> message, int priority, in MqWait wait)
    {
        using Borrowed borrowed = new(queue);
        using NativeWait held = new(wait, out coreio_mq_wait native);
        Crossings.Add();
        fixed (byte* start = message)
        {
            return LibCoreIO.coreio_mq_posix_send(Descriptor(queue), start, message.Length, (uint)priority, NativeWait.Argument(&native));
        }
    }

    public int Receive(SafeFileHandle queue, Span<byte> buffer, out int priority, in MqWait wait)
    {
        using Borrowed borrowed = new(queue);
        using NativeWait held = new(wait, out coreio_mq_wait native);
        Crossings.Add();
        uint found = 0;
        byte none = 0;
        int length;
        fixed (byte* start = buffer)
        {
            // An empty buffer is too short, which the kernel says; C takes a null pointer for a mistake.
            byte* into = start == null ? &none : start;
            length = (int)LibCoreIO.coreio_mq_posix_receive(Descriptor(queue), into, buffer.Length, &found, NativeWait.Argument(&native));
        }

        priority = (int)found;
        return length;
    }

    public int SendMany(SafeFileHandle queue, ReadOnlySpan<byte> bytes, ReadOnlySpan<MqMessage> messages, in MqWait wait)
    {
        if (!MqBatch.Fits(messages, bytes.Length, head: 0))
        {
            return StatusCode.InvalidArgument;
        }

        using Borrowed borrowed = new(queue);
        using NativeWait held = new(wait, out coreio_mq_wait native);
        Crossings.Add();
        fixed (byte* start = bytes)
        fixed (MqMessage* first = messages)
        {
            return LibCoreIO.coreio_mq_posix_send_many(
                Descriptor(queue), start, (coreio_mq_message*)first, messages.Length, NativeWait.Argument(&native));
        }
    }

    public int ReceiveMany(SafeFileHandle queue, Span<byte> bytes, int messageSize, Span<MqMessage> messages, in MqWait wait)
    {
        using Borrowed borrowed = new(queue);
        using NativeWait held = new(wait, out coreio_mq_wait native);
        Crossings.Add();
        byte none = 0;
        fixed (byte* start = bytes)
        fixed (MqMessage* first = messages)
        {
            byte* into = start == null ? &none : start;
            return LibCoreIO.coreio_mq_posix_receive_many(
                Descriptor(queue), into, bytes.Length, messageSize, (coreio_mq_message*)first, messages.Length, NativeWait.Argument(&native));
        }
    }

    public int Notify(SafeFileHandle queue, PosixNotifyKind kind, int signal, long value, out SafeFileHandle? descriptor)
    {
        using Borrowed borrowed = new(queue);
        Crossings.Add();
        int status = LibCoreIO.coreio_mq_posix_notify(Descriptor(queue), (int)kind, signal, value);
        descriptor = kind == PosixNotifyKind.Descriptor && status >= 0 ? new SafeFileHandle(status, ownsHandle: true) : null;
        return status;
    }

    public int Mount(out SafeFileHandle root)
    {
        Crossings.Add();
        int status = LibCoreIO.coreio_mq_posix_mount();
        root = new SafeFileHandle(Math.Max(status, -1), ownsHandle: true);
        return status;
    }

    private static int Descriptor(SafeFileHandle queue) => (int)queue.DangerousGetHandle();
}
