// The calls of libc that queues are made of; each returns what the kernel returned, or -errno.
//
// mq_open(3) and syscall(2) are variadic in C and declared here with the arguments they get: on x86-64 and aarch64 with Linux's calling
// convention a variadic call passes integers and pointers in the same registers as any other, and no argument here is a float, for
// which x86-64 alone would want their number in a register.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CoreIO.Managed.Mq;

internal static partial class MqLibc
{
    /// <summary>Something can be read.</summary>
    internal const short PollInput = 1;

    /// <summary>Something can be written.</summary>
    internal const short PollOutput = 4;

    /// <summary>The descriptor is not open.</summary>
    internal const short PollInvalid = 0x20;

    private const string Library = "libc";
    private const int SecondNanoseconds = 1_000_000_000;

    /// <summary>
    /// Waits until one of two descriptors is ready; -1 is none. What was found of the first is in <paramref name="found"/>.
    /// <paramref name="nanoseconds"/> is the most it waits, <see cref="long.MaxValue"/> for ever.
    /// </summary>
    internal static int Poll(int first, int second, short events, long nanoseconds, out int found)
    {
        Span<PollItem> items = [new() { Descriptor = first, Events = PollInput }, new() { Descriptor = second, Events = events }];
        TimeSpec time = new() { Seconds = (nint)(nanoseconds / SecondNanoseconds), Nanoseconds = (nint)(nanoseconds % SecondNanoseconds) };
        ref TimeSpec most = ref nanoseconds == long.MaxValue ? ref Unsafe.NullRef<TimeSpec>() : ref time;
        int ready = PollRaw(ref items[0], 2, in most, in Unsafe.NullRef<byte>());
        found = items[0].Found;
        return ready < 0 ? Error() : ready;
    }

    /// <summary>What the last call that failed left in errno, as a status.</summary>
    internal static int Error() => -Marshal.GetLastPInvokeError();

    [LibraryImport(Library, EntryPoint = "mq_open", SetLastError = true)]
    internal static partial int MqOpen(in byte name, int flags, uint mode, in MqAttributes attributes);

    [LibraryImport(Library, EntryPoint = "mq_unlink", SetLastError = true)]
    internal static partial int MqUnlink(in byte name);

    [LibraryImport(Library, EntryPoint = "mq_getattr", SetLastError = true)]
    internal static partial int MqGetAttributes(int queue, out MqAttributes attributes);

    [LibraryImport(Library, EntryPoint = "mq_setattr", SetLastError = true)]
    internal static partial int MqSetAttributes(int queue, in MqAttributes attributes, out MqAttributes before);

    [LibraryImport(Library, EntryPoint = "mq_send", SetLastError = true)]
    internal static partial int MqSend(int queue, in byte message, nint length, uint priority);

    [LibraryImport(Library, EntryPoint = "mq_receive", SetLastError = true)]
    internal static partial nint MqReceive(int queue, ref byte buffer, nint capacity, out uint priority);

    [LibraryImport(Library, EntryPoint = "mq_timedsend", SetLastError = true)]
    internal static partial int MqTimedSend(int queue, in byte message, nint length, uint priority, in TimeSpec deadline);

    [LibraryImport(Library, EntryPoint = "mq_timedreceive", SetLastError = true)]
    internal static partial nint MqTimedReceive(int queue, ref byte buffer, nint capacity, out uint priority, in TimeSpec deadline);

    [LibraryImport(Library, EntryPoint = "ftok", SetLastError = true)]
    internal static partial int FileToKey(in byte path, int project);

    [LibraryImport(Library, EntryPoint = "msgget", SetLastError = true)]
    internal static partial int MsgGet(int key, int flags);

    [LibraryImport(Library, EntryPoint = "msgsnd", SetLastError = true)]
    internal static partial int MsgSend(int queue, in byte message, nint length, int flags);

    [LibraryImport(Library, EntryPoint = "msgrcv", SetLastError = true)]
    internal static partial nint MsgReceive(int queue, ref byte message, nint capacity, nint type, int flags);

    [LibraryImport(Library, EntryPoint = "msgctl", SetLastError = true)]
    internal static partial int MsgControl(int queue, int command, ref SysVStatus status);

    [LibraryImport(Library, EntryPoint = "msgctl", SetLastError = true)]
    internal static partial int MsgInfo(int queue, int command, ref SysVLimits info);

    [LibraryImport(Library, EntryPoint = "socket", SetLastError = true)]
    internal static partial int Socket(int family, int type, int protocol);

    [LibraryImport(Library, EntryPoint = "close")]
    internal static partial int Close(int descriptor);

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    internal static partial nint NotifyRaw(nint number, nint queue, in SignalEvent notification);

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    internal static partial nint OpenFileSystem(nint number, in byte name, nint flags);

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    internal static partial nint ConfigureFileSystem(nint number, nint context, nint command, nint key, nint value, nint other);

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    internal static partial nint MountFileSystem(nint number, nint context, nint flags, nint attributes);

    [LibraryImport(Library, EntryPoint = "ppoll", SetLastError = true)]
    private static partial int PollRaw(ref PollItem items, nuint count, in TimeSpec timeout, in byte signals);

    private struct PollItem
    {
        internal int Descriptor;
        internal short Events;
        internal short Found;
    }

    /// <summary><c>struct timespec</c>.</summary>
    internal struct TimeSpec
    {
        internal nint Seconds;
        internal nint Nanoseconds;
    }

    /// <summary><c>struct mq_attr</c>: eight longs.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    internal struct MqAttributes
    {
        internal nint Flags;
        internal nint MaxMessages;
        internal nint MessageSize;
        internal nint Messages;
    }

    /// <summary><c>struct sigevent</c>, as far as it is used.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    internal struct SignalEvent
    {
        internal nint Value;
        internal int Signal;
        internal int Kind;
    }

    /// <summary><c>struct msqid_ds</c> of 64-bit Linux: 120 bytes.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 120)]
    internal struct SysVStatus
    {
        internal int Key;
        internal uint Uid;
        internal uint Gid;
        internal uint CreatorUid;
        internal uint CreatorGid;
        internal uint Mode;
        internal ushort Sequence;
        internal ushort Padding;
        internal nint Unused1;
        internal nint Unused2;
        internal nint SendTime;
        internal nint ReceiveTime;
        internal nint ChangeTime;
        internal nint Bytes;
        internal nint Messages;
        internal nint MaxBytes;
        internal int LastSender;
        internal int LastReceiver;
    }

    /// <summary><c>struct msginfo</c>.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 32)]
    internal struct SysVLimits
    {
        internal int Pool;
        internal int Map;
        internal int Max;
        internal int Mnb;
        internal int Mni;
        internal int Ssz;
        internal int Tql;
        internal ushort Seg;
    }
}
