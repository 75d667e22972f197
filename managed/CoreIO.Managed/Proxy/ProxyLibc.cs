// The calls of libc that proxies are made of; each returns what the kernel returned, or -errno. Descriptors are numbers here: their owners
// keep them open for the length of a call.
//
// ioctl(2) is variadic in C, see MqLibc.cs. A message with descriptors is struct msghdr, struct iovec and struct cmsghdr of 64-bit Linux,
// laid out in pinned memory, so that no file is unsafe.
using System.Runtime.InteropServices;

namespace CoreIO.Managed.Proxy;

internal static partial class ProxyLibc
{
    /// <summary><c>EINPROGRESS</c>.</summary>
    internal const int InProgress = 115;

    private const string Library = "libc";
    private const int StreamNonBlockingCloseOnExec = 0x80801;
    private const int DatagramCloseOnExec = 0x80002;
    private const int AcceptFlags = 0x80800;
    private const uint OutQueue = 0x5411;
    private const int CurrentFolder = -100;
    private const int NoFollow = 0x100;
    private const uint TypeMask = 1;
    private const int ModeOffset = 28;
    private const int FileTypes = 0xF000;
    private const int SocketType = 0xC000;

    /// <summary>Opens a stream socket, non-blocking and close-on-exec.</summary>
    internal static int OpenStream(int family) => Result(SocketRaw(family, StreamNonBlockingCloseOnExec, 0));

    /// <summary>Opens a datagram socket, close-on-exec.</summary>
    internal static int OpenDatagram(int family) => Result(SocketRaw(family, DatagramCloseOnExec, 0));

    internal static int Bind(int socket, ReadOnlySpan<byte> name) => Result(BindRaw(socket, in MemoryMarshal.GetReference(name), name.Length));

    internal static int Listen(int socket, int backlog) => Result(ListenRaw(socket, backlog));

    internal static int Connect(int socket, ReadOnlySpan<byte> name) => Result(ConnectRaw(socket, in MemoryMarshal.GetReference(name), name.Length));

    /// <summary>Accepts a connection, non-blocking and close-on-exec.</summary>
    internal static int Accept(int socket, out InternetAddress source)
    {
        Span<byte> name = stackalloc byte[InternetAddress.SocketAddressBytes];
        int length = name.Length;
        int accepted = Result(AcceptRaw(socket, ref MemoryMarshal.GetReference(name), ref length, AcceptFlags));
        source = accepted < 0 ? default : InternetAddress.Read(name[..Math.Min(length, name.Length)]);
        return accepted;
    }

    /// <summary>Writes the name a socket is bound to; its length, or -errno.</summary>
    internal static int Name(int socket, Span<byte> name)
    {
        int length = name.Length;
        int status = Result(NameRaw(socket, ref MemoryMarshal.GetReference(name), ref length));
        return status < 0 ? status : Math.Min(length, name.Length);
    }

    internal static int Set(int socket, int level, int option, int value) => Set(socket, level, option, MemoryMarshal.AsBytes([value]));

    internal static int Set(int socket, int level, int option, ReadOnlySpan<byte> value) =>
        Result(SetRaw(socket, level, option, in MemoryMarshal.GetReference(value), value.Length));

    /// <summary>Reads an option; its length, or -errno.</summary>
    internal static int Get(int socket, int level, int option, Span<byte> value)
    {
        int length = value.Length;
        int status = Result(GetRaw(socket, level, option, ref MemoryMarshal.GetReference(value), ref length));
        return status < 0 ? status : length;
    }

    /// <summary>Bytes that were sent and that the peer has not acknowledged, <c>SIOCOUTQ</c>.</summary>
    internal static int Unsent(int socket, out int bytes) => Result(IoControl(socket, OutQueue, out bytes));

    /// <summary>Whether a path, which ends with a NUL, is a socket.</summary>
    internal static bool IsSocket(byte[] path)
    {
        // struct statx has one layout on every machine.
        Span<byte> status = stackalloc byte[256];
        return Statx(CurrentFolder, in path[0], NoFollow, TypeMask, ref MemoryMarshal.GetReference(status)) == 0
            && (MemoryMarshal.Read<ushort>(status[ModeOffset..]) & FileTypes) == SocketType;
    }

    /// <summary>Takes a path, which ends with a NUL, away.</summary>
    internal static int Unlink(byte[] path) => Result(UnlinkRaw(in path[0]));

    [LibraryImport(Library, EntryPoint = "close")]
    internal static partial int Close(int descriptor);

    internal static nint Send(int socket, in MessageHead message, int flags)
    {
        nint sent = SendMessage(socket, in message, flags);
        return sent < 0 ? -Marshal.GetLastPInvokeError() : sent;
    }

    internal static nint Receive(int socket, ref MessageHead message, int flags)
    {
        nint received = ReceiveMessage(socket, ref message, flags);
        return received < 0 ? -Marshal.GetLastPInvokeError() : received;
    }

    private static int Result(int result) => result < 0 ? -Marshal.GetLastPInvokeError() : result;

    [LibraryImport(Library, EntryPoint = "socket", SetLastError = true)]
    private static partial int SocketRaw(int family, int type, int protocol);

    [LibraryImport(Library, EntryPoint = "bind", SetLastError = true)]
    private static partial int BindRaw(int socket, in byte name, int length);

    [LibraryImport(Library, EntryPoint = "listen", SetLastError = true)]
    private static partial int ListenRaw(int socket, int backlog);

    [LibraryImport(Library, EntryPoint = "connect", SetLastError = true)]
    private static partial int ConnectRaw(int socket, in byte name, int length);

    [LibraryImport(Library, EntryPoint = "accept4", SetLastError = true)]
    private static partial int AcceptRaw(int socket, ref byte name, ref int length, int flags);

    [LibraryImport(Library, EntryPoint = "getsockname", SetLastError = true)]
    private static partial int NameRaw(int socket, ref byte name, ref int length);

    [LibraryImport(Library, EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetRaw(int socket, int level, int option, in byte value, int length);

    [LibraryImport(Library, EntryPoint = "getsockopt", SetLastError = true)]
    private static partial int GetRaw(int socket, int level, int option, ref byte value, ref int length);

    [LibraryImport(Library, EntryPoint = "ioctl", SetLastError = true)]
    private static partial int IoControl(int socket, nuint request, out int value);

    [LibraryImport(Library, EntryPoint = "statx")]
    private static partial int Statx(int folder, in byte path, int flags, uint mask, ref byte status);

    [LibraryImport(Library, EntryPoint = "unlink", SetLastError = true)]
    private static partial int UnlinkRaw(in byte path);

    [LibraryImport(Library, EntryPoint = "sendmsg", SetLastError = true)]
    private static partial nint SendMessage(int socket, in MessageHead message, int flags);

    [LibraryImport(Library, EntryPoint = "recvmsg", SetLastError = true)]
    private static partial nint ReceiveMessage(int socket, ref MessageHead message, int flags);

    /// <summary><c>struct msghdr</c>.</summary>
    internal struct MessageHead
    {
        internal nint Name;
        internal nint NameLength;
        internal nint Parts;
        internal nint PartCount;
        internal nint Control;
        internal nint ControlLength;
        internal int Flags;
    }
}
