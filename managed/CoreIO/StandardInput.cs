// Descriptor 0 as a stream without a buffer. A program may be started without one: the runtime has opened something of its own under that number
// then, and to read it would never end.
using Microsoft.Win32.SafeHandles;

namespace CoreIO;

internal static class StandardInput
{
    private const long CloseOnExec = 0x80000;

    /// <exception cref="CoreIOException">It was closed when the process began (<c>EBADF</c>).</exception>
    public static FileStream Open() => IsClosed()
        ? throw new CoreIOException(StatusCode.BadDescriptor, "standard input")
        : new FileStream(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, 0);

    // What was inherited was not to be closed by execve(2), and what the runtime opens always is.
    private static bool IsClosed()
    {
        foreach (string line in ProcText.Lines("/proc/self/fdinfo/0"))
        {
            if (line.StartsWith("flags:", StringComparison.Ordinal))
            {
                return (Convert.ToInt64(line["flags:".Length..].Trim(), 8) & CloseOnExec) != 0;
            }
        }

        return false;
    }
}
