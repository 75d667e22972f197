// The calls of libc that the command writes, polls and changes owners with. System.Console writes, too, after it has looked for encodings, set up a
// terminal and started a thread for signals: a fifth of the time that a short command takes as a whole.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

// The calls take numbers and references only, so they need no code made at run time.
[assembly: DisableRuntimeMarshalling]

namespace CoreIO.Cli.Shell;

internal static partial class Libc
{
    public const int StandardInput = 0;
    public const int StandardOutput = 1;
    public const int StandardError = 2;

    private const string Library = "libc";
    private const int Interrupted = 4;
    private const int TryAgain = 11;
    private const int PollCloseOnExec = 0x80000;
    private const int PollAdd = 1;
    private const uint PollIn = 1;

    /// <summary>Writes all of it; 0 or -errno.</summary>
    public static int Write(int descriptor, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            nint written = WriteRaw(descriptor, in MemoryMarshal.GetReference(bytes), bytes.Length);
            int error = written < 0 ? Marshal.GetLastPInvokeError() : 0;
            if (error == TryAgain)
            {
                // Somebody made the pipe non-blocking; its reader is slow.
                Thread.Sleep(1);
            }
            else if (error is not (0 or Interrupted))
            {
                return -error;
            }

            bytes = bytes[(int)Math.Max(written, 0)..];
        }

        return 0;
    }

    /// <summary>Whether a descriptor is a terminal.</summary>
    public static bool IsTerminal(int descriptor) => IsTerminalRaw(descriptor) == 1;

    /// <summary>A descriptor that can be read when one of those added to it is ready; close-on-exec.</summary>
    public static SafeFileHandle Poller() => new(PollerRaw(PollCloseOnExec), ownsHandle: true);

    /// <summary>Adds a descriptor: ready to be read when <paramref name="readable"/>, always when it is broken. False for a plain file.</summary>
    public static bool Add(SafeFileHandle poller, int descriptor, bool readable)
    {
        // struct epoll_event begins with the events; how far behind them its data stands differs by machine, and nobody reads it.
        Span<uint> entry = [readable ? PollIn : 0u, 0, 0, 0];
        return ControlRaw(poller, PollAdd, descriptor, in entry[0]) == 0;
    }

    /// <summary>Changes the owner of what a descriptor is open on; -1 leaves a number as it is. 0 or -errno.</summary>
    public static int ChangeOwner(SafeFileHandle file, int uid, int gid) =>
        ChangeOwnerRaw(file, uid, gid) == 0 ? 0 : -Marshal.GetLastPInvokeError();

    /// <summary>Changes the permissions of what a descriptor is open on; 0 or -errno.</summary>
    public static int ChangeMode(SafeFileHandle file, int mode) => ChangeModeRaw(file, mode) == 0 ? 0 : -Marshal.GetLastPInvokeError();

    [LibraryImport(Library, EntryPoint = "epoll_create1")]
    private static partial int PollerRaw(int flags);

    [LibraryImport(Library, EntryPoint = "epoll_ctl")]
    private static partial int ControlRaw(SafeFileHandle poller, int operation, int descriptor, in uint entry);

    [LibraryImport(Library, EntryPoint = "fchmod", SetLastError = true)]
    private static partial int ChangeModeRaw(SafeFileHandle file, int mode);

    [LibraryImport(Library, EntryPoint = "fchown", SetLastError = true)]
    private static partial int ChangeOwnerRaw(SafeFileHandle file, int uid, int gid);

    [LibraryImport(Library, EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteRaw(int descriptor, in byte bytes, nint count);

    [LibraryImport(Library, EntryPoint = "isatty")]
    private static partial int IsTerminalRaw(int descriptor);
}
