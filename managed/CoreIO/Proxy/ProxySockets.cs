using System.Runtime.InteropServices;

namespace CoreIO.Proxy;

/// <summary>Descriptors of listening sockets on their way from one proxy to another.</summary>
internal static partial class ProxySockets
{
    private const int DuplicateCloseOnExec = 1030;

    /// <summary>A second descriptor of a socket, close-on-exec.</summary>
    internal static int Duplicate(int socket)
    {
        int duplicate = Fcntl(socket, DuplicateCloseOnExec, 3);
        return duplicate >= 0
            ? duplicate
            : throw new TcpProxyException(-Marshal.GetLastPInvokeError(), "duplicate", "a listening socket", "raise 'ulimit -n'");
    }

    /// <summary>Closes a descriptor that nobody has adopted.</summary>
    internal static void Close(int socket) => _ = CloseDescriptor(socket);

    /// <summary>Lets only those use a path whom <paramref name="mode"/> names.</summary>
    internal static void ChangeMode(string path, int mode)
    {
        if (Chmod(path, mode) != 0)
        {
            throw new TcpProxyException(-Marshal.GetLastPInvokeError(), "change the mode of", path, null);
        }
    }

    /// <summary>The user this process acts as.</summary>
    [LibraryImport("libc", EntryPoint = "geteuid")]
    internal static partial int User();

    [LibraryImport("libc", EntryPoint = "chmod", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Chmod(string path, int mode);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Fcntl(int descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int CloseDescriptor(int descriptor);
}
