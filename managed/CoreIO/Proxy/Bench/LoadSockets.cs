// The sockets of the load: plain calls, for a Socket of .NET is an object with a finalizer for each connection, and the load opens thousands
// a second. Everything is IPv4 on the loopback. Calls return what the kernel returned, or -errno.
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace CoreIO.Proxy.Bench;

internal static partial class LoadSockets
{
    internal const int InProgress = -115;

    private const string Library = "libc";
    private const int Internet = 2;
    private const int Stream = 1;
    private const int NonBlocking = 0x800;
    private const int CloseOnExec = 0x80000;
    private const int SocketLevel = 1;
    private const int ReceiveTimeout = 20;
    private const int SendTimeout = 21;
    private const int Tcp = 6;
    private const int CongestionOption = 13;
    private const int NoSignal = 0x4000;
    private const int Backlog = 4096;
    private const int AddressSize = 16;

    // The same numbers on every architecture.
    private const long PidfdOpen = 434;
    private const long PidfdGetFd = 438;

    /// <summary>A <c>struct sockaddr_in</c> of the loopback.</summary>
    internal static byte[] Address(int port)
    {
        byte[] address = new byte[AddressSize];
        address[0] = Internet;
        BinaryPrimitives.WriteUInt16BigEndian(address.AsSpan(2), (ushort)port);
        address[4] = 127;
        address[7] = 1;
        return address;
    }

    /// <summary>Listens on a port that the kernel chooses.</summary>
    internal static int Listen(string? congestion, out int port)
    {
        port = 0;
        byte[] address = Address(0);
        int socket = Check(SocketRaw(Internet, Stream | NonBlocking | CloseOnExec, 0), "open a socket");
        int size = AddressSize;
        int status = congestion is null ? 0 : SetCongestion(socket, congestion);
        if (status < 0 || (status = Status(BindRaw(socket, address, AddressSize))) < 0 || (status = Status(ListenRaw(socket, Backlog))) < 0
            || (status = Status(NameRaw(socket, address, ref size))) < 0)
        {
            Close(socket);
            throw new ProxyBenchFault($"listen on the loopback: {StatusCode.Describe(status)}");
        }

        port = BinaryPrimitives.ReadUInt16BigEndian(address.AsSpan(2));
        return socket;
    }

    /// <summary>A port that nobody listens on now.</summary>
    internal static int FreePort()
    {
        Close(Listen(null, out int port));
        return port;
    }

    /// <summary>Begins to connect; the socket does not block.</summary>
    internal static int Connect(ReadOnlySpan<byte> address, string? congestion)
    {
        int socket = Status(SocketRaw(Internet, Stream | NonBlocking | CloseOnExec, 0));
        if (socket < 0)
        {
            return socket;
        }

        int status = congestion is null ? 0 : SetCongestion(socket, congestion);
        status = status < 0 ? status : Status(ConnectRaw(socket, address, AddressSize));
        if (status is >= 0 or InProgress)
        {
            return socket;
        }

        Close(socket);
        return status;
    }

