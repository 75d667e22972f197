// What tests of proxies ask the kernel for beside sockets.
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Tests.Proxy;

internal static partial class ProxyLibc
{
    private const string Library = "libc";
    private const int SocketLevel = 1;
    private const int ReuseAddressOption = 2;
    private const int DuplicateCloseOnExec = 1030;
    private const int GetFlags = 1;
    private const int CloseOnExec = 1;

    /// <summary><c>SO_REUSEADDR</c> alone.</summary>
    public static void ReuseAddress(Socket socket)
    {
        int on = 1;
        socket.SetRawSocketOption(SocketLevel, ReuseAddressOption, MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in on)));
    }

    public static int Duplicate(int descriptor)
    {
        int duplicate = Control(descriptor, DuplicateCloseOnExec, 3);
        Assert.That(duplicate, Is.Positive, $"errno {Marshal.GetLastPInvokeError()}");
        return duplicate;
    }

    public static bool IsOpen(int descriptor) => Control(descriptor, GetFlags, 0) >= 0;

    public static bool IsCloseOnExec(int descriptor) => (Control(descriptor, GetFlags, 0) & CloseOnExec) != 0;

    public static void Close(int descriptor) => Assert.That(CloseDescriptor(descriptor), Is.Zero);

    /// <summary>Two stream sockets that are connected, and wait.</summary>
    public static (SafeSocketHandle First, SafeSocketHandle Second) SocketPair()
    {
        Span<int> ends = stackalloc int[2];
        Assert.That(SocketPairRaw(1, 1 | 0x80000, 0, ref ends[0]), Is.Zero);
        return (new SafeSocketHandle(ends[0], ownsHandle: true), new SafeSocketHandle(ends[1], ownsHandle: true));
    }

    /// <summary>A pipe, both ends of it to be closed by the caller.</summary>
    public static (int Reader, int Writer) Pipe()
    {
        Span<int> ends = stackalloc int[2];
        Assert.That(PipeRaw(ref ends[0], 0x80000), Is.Zero);
        return (ends[0], ends[1]);
    }

    /// <summary>What a descriptor is: <c>socket:[4711]</c>, <c>pipe:[12]</c>.</summary>
    public static string NameOf(int descriptor) => new FileInfo($"/proc/self/fd/{descriptor}").LinkTarget ?? "";

    [LibraryImport(Library, EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(int descriptor, int command, int argument);

    [LibraryImport(Library, EntryPoint = "close", SetLastError = true)]
    private static partial int CloseDescriptor(int descriptor);

    [LibraryImport(Library, EntryPoint = "socketpair", SetLastError = true)]
    private static partial int SocketPairRaw(int family, int type, int protocol, ref int ends);

    [LibraryImport(Library, EntryPoint = "pipe2", SetLastError = true)]
    private static partial int PipeRaw(ref int ends, int flags);
}
