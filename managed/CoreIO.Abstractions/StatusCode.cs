namespace CoreIO;

/// <summary>The status codes of <c>coreio/base.h</c>, and the words for them and for the errnos CoreIO meets.</summary>
public static class StatusCode
{
    /// <summary>An options structure is newer than the library.</summary>
    public const int Abi = -5001;

    /// <summary>A format, a question or a filter does not compile.</summary>
    public const int Format = -5002;

    /// <summary>A CPU, a CPU feature or a kernel that is not to be had here.</summary>
    public const int Cpu = -5003;

    /// <summary>The object was stopped, finished or closed before.</summary>
    public const int Closed = -5004;

    /// <summary>One item alone is larger than the room given.</summary>
    public const int Capacity = -5005;

    /// <summary>The input became shorter while it was being read.</summary>
    public const int Truncated = -5006;

    /// <summary><c>-EPERM</c>.</summary>
    public const int NotPermitted = -1;

    /// <summary><c>-ENOENT</c>.</summary>
    public const int NoEntry = -2;

    /// <summary><c>-EINTR</c>.</summary>
    public const int Interrupted = -4;

    /// <summary><c>-EIO</c>.</summary>
    public const int InputOutput = -5;

    /// <summary><c>-E2BIG</c>.</summary>
    public const int TooBig = -7;

    /// <summary><c>-EBADF</c>.</summary>
    public const int BadDescriptor = -9;

    /// <summary><c>-EAGAIN</c>.</summary>
    public const int Again = -11;

    /// <summary><c>-ENOMEM</c>.</summary>
    public const int NoMemory = -12;

    /// <summary><c>-EACCES</c>.</summary>
    public const int AccessDenied = -13;

    /// <summary><c>-EFAULT</c>.</summary>
    public const int BadAddress = -14;

    /// <summary><c>-EBUSY</c>.</summary>
    public const int Busy = -16;

    /// <summary><c>-EEXIST</c>.</summary>
    public const int Exists = -17;

    /// <summary><c>-ENODEV</c>.</summary>
    public const int NoDevice = -19;

    /// <summary><c>-ENOTDIR</c>.</summary>
    public const int NotADirectory = -20;

    /// <summary><c>-EISDIR</c>.</summary>
    public const int IsADirectory = -21;

    /// <summary><c>-EINVAL</c>.</summary>
    public const int InvalidArgument = -22;

    /// <summary><c>-ENFILE</c>.</summary>
    public const int TooManyFilesInSystem = -23;

    /// <summary><c>-EMFILE</c>.</summary>
    public const int TooManyOpenFiles = -24;

    /// <summary><c>-ENOSPC</c>.</summary>
    public const int NoSpace = -28;

    /// <summary><c>-EPIPE</c>.</summary>
    public const int BrokenPipe = -32;

    /// <summary><c>-ENAMETOOLONG</c>.</summary>
    public const int NameTooLong = -36;

    /// <summary><c>-ENOSYS</c>.</summary>
    public const int NotImplemented = -38;

    /// <summary><c>-ELOOP</c>.</summary>
    public const int TooManyLinks = -40;

    /// <summary><c>-ENOMSG</c>.</summary>
    public const int NoMessage = -42;

    /// <summary><c>-EIDRM</c>.</summary>
    public const int Removed = -43;

    /// <summary><c>-EMSGSIZE</c>.</summary>
    public const int MessageSize = -90;

    /// <summary><c>-EADDRINUSE</c>.</summary>
    public const int AddressInUse = -98;

    /// <summary><c>-EADDRNOTAVAIL</c>.</summary>
    public const int AddressNotAvailable = -99;

    /// <summary><c>-ENETUNREACH</c>.</summary>
    public const int NetworkUnreachable = -101;

    /// <summary><c>-ECONNRESET</c>.</summary>
    public const int ConnectionReset = -104;

    /// <summary><c>-ETIMEDOUT</c>.</summary>
    public const int TimedOut = -110;

    /// <summary><c>-ECONNREFUSED</c>.</summary>
    public const int ConnectionRefused = -111;

    /// <summary><c>-EHOSTUNREACH</c>.</summary>
    public const int HostUnreachable = -113;

    /// <summary><c>-ECANCELED</c>.</summary>
    public const int Canceled = -125;

    /// <summary>Words and symbol of a status: <c>permission denied (EACCES)</c>.</summary>
    public static string Describe(int status) => status switch
    {
        Abi => "options are newer than the library (COREIO_EABI)",
        Format => "does not compile (COREIO_EFORMAT)",
        Cpu => "not available on this machine (COREIO_ECPU)",
        Closed => "stopped or finished before (COREIO_ECLOSED)",
        Capacity => "an item is larger than the room given (COREIO_ECAPACITY)",
        Truncated => "became shorter while it was read (COREIO_ETRUNCATED)",
        NotPermitted => "operation not permitted (EPERM)",
        NoEntry => "no such file (ENOENT)",
        Interrupted => "interrupted by a signal (EINTR)",
        InputOutput => "input/output error (EIO)",
        TooBig => "longer than the room given (E2BIG)",
        BadDescriptor => "bad file descriptor (EBADF)",
        Again => "resource temporarily unavailable (EAGAIN)",
        NoMemory => "out of memory (ENOMEM)",
        AccessDenied => "permission denied (EACCES)",
        BadAddress => "bad address (EFAULT)",
        Busy => "busy (EBUSY)",
        Exists => "exists already (EEXIST)",
        NoDevice => "no such device (ENODEV)",
        NotADirectory => "a part of the path is no directory (ENOTDIR)",
        IsADirectory => "is a directory (EISDIR)",
        InvalidArgument => "invalid argument (EINVAL)",
        TooManyFilesInSystem => "too many open files in the system (ENFILE)",
        TooManyOpenFiles => "too many open files (EMFILE)",
        NoSpace => "no space left on device (ENOSPC)",
        BrokenPipe => "broken pipe (EPIPE)",
        NameTooLong => "file name too long (ENAMETOOLONG)",
        NotImplemented => "not implemented by this kernel (ENOSYS)",
        TooManyLinks => "too many symbolic links (ELOOP)",
        NoMessage => "no message of this type (ENOMSG)",
        Removed => "was removed (EIDRM)",
        MessageSize => "message too long (EMSGSIZE)",
        AddressInUse => "address already in use (EADDRINUSE)",
        AddressNotAvailable => "cannot assign requested address (EADDRNOTAVAIL)",
        NetworkUnreachable => "network is unreachable (ENETUNREACH)",
        ConnectionReset => "connection reset by peer (ECONNRESET)",
        ConnectionRefused => "connection refused (ECONNREFUSED)",
        HostUnreachable => "no route to host (EHOSTUNREACH)",
        TimedOut => "timed out (ETIMEDOUT)",
        Canceled => "cancelled (ECANCELED)",
        _ => status is < 0 and >= -4095 ? $"errno {-status}" : $"status {status}",
    };

    /// <summary>The symbol of a status alone: <c>EACCES</c>.</summary>
    public static string Symbol(int status)
    {
        string words = Describe(status);
        int open = words.LastIndexOf('(');
        return open < 0 ? words : words[(open + 1)..^1];
    }
}
