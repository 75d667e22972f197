// Descriptors of every kind for the tests of loops.
using System.Runtime.InteropServices;
using CoreIO.Tests.Mq;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Tests.Loop;

internal static partial class LoopLibc
{
    private const string Library = "libc";
    private const int CloseOnExecNonBlocking = 0x80800;
    private const int UnixSockets = 1;
    private const int Stream = 1;
    private const int CloseOnExec = 0x80000;
    private const int ReadWrite = 2;

    public static SafeFileHandle Event(bool readable) => TestLibc.Event(readable);

    /// <summary>Adds to an eventfd, a new edge each time.</summary>
    public static void Set(SafeHandle handle)
    {
        ulong one = 1;
        Assert.That(Write(handle, in one, sizeof(ulong)), Is.EqualTo((nint)sizeof(ulong)));
    }

    /// <summary>Empties an eventfd.</summary>
    public static void Clear(SafeHandle handle) => Assert.That(Read(handle, out _, sizeof(ulong)), Is.EqualTo((nint)sizeof(ulong)));

    /// <summary>Writes bytes, at most 8.</summary>
    public static void Send(SafeHandle handle, int bytes)
    {
        ulong zero = 0;
        Assert.That(Write(handle, in zero, bytes), Is.EqualTo((nint)bytes));
    }

    /// <summary>Writes a byte if there is room.</summary>
    public static bool TrySend(SafeHandle handle)
    {
        ulong zero = 0;
        return Write(handle, in zero, 1) == 1;
    }

    /// <summary>Reads up to 8 bytes: how many.</summary>
    public static int Receive(SafeHandle handle, int bytes = sizeof(ulong)) => (int)Read(handle, out _, bytes);

    public static (SafeFileHandle First, SafeFileHandle Second) SocketPair()
    {
        Span<int> ends = stackalloc int[2];
        Assert.That(SocketPairRaw(UnixSockets, Stream | CloseOnExecNonBlocking, 0, ref ends[0]), Is.Zero);
        return (Own(ends[0]), Own(ends[1]));
    }

    public static (SafeFileHandle Reader, SafeFileHandle Writer) Pipe()
    {
        Span<int> ends = stackalloc int[2];
        Assert.That(PipeRaw(ref ends[0], CloseOnExecNonBlocking), Is.Zero);
        return (Own(ends[0]), Own(ends[1]));
    }

    /// <summary>A timerfd that fires once after some milliseconds.</summary>
    public static SafeFileHandle Timer(int milliseconds)
    {
        SafeFileHandle timer = Own(TimerCreate(1, CloseOnExecNonBlocking));
        TimerTime time = new() { Nanoseconds = milliseconds * 1_000_000 };
        Assert.That(TimerSet(timer, 0, in time, 0), Is.Zero);
        return timer;
    }

    public static SafeFileHandle Inotify(string folder)
    {
        SafeFileHandle inotify = Own(InotifyCreate(CloseOnExecNonBlocking));
        Assert.That(InotifyAdd(inotify, folder, 0x100), Is.GreaterThanOrEqualTo(0));
        return inotify;
    }

    /// <summary>The master of a pseudo-terminal and its other end.</summary>
    public static (SafeFileHandle Master, SafeFileHandle Slave) Terminal()
    {
        SafeFileHandle master = Own(OpenRaw("/dev/ptmx", ReadWrite | CloseOnExecNonBlocking | 0x100));
        int unlock = 0;
        Assert.That(Control(master, 0x40045431, ref unlock), Is.Zero);
        int number = 0;
        Assert.That(Control(master, 0x80045430, ref number), Is.Zero);
        return (master, Own(OpenRaw($"/dev/pts/{number}", ReadWrite | CloseOnExec | 0x100)));
    }

    public static SafeFileHandle PidDescriptor(int process) => Own((int)PidOpen(434, process, 0));

    public static SafeFileHandle Duplicate(SafeHandle handle) => Own(DuplicateRaw(handle, 1030, 0));

    /// <summary>Closes what <paramref name="number"/> was and makes it a duplicate of <paramref name="handle"/>, in one step.</summary>
    public static void Replace(SafeHandle handle, SafeHandle number) =>
        Assert.That(ReplaceRaw(handle, number, CloseOnExec), Is.GreaterThanOrEqualTo(0));

    public static int OpenDescriptors() => Directory.GetFileSystemEntries("/proc/self/fd").Length;

    private static SafeFileHandle Own(int descriptor)
    {
        Assert.That(descriptor, Is.GreaterThanOrEqualTo(0), $"errno {Marshal.GetLastPInvokeError()}");
        return new SafeFileHandle(descriptor, ownsHandle: true);
    }

    [LibraryImport(Library, EntryPoint = "write")]
    private static partial nint Write(SafeHandle handle, in ulong value, nint count);

    [LibraryImport(Library, EntryPoint = "read")]
    private static partial nint Read(SafeHandle handle, out ulong value, nint count);

    [LibraryImport(Library, EntryPoint = "socketpair", SetLastError = true)]
    private static partial int SocketPairRaw(int family, int type, int protocol, ref int ends);

    [LibraryImport(Library, EntryPoint = "pipe2", SetLastError = true)]
    private static partial int PipeRaw(ref int ends, int flags);

    [LibraryImport(Library, EntryPoint = "timerfd_create", SetLastError = true)]
    private static partial int TimerCreate(int clock, int flags);

    [LibraryImport(Library, EntryPoint = "timerfd_settime", SetLastError = true)]
    private static partial int TimerSet(SafeHandle timer, int flags, in TimerTime time, nint before);

    [LibraryImport(Library, EntryPoint = "inotify_init1", SetLastError = true)]
    private static partial int InotifyCreate(int flags);

    [LibraryImport(Library, EntryPoint = "inotify_add_watch", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int InotifyAdd(SafeHandle inotify, string path, uint mask);

    [LibraryImport(Library, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenRaw(string path, int flags);

    [LibraryImport(Library, EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(SafeHandle handle, nuint request, ref int value);

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    private static partial nint PidOpen(nint number, nint process, nint flags);

    [LibraryImport(Library, EntryPoint = "fcntl", SetLastError = true)]
    private static partial int DuplicateRaw(SafeHandle handle, int command, int least);

    [LibraryImport(Library, EntryPoint = "dup3", SetLastError = true)]
    private static partial int ReplaceRaw(SafeHandle handle, SafeHandle number, int flags);

    private struct TimerTime
    {
        public nint IntervalSeconds;
        public nint IntervalNanoseconds;
        public nint Seconds;
        public nint Nanoseconds;
    }
}
