// The calls of libc that .NET does not offer, or offers without the errno: opening, reading, pinning.
//
// Every wrapper returns what the kernel returned, or -errno, and repeats a call that a signal interrupted. What a status means to a
// user is decided by the callers.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

[assembly: DisableRuntimeMarshalling]

namespace CoreIO.Managed;

internal static partial class Libc
{
    private const string Library = "libc";

    private const int Interrupted = 4;
    private const int ReadOnlyCloseOnExec = 0x80000;
    private const int EmptyPath = 0x1000;
    private const uint TypeAndSize = 0x1 | 0x200;
    private const int ThreadCpuClock = 3;
    private const int EventCloseOnExecNonBlocking = 0x80800;
    private const int FileTypeMask = 0xF000;
    private const int DirectoryType = 0x4000;
    private const int RegularType = 0x8000;

    /// <summary>What a descriptor is open on.</summary>
    internal enum FileKind
    {
        Regular,
        Directory,
        Other,
    }

    /// <summary>Opens a file to read; the status is 0 or -errno.</summary>
    internal static int Open(string path, out SafeFileHandle handle)
    {
        byte[] name = Encoding.UTF8.GetBytes(path + "\0");
        int fd;
        do
        {
            fd = OpenRaw(ref name[0], ReadOnlyCloseOnExec);
        }
        while (fd < 0 && Marshal.GetLastPInvokeError() == Interrupted);

        int status = fd < 0 ? -Marshal.GetLastPInvokeError() : 0;
        handle = new SafeFileHandle(fd, ownsHandle: true);
        return status;
    }

    /// <summary>Tells the kind and the size of an open file; the status is 0 or -errno.</summary>
    internal static int Status(SafeFileHandle handle, out FileKind kind, out long size)
    {
        // struct statx has one layout on every machine: the mode at byte 28, the size at byte 40.
        Span<byte> buffer = stackalloc byte[256];
        buffer.Clear();
        byte none = 0;
        int result = Statx(handle, ref none, EmptyPath, TypeAndSize, ref MemoryMarshal.GetReference(buffer));
        ushort mode = MemoryMarshal.Read<ushort>(buffer[28..]);
        kind = (mode & FileTypeMask) switch
        {
            RegularType => FileKind.Regular,
            DirectoryType => FileKind.Directory,
            _ => FileKind.Other,
        };
        size = MemoryMarshal.Read<long>(buffer[40..]);
        return result < 0 ? -Marshal.GetLastPInvokeError() : 0;
    }

    /// <summary>Reads up to the length of <paramref name="into"/> from an offset: bytes, 0 at the end, or -errno.</summary>
    internal static int ReadAt(SafeFileHandle handle, Span<byte> into, long offset)
    {
        nint result;
        do
        {
            result = Pread(handle, ref MemoryMarshal.GetReference(into), into.Length, offset);
        }
        while (result < 0 && Marshal.GetLastPInvokeError() == Interrupted);

        return result < 0 ? -Marshal.GetLastPInvokeError() : (int)result;
    }

    /// <summary>Reads what is there: bytes, 0 at the end, or -errno.</summary>
    internal static int Read(SafeFileHandle handle, Span<byte> into)
    {
        nint result;
        do
        {
            result = ReadRaw(handle, ref MemoryMarshal.GetReference(into), into.Length);
        }
        while (result < 0 && Marshal.GetLastPInvokeError() == Interrupted);

        return result < 0 ? -Marshal.GetLastPInvokeError() : (int)result;
    }

    /// <summary>
    /// Writes all of <paramref name="bytes"/>; the status is 0, -errno, or that of a stop when <paramref name="stop"/> can be read while
    /// the descriptor takes no more.
    /// </summary>
    internal static int WriteAll(SafeFileHandle handle, ReadOnlySpan<byte> bytes, SafeFileHandle stop)
    {
        while (!bytes.IsEmpty)
        {
            nint result = WriteRaw(handle, in MemoryMarshal.GetReference(bytes), bytes.Length);
            if (result >= 0)
            {
                bytes = bytes[(int)result..];
            }
            else if (Marshal.GetLastPInvokeError() == -StatusCode.Again)
            {
                // The descriptor is the caller's and may be non-blocking: wait until it takes more.
                Span<PollItem> items =
                [
                    new() { Descriptor = (int)handle.DangerousGetHandle(), Events = PollItem.Output },
                    new() { Descriptor = (int)stop.DangerousGetHandle(), Events = PollItem.Input },
                ];
                if (PollRaw(ref items[0], 2, -1) > 0 && items[1].Found != 0)
                {
                    return StatusCode.Closed;
                }
            }
            else if (Marshal.GetLastPInvokeError() != Interrupted)
            {
                return -Marshal.GetLastPInvokeError();
            }
        }

        return 0;
    }