    /// <summary>Connects; the socket blocks, <paramref name="seconds"/> at most in each call.</summary>
    internal static int ConnectBlocking(ReadOnlySpan<byte> address, int seconds)
    {
        int socket = Status(SocketRaw(Internet, Stream | CloseOnExec, 0));
        if (socket < 0)
        {
            return socket;
        }

        // A struct timeval.
        Span<byte> time = stackalloc byte[2 * sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(time, seconds);
        _ = SetRaw(socket, SocketLevel, ReceiveTimeout, time, time.Length);
        _ = SetRaw(socket, SocketLevel, SendTimeout, time, time.Length);
        int status = Status(ConnectRaw(socket, address, AddressSize));
        if (status >= 0)
        {
            return socket;
        }

        Close(socket);
        return status == InProgress ? StatusCode.TimedOut : status;
    }

    internal static int Accept(int socket) => Status(AcceptRaw(socket, 0, 0, NonBlocking | CloseOnExec));

    internal static int Receive(int socket, Span<byte> into) => Status((int)ReceiveRaw(socket, into, into.Length, 0));

    internal static int Send(int socket, ReadOnlySpan<byte> bytes) => Status((int)SendRaw(socket, bytes, bytes.Length, NoSignal));

    internal static void Close(int socket) => _ = CloseRaw(socket);

    /// <summary>Asks for a congestion control: 0 or -errno.</summary>
    internal static int SetCongestion(int socket, string name)
    {
        byte[] text = Encoding.ASCII.GetBytes(name);
        return Status(SetRaw(socket, Tcp, CongestionOption, text, text.Length));
    }

    /// <summary>Whether sockets of this process get a congestion control: 0 or -errno.</summary>
    internal static int TryCongestion(string name)
    {
        int socket = Check(SocketRaw(Internet, Stream | CloseOnExec, 0), "open a socket");
        int status = SetCongestion(socket, name);
        Close(socket);
        return status;
    }

    /// <summary>
    /// Sets the congestion control of all TCP sockets that another process has open, through duplicates of its descriptors: how many, or
    /// -errno where this process may not have them.
    /// </summary>
    internal static int SetCongestionOf(int pid, IEnumerable<int> descriptors, string name)
    {
        int process = Status((int)CallRaw(PidfdOpen, pid, 0, 0));
        if (process < 0)
        {
            return process;
        }

        int count = 0;
        int fault = 0;
        foreach (int descriptor in descriptors)
        {
            int duplicate = Status((int)CallRaw(PidfdGetFd, process, descriptor, 0));
            if (duplicate < 0)
            {
                fault = duplicate;
                continue;
            }

            // What is no TCP socket refuses.
            count += SetCongestion(duplicate, name) >= 0 ? 1 : 0;
            Close(duplicate);
        }

        Close(process);
        return count > 0 ? count : fault;
    }

    /// <summary>CPU time of a process with all its threads, also those that have ended, in ns; below 0 where there is no such clock.</summary>
    internal static long ProcessCpuNs(int pid)
    {
        // The identifier that clock_getcpuclockid(3) makes: CPUCLOCK_SCHED of the process.
        Span<long> time = stackalloc long[2];
        return ClockRaw((~pid << 3) | 2, time) == 0 ? (time[0] * 1_000_000_000) + time[1] : -1;
    }

    /// <summary>Sends a signal to one process.</summary>
    internal static void Signal(int pid, int signal) => _ = KillRaw(pid, signal);

    private static int Check(int result, string operation) =>
        result >= 0 ? result : throw new ProxyBenchFault($"{operation}: {StatusCode.Describe(-Marshal.GetLastPInvokeError())}");

    private static int Status(int result) => result >= 0 ? result : -Marshal.GetLastPInvokeError();

    [LibraryImport(Library, EntryPoint = "socket", SetLastError = true)]
    private static partial int SocketRaw(int family, int type, int protocol);

    [LibraryImport(Library, EntryPoint = "bind", SetLastError = true)]
    private static partial int BindRaw(int socket, ReadOnlySpan<byte> address, int size);

    [LibraryImport(Library, EntryPoint = "listen", SetLastError = true)]
    private static partial int ListenRaw(int socket, int backlog);

    [LibraryImport(Library, EntryPoint = "getsockname", SetLastError = true)]
    private static partial int NameRaw(int socket, Span<byte> address, ref int size);

    [LibraryImport(Library, EntryPoint = "connect", SetLastError = true)]
    private static partial int ConnectRaw(int socket, ReadOnlySpan<byte> address, int size);

    [LibraryImport(Library, EntryPoint = "accept4", SetLastError = true)]
    private static partial int AcceptRaw(int socket, nint address, nint size, int flags);

    [LibraryImport(Library, EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetRaw(int socket, int level, int option, ReadOnlySpan<byte> value, int size);

    [LibraryImport(Library, EntryPoint = "recv", SetLastError = true)]
    private static partial nint ReceiveRaw(int socket, Span<byte> into, nint size, int flags);

    [LibraryImport(Library, EntryPoint = "send", SetLastError = true)]
    private static partial nint SendRaw(int socket, ReadOnlySpan<byte> bytes, nint size, int flags);

    [LibraryImport(Library, EntryPoint = "close")]
    private static partial int CloseRaw(int descriptor);

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    private static partial long CallRaw(long number, long first, long second, long third);

    [LibraryImport(Library, EntryPoint = "clock_gettime")]
    private static partial int ClockRaw(int clock, Span<long> time);

    [LibraryImport(Library, EntryPoint = "kill")]
    private static partial int KillRaw(int pid, int signal);
}
