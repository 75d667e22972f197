// System V queues of the library. Each member crosses once; statuses are handed on as they are.
using System.Text;
using CoreIO.Interop;
using CoreIO.Mq;

namespace CoreIO.Native.Mq;

internal sealed unsafe class NativeSysVQueues : ISysVQueues
{
    public int Key(string path, int project, out int key)
    {
        ArgumentNullException.ThrowIfNull(path);
        key = 0;
        if (path.Contains('\0', StringComparison.Ordinal))
        {
            return StatusCode.InvalidArgument;
        }

        Crossings.Add();
        int found = 0;
        int status;
        fixed (byte* start = (byte[])[.. Encoding.UTF8.GetBytes(path), 0])
        {
            status = LibCoreIO.coreio_mq_sysv_key(start, project, &found);
        }

        key = found;
        return status;
    }

    public int Get(int key, SysVQueueFlags flags, int mode)
    {
        Crossings.Add();
        return LibCoreIO.coreio_mq_sysv_get(key, (int)flags | (mode & 0x1FF));
    }

    public int Send(int queue, ReadOnlySpan<byte> message, SysVQueueFlags flags, in MqWait wait)
    {
        if (message.Length < ISysVQueues.HeadBytes)
        {
            return StatusCode.InvalidArgument;
        }

        using NativeWait held = new(wait, out coreio_mq_wait native);
        Crossings.Add();
        fixed (byte* start = message)
        {
            return LibCoreIO.coreio_mq_sysv_send(queue, start, message.Length - ISysVQueues.HeadBytes, (int)flags, NativeWait.Argument(&native));
        }
    }

    public int Receive(int queue, Span<byte> buffer, long type, SysVQueueFlags flags, in MqWait wait)
    {
        if (buffer.Length < ISysVQueues.HeadBytes)
        {
            return StatusCode.InvalidArgument;
        }

        using NativeWait held = new(wait, out coreio_mq_wait native);
        Crossings.Add();
        fixed (byte* start = buffer)
        {
            return (int)LibCoreIO.coreio_mq_sysv_receive(
                queue, start, buffer.Length - ISysVQueues.HeadBytes, type, (int)flags, NativeWait.Argument(&native));
        }
    }

    public int SendMany(int queue, Span<byte> bytes, ReadOnlySpan<MqMessage> messages, in MqWait wait)
    {
        if (!MqBatch.Fits(messages, bytes.Length, ISysVQueues.HeadBytes))
        {
            return StatusCode.InvalidArgument;
        }

        using NativeWait held = new(wait, out coreio_mq_wait native);
        Crossings.Add();
        fixed (byte* start = bytes)
        fixed (MqMessage* first = messages)
        {
            return LibCoreIO.coreio_mq_sysv_send_many(queue, start, (coreio_mq_message*)first, messages.Length, NativeWait.Argument(&native));
        }
    }

    public int ReceiveMany(
        int queue, Span<byte> bytes, int messageSize, long type, SysVQueueFlags flags, Span<MqMessage> messages, in MqWait wait)
    {
        using NativeWait held = new(wait, out coreio_mq_wait native);
        Crossings.Add();
        fixed (byte* start = bytes)
        fixed (MqMessage* first = messages)
        {
            return LibCoreIO.coreio_mq_sysv_receive_many(
                queue, start, bytes.Length, messageSize, type, (int)flags, (coreio_mq_message*)first, messages.Length, NativeWait.Argument(&native));
        }
    }

    public int Stat(int queue, SysVStatKind kind, out SysVQueueStatus status)
    {
        Crossings.Add();
        coreio_mq_sysv_status found = default;
        int result = LibCoreIO.coreio_mq_sysv_stat(queue, (int)kind, &found);
        status = new SysVQueueStatus
        {
            Id = found.id,
            Key = found.key,
            Uid = found.uid,
            Gid = found.gid,
            CreatorUid = found.creator_uid,
            CreatorGid = found.creator_gid,
            Mode = (int)found.mode,
            Sequence = (int)found.sequence,
            SendTime = found.send_time,
            ReceiveTime = found.receive_time,
            ChangeTime = found.change_time,
            Bytes = (long)found.bytes,
            Messages = (long)found.messages,
            MaxBytes = (long)found.max_bytes,
            LastSender = found.last_sender,
            LastReceiver = found.last_receiver,
        };
        return result;
    }

    public int Set(int queue, SysVQueueChange change)
    {
        Crossings.Add();
        coreio_mq_sysv_change native = new()
        {
            uid = change.Uid,
            gid = change.Gid,
            mode = (uint)change.Mode,
            max_bytes = (ulong)change.MaxBytes,
        };
        return LibCoreIO.coreio_mq_sysv_set(queue, &native);
    }

    public int Remove(int queue)
    {
        Crossings.Add();
        return LibCoreIO.coreio_mq_sysv_remove(queue);
    }

    public int Info(SysVInfoKind kind, out SysVInfo info)
    {
        Crossings.Add();
        coreio_mq_sysv_info found = default;
        int status = LibCoreIO.coreio_mq_sysv_info((int)kind, &found);
        info = new SysVInfo(found.pool, found.map, found.max, found.mnb, found.mni, found.ssz, found.tql, found.seg);
        return status;
    }
}