    /// <summary>Makes a descriptor that <see cref="Signal"/> makes readable, or -errno.</summary>
    internal static int CreateEvent(out SafeFileHandle handle)
    {
        int fd = EventRaw(0, EventCloseOnExecNonBlocking);
        int status = fd < 0 ? -Marshal.GetLastPInvokeError() : 0;
        handle = new SafeFileHandle(fd, ownsHandle: true);
        return status;
    }

    /// <summary>Makes an event descriptor readable, for ever.</summary>
    internal static void Signal(SafeFileHandle handle)
    {
        ulong one = 1;
        WriteRaw(handle, in Unsafe.As<ulong, byte>(ref one), sizeof(ulong));
    }

    /// <summary>Waits until one of two descriptors can be read or has ended.</summary>
    internal static void WaitReadable(SafeFileHandle first, SafeFileHandle second)
    {
        Span<PollItem> items =
        [
            new() { Descriptor = (int)first.DangerousGetHandle(), Events = PollItem.Input },
            new() { Descriptor = (int)second.DangerousGetHandle(), Events = PollItem.Input },
        ];
        PollRaw(ref items[0], 2, -1);
    }

    /// <summary>Reads the CPUs the calling thread may run on; the status is 0 or -errno.</summary>
    internal static int GetAffinity(Span<byte> mask)
    {
        mask.Clear();
        return SchedGetAffinity(0, mask.Length, ref MemoryMarshal.GetReference(mask)) < 0 ? -Marshal.GetLastPInvokeError() : 0;
    }

    /// <summary>Sets the CPUs the calling thread may run on; the status is 0 or -errno.</summary>
    internal static int SetAffinity(ReadOnlySpan<byte> mask) =>
        SchedSetAffinity(0, mask.Length, in MemoryMarshal.GetReference(mask)) < 0 ? -Marshal.GetLastPInvokeError() : 0;

    /// <summary>The thread id as the kernel counts.</summary>
    [LibraryImport(Library, EntryPoint = "gettid")]
    internal static partial int GetThreadId();

    /// <summary>The CPU and node the thread runs on at this moment.</summary>
    [LibraryImport(Library, EntryPoint = "getcpu")]
    internal static partial int GetCpu(out uint cpu, out uint node);

    /// <summary>CPU time the calling thread has taken.</summary>
    internal static TimeSpan ThreadCpuTime()
    {
        ClockGetTime(ThreadCpuClock, out TimeSpec time);
        return TimeSpan.FromMicroseconds(((long)time.Seconds * 1_000_000) + ((long)time.Nanoseconds / 1000));
    }

    [LibraryImport(Library, EntryPoint = "open", SetLastError = true)]
    private static partial int OpenRaw(ref byte path, int flags);

    [LibraryImport(Library, EntryPoint = "statx", SetLastError = true)]
    private static partial int Statx(SafeFileHandle directory, ref byte path, int flags, uint mask, ref byte buffer);

    [LibraryImport(Library, EntryPoint = "pread", SetLastError = true)]
    private static partial nint Pread(SafeFileHandle fd, ref byte buffer, nint count, long offset);

    [LibraryImport(Library, EntryPoint = "read", SetLastError = true)]
    private static partial nint ReadRaw(SafeFileHandle fd, ref byte buffer, nint count);

    [LibraryImport(Library, EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteRaw(SafeFileHandle fd, in byte buffer, nint count);

    [LibraryImport(Library, EntryPoint = "eventfd", SetLastError = true)]
    private static partial int EventRaw(uint initial, int flags);

    [LibraryImport(Library, EntryPoint = "poll", SetLastError = true)]
    private static partial int PollRaw(ref PollItem items, nuint count, int timeout);

    [LibraryImport(Library, EntryPoint = "sched_getaffinity", SetLastError = true)]
    private static partial int SchedGetAffinity(int thread, nint size, ref byte mask);

    [LibraryImport(Library, EntryPoint = "sched_setaffinity", SetLastError = true)]
    private static partial int SchedSetAffinity(int thread, nint size, in byte mask);

    [LibraryImport(Library, EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out TimeSpec time);

    private struct PollItem
    {
        internal const short Input = 1;
        internal const short Output = 4;

        internal int Descriptor;
        internal short Events;
        internal short Found;
    }

    private struct TimeSpec
    {
        internal nint Seconds;
        internal nint Nanoseconds;
    }
}
