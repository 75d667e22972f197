// The calls of libc that loops are made of; each returns what the kernel returned, or -errno.
//
// struct epoll_event is packed on x86-64, so that its data begin at byte 4, and aligned elsewhere, at byte 8. A batch is therefore a row of
// bytes that is read by offsets; both are constants to the compiler of hot code. syscall(2) is variadic in C, see MqLibc.cs.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Managed.Loop;

internal static partial class LoopLibc
{
    /// <summary><c>EPOLL_CTL_ADD</c>.</summary>
    internal const int Add = 1;

    /// <summary><c>EPOLL_CTL_DEL</c>.</summary>
    internal const int Delete = 2;

    /// <summary><c>EPOLL_CTL_MOD</c>.</summary>
    internal const int Modify = 3;

    /// <summary>Bytes of <c>struct epoll_event</c>.</summary>
    internal static readonly int EventBytes = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    private const string Library = "libc";
    private const int SecondNanoseconds = 1_000_000_000;
    private const int MillisecondNanoseconds = 1_000_000;
    private const int CloseOnExec = 0x80000;
    private const int CloseOnExecNonBlocking = 0x80800;
    private const int MonotonicClock = 1;
    private const int AbsoluteTime = 1;

    // One number on all machines.
    private const int PreciseWait = 441;

    private static readonly int DataOffset = EventBytes - sizeof(ulong);

    // Since Linux 5.11; before it, and under a filter of system calls that does not know it, milliseconds have to do.
    private static volatile bool _precise = true;

    /// <summary>Makes an epoll descriptor, close-on-exec.</summary>
    internal static int CreateEpoll(out SafeFileHandle epoll) => Own(EpollCreate(CloseOnExec), out epoll);

    /// <summary>Makes a timer descriptor on the monotonic clock, close-on-exec and non-blocking.</summary>
    internal static int CreateTimer(out SafeFileHandle timer) => Own(TimerCreate(MonotonicClock, CloseOnExecNonBlocking), out timer);

    /// <summary>Tells the kernel what is watched.</summary>
    internal static int Control(SafeFileHandle epoll, int operation, int descriptor, uint interest, ulong data)
    {
        Span<byte> what = stackalloc byte[16];
        what.Clear();
        MemoryMarshal.Write(what, in interest);
        MemoryMarshal.Write(what[DataOffset..], in data);
        return EpollControl(epoll, operation, descriptor, ref MemoryMarshal.GetReference(what)) < 0 ? Error() : 0;
    }

    /// <summary>Waits for events, <see cref="long.MaxValue"/> for ever: how many, or -errno.</summary>
    internal static int Wait(SafeFileHandle epoll, Span<byte> batch, int capacity, long nanoseconds)
    {
        ref byte first = ref MemoryMarshal.GetReference(batch);
        if (nanoseconds is 0 or long.MaxValue)
        {
            int count = EpollWait(epoll, ref first, capacity, nanoseconds == 0 ? 0 : -1);
            return count < 0 ? Error() : count;
        }

        if (_precise)
        {
            TimeSpec time = Time(nanoseconds);
            nint count = EpollPreciseWait(PreciseWait, epoll, ref first, capacity, in time, 0, 0);
            int status = count < 0 ? Error() : (int)count;
            if (status is not (StatusCode.NotImplemented or StatusCode.NotPermitted))
            {
                return status;
            }

            _precise = false;
        }

        long rounded = (nanoseconds / MillisecondNanoseconds) + (nanoseconds % MillisecondNanoseconds != 0 ? 1 : 0);
        int coarse = EpollWait(epoll, ref first, capacity, (int)Math.Min(rounded, int.MaxValue));
        return coarse < 0 ? Error() : coarse;
    }

    /// <summary>The events of one of a batch, and its data.</summary>
    internal static uint Read(ReadOnlySpan<byte> batch, int index, out ulong data)
    {
        ReadOnlySpan<byte> told = batch.Slice(index * EventBytes, EventBytes);
        data = MemoryMarshal.Read<ulong>(told[DataOffset..]);
        return MemoryMarshal.Read<uint>(told);
    }

    /// <summary>Sets a timer descriptor to a time of the monotonic clock; null for none.</summary>
    internal static void SetTimer(SafeFileHandle timer, long? nanoseconds)
    {
        // A time that is over fires at once; zero would disarm.
        TimerTime time = nanoseconds is { } at ? new() { Value = Time(Math.Max(at, 1)) } : default;
        _ = TimerSet(timer, AbsoluteTime, in time, 0);
    }

    private static TimeSpec Time(long nanoseconds) =>
        new() { Seconds = (nint)(nanoseconds / SecondNanoseconds), Nanoseconds = (nint)(nanoseconds % SecondNanoseconds) };

    private static int Own(int descriptor, out SafeFileHandle handle)
    {
        int status = descriptor < 0 ? Error() : 0;
        handle = new SafeFileHandle(descriptor, ownsHandle: true);
        return status;
    }

    private static int Error() => -Marshal.GetLastPInvokeError();

    [LibraryImport(Library, EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial int EpollCreate(int flags);

    [LibraryImport(Library, EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int EpollControl(SafeFileHandle epoll, int operation, int descriptor, ref byte what);

    [LibraryImport(Library, EntryPoint = "epoll_wait", SetLastError = true)]
    private static partial int EpollWait(SafeFileHandle epoll, ref byte events, int most, int timeout);

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    private static partial nint EpollPreciseWait(
        nint number, SafeFileHandle epoll, ref byte events, nint most, in TimeSpec timeout, nint signals, nint signalBytes);

    [LibraryImport(Library, EntryPoint = "timerfd_create", SetLastError = true)]
    private static partial int TimerCreate(int clock, int flags);

    [LibraryImport(Library, EntryPoint = "timerfd_settime")]
    private static partial int TimerSet(SafeFileHandle timer, int flags, in TimerTime time, nint before);

    /// <summary><c>struct timespec</c>.</summary>
    internal struct TimeSpec
    {
        internal nint Seconds;
        internal nint Nanoseconds;
    }

    /// <summary><c>struct itimerspec</c>.</summary>
    internal struct TimerTime
    {
        internal TimeSpec Interval;
        internal TimeSpec Value;
    }
}
