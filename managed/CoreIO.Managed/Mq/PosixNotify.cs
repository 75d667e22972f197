// Asking for word of a message in an empty queue, as mq_notify(3).
//
// A descriptor is told by the way the kernel has for the threads of SIGEV_THREAD: a cookie that it sends to a netlink socket. libc keeps
// a thread of its own behind that socket, so the system call is made without it, and the caller polls the socket.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CoreIO.Mq;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Managed.Mq;

internal static class PosixNotify
{
    private const int Netlink = 16;
    private const int RawCloseOnExec = 3 | 0x80000;
    private const int CookieBytes = 32;

    // The numbers of sigev_notify.
    private const int BySignal = 0;
    private const int ByNothing = 1;
    private const int ByCookie = 2;

    private static readonly nint Number = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 244 : 184;

    /// <summary>Registers this process, or takes the registration back; the status, or the descriptor.</summary>
    internal static int Register(int queue, PosixNotifyKind kind, int signal, long value, out SafeFileHandle? descriptor)
    {
        descriptor = null;
        switch (kind)
        {
            case PosixNotifyKind.Signal:
                return Ask(queue, new() { Kind = BySignal, Signal = signal, Value = (nint)value });
            case PosixNotifyKind.None:
                return Ask(queue, new() { Kind = ByNothing });
            case PosixNotifyKind.Descriptor:
                return AskByDescriptor(queue, value, out descriptor);
            case PosixNotifyKind.Cancel:
                return MqLibc.NotifyRaw(Number, queue, in Unsafe.NullRef<MqLibc.SignalEvent>()) < 0 ? MqLibc.Error() : 0;
            default:
                return StatusCode.InvalidArgument;
        }
    }

    private static int Ask(int queue, MqLibc.SignalEvent notification) =>
        MqLibc.NotifyRaw(Number, queue, in notification) < 0 ? MqLibc.Error() : 0;

    // The kernel reads the cookie in the call, and writes its last byte when it sends it.
    private static int AskByDescriptor(int queue, long value, out SafeFileHandle? descriptor)
    {
        descriptor = null;
        int socket = MqLibc.Socket(Netlink, RawCloseOnExec, 0);
        if (socket < 0)
        {
            return MqLibc.Error();
        }

        nint cookie = Marshal.AllocHGlobal(CookieBytes);
        for (int at = 0; at < CookieBytes; at += sizeof(long))
        {
            Marshal.WriteInt64(cookie, at, at == 0 ? value : 0);
        }

        int status = Ask(queue, new() { Kind = ByCookie, Signal = socket, Value = cookie });
        Marshal.FreeHGlobal(cookie);
        if (status < 0)
        {
            _ = MqLibc.Close(socket);
            return status;
        }

        descriptor = new SafeFileHandle(socket, ownsHandle: true);
        return socket;
    }
}
