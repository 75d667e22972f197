// The two calls of libc that the command writes with. System.Console does the same for them, after it has looked for encodings, set up a
// terminal and started a thread for signals: a fifth of the time that a short command takes as a whole.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

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

    [LibraryImport(Library, EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteRaw(int descriptor, in byte bytes, nint count);

    [LibraryImport(Library, EntryPoint = "isatty")]
    private static partial int IsTerminalRaw(int descriptor);
}
