// What the tests ask the kernel for besides queues: readiness as an event loop sees it, and signals to one thread.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

[assembly: DisableRuntimeMarshalling]
[assembly: SupportedOSPlatform("linux")]

namespace CoreIO.Tests.Mq;

internal static partial class TestLibc
{
    public const uint In = 1;
    public const uint Out = 4;
    public const uint EdgeTriggered = 0x8000_0000;
    public const int WindowChanged = 28;

    private const string Library = "libc";

    /// <summary>Seconds since 1970 by the clock that the kernel stamps with, which goes up to a tick behind the finer one.</summary>
    [LibraryImport(Library, EntryPoint = "time")]
    public static partial long Time(nint to);

    [LibraryImport(Library, EntryPoint = "gettid")]
    public static partial int ThreadId();

    [LibraryImport(Library, EntryPoint = "tgkill")]
    public static partial int Signal(int process, int thread, int signal);

    [LibraryImport(Library, EntryPoint = "fcntl")]
    public static partial int DescriptorFlags(int descriptor, int command, int argument);

    [LibraryImport(Library, EntryPoint = "epoll_create1")]
    private static partial int EpollCreate(int flags);

    [LibraryImport(Library, EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int EpollControl(int epoll, int operation, int descriptor, ref EpollEvent what);

    [LibraryImport(Library, EntryPoint = "epoll_wait", SetLastError = true)]
    private static partial int EpollWait(int epoll, ref EpollEvent events, int most, int timeout);

    [LibraryImport(Library, EntryPoint = "eventfd")]
    private static partial int EventDescriptor(uint initial, int flags);

    /// <summary>A descriptor that can be read from the beginning, or never.</summary>
    public static SafeFileHandle Event(bool readable) => new(EventDescriptor(readable ? 1u : 0, 0x80800), ownsHandle: true);

    /// <summary>Packed on x86-64 alone.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 16)]
    private struct EpollEvent
    {
        [FieldOffset(0)]
        public uint Events;
    }

    /// <summary>An epoll on one descriptor.</summary>
    public sealed class Epoll : IDisposable
    {
        private readonly SafeFileHandle _epoll = new(EpollCreate(0x80000), ownsHandle: true);

        public Epoll(SafeFileHandle watched, uint events)
        {
            EpollEvent what = new() { Events = events };
            Assert.That(EpollControl((int)_epoll.DangerousGetHandle(), 1, (int)watched.DangerousGetHandle(), ref what), Is.Zero);
        }

        /// <summary>What is ready now, or within the time; 0 for nothing.</summary>
        public uint Ready(int milliseconds = 0)
        {
            EpollEvent what = default;
            return EpollWait((int)_epoll.DangerousGetHandle(), ref what, 1, milliseconds) > 0 ? what.Events : 0;
        }

        public void Dispose() => _epoll.Dispose();
    }
}
