// Descriptors from one process to another, by unix(7), SCM_RIGHTS. The same as native/src/proxy/pass.c.
using System.Runtime.InteropServices;

namespace CoreIO.Managed.Proxy;

internal static class DescriptorMessage
{
    // SCM_MAX_FD of the kernel.
    private const int Most = 253;

    private const int NoSignal = 0x4000;
    private const int CloseOnExec = 0x4000_0000;
    private const int ControlTruncated = 8;
    private const int SocketLevel = 1;
    private const int Rights = 1;

    // struct cmsghdr: a length of eight bytes, level and type; what follows is aligned to eight bytes.
    private const int HeadBytes = 16;
    private const int LevelOffset = 8;
    private const int TypeOffset = 12;

    /// <summary>Sends descriptors beside bytes in one message; the bytes sent, or a status.</summary>
    internal static int Send(int socket, ReadOnlySpan<byte> bytes, ReadOnlySpan<int> descriptors)
    {
        if (bytes.IsEmpty || descriptors.Length > Most)
        {
            return StatusCode.InvalidArgument;
        }

        ReadOnlySpan<byte> rights = MemoryMarshal.AsBytes(descriptors);
        byte[] text = Pinned(bytes.Length);
        byte[] control = Pinned(HeadBytes + Aligned(rights.Length));
        bytes.CopyTo(text);
        nint length = HeadBytes + rights.Length;
        MemoryMarshal.Write(control, in length);
        MemoryMarshal.Write<int>(control.AsSpan(LevelOffset), SocketLevel);
        MemoryMarshal.Write<int>(control.AsSpan(TypeOffset), Rights);
        rights.CopyTo(control.AsSpan(HeadBytes));
        nint[] part = Part(text);
        ProxyLibc.MessageHead message = Head(part, rights.IsEmpty ? [] : control);
        nint sent;
        do
        {
            sent = ProxyLibc.Send(socket, in message, NoSignal);
        }
        while (sent == StatusCode.Interrupted);

        GC.KeepAlive(text);
        GC.KeepAlive(control);
        GC.KeepAlive(part);
        return (int)sent;
    }

    /// <summary>Receives such a message: its bytes, 0 at the end, or a status.</summary>
    internal static int Receive(int socket, Span<byte> bytes, Span<int> descriptors, out int count)
    {
        count = 0;
        byte[] text = Pinned(bytes.Length);
        byte[] control = Pinned(HeadBytes + Aligned(Most * sizeof(int)));
        nint[] part = Part(text);
        ProxyLibc.MessageHead message = Head(part, control);
        nint received;
        do
        {
            received = ProxyLibc.Receive(socket, ref message, CloseOnExec);
        }
        while (received == StatusCode.Interrupted);

        GC.KeepAlive(part);
        if (received < 0)
        {
            return (int)received;
        }

        text.AsSpan(0, (int)received).CopyTo(bytes);
        bool lost = (message.Flags & ControlTruncated) != 0;
        ReadOnlySpan<byte> left = control.AsSpan(0, (int)message.ControlLength);
        while (left.Length >= HeadBytes)
        {
            int length = (int)MemoryMarshal.Read<nint>(left);
            if (MemoryMarshal.Read<int>(left[LevelOffset..]) == SocketLevel && MemoryMarshal.Read<int>(left[TypeOffset..]) == Rights)
            {
                lost |= Keep(MemoryMarshal.Cast<byte, int>(left[HeadBytes..length]), descriptors, ref count);
            }

            left = left[Math.Min(Aligned(length), left.Length)..];
        }

        if (!lost)
        {
            return (int)received;
        }

        foreach (int descriptor in descriptors[..count])
        {
            _ = ProxyLibc.Close(descriptor);
        }

        count = 0;
        return StatusCode.Capacity;
    }

    // Writes the descriptors that fit and closes the others; whether there are such.
    private static bool Keep(ReadOnlySpan<int> came, Span<int> descriptors, ref int count)
    {
        int fit = Math.Min(came.Length, descriptors.Length - count);
        came[..fit].CopyTo(descriptors[count..]);
        count += fit;
        foreach (int descriptor in came[fit..])
        {
            _ = ProxyLibc.Close(descriptor);
        }

        return fit < came.Length;
    }

    private static byte[] Pinned(int length) => GC.AllocateArray<byte>(length, pinned: true);

    private static int Aligned(int length) => (length + sizeof(long) - 1) & -sizeof(long);

    // struct iovec.
    private static nint[] Part(byte[] text)
    {
        nint[] part = GC.AllocateArray<nint>(2, pinned: true);
        part[0] = text.Length == 0 ? 0 : Marshal.UnsafeAddrOfPinnedArrayElement(text, 0);
        part[1] = text.Length;
        return part;
    }

    private static ProxyLibc.MessageHead Head(nint[] part, byte[] control) => new()
    {
        Parts = Marshal.UnsafeAddrOfPinnedArrayElement(part, 0),
        PartCount = 1,
        Control = control.Length == 0 ? 0 : Marshal.UnsafeAddrOfPinnedArrayElement(control, 0),
        ControlLength = control.Length,
    };
}
