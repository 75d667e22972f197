// What queues need of descriptors and .NET does not offer: an event to end a wait with, waiting for two
// descriptors, reading one without opening it again or taking anything from it.
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Mq;

internal static partial class Descriptors
{
    private const string Library = "libc";
    private const int EventCloseOnExecNonBlocking = 0x80800;
    private const int PeekWithoutWaiting = 0x2 | 0x40;
    private const short Input = 1;
    private const short Invalid = 0x20;

    /// <summary>Makes a descriptor that <see cref="Set"/> makes readable and <see cref="Clear"/> does not.</summary>
    /// <exception cref="CoreIOException">There are too many.</exception>
    internal static SafeFileHandle CreateEvent()
    {
        int descriptor = EventRaw(0, EventCloseOnExecNonBlocking);
        return descriptor >= 0
            ? new SafeFileHandle(descriptor, ownsHandle: true)
            : throw new CoreIOException(-Marshal.GetLastPInvokeError(), "event descriptor");
    }

    /// <summary>Makes an event readable.</summary>
    internal static void Set(SafeFileHandle handle)
    {
        ulong one = 1;
        _ = WriteRaw(handle, in one, sizeof(ulong));
    }

    /// <summary>Makes an event unreadable.</summary>
    internal static void Clear(SafeFileHandle handle) => _ = ReadRaw(handle, out _, sizeof(ulong));

    /// <summary>
    /// Waits until a descriptor can be read: 0, or what ended the wait. A timeout of null is for ever; <paramref name="cancel"/> may be null.
    /// </summary>
    internal static int WaitReadable(SafeFileHandle handle, TimeSpan? timeout, SafeFileHandle? cancel)
    {
        bool heldFirst = false;
        bool heldSecond = false;
        try
        {
            handle.DangerousAddRef(ref heldFirst);
            cancel?.DangerousAddRef(ref heldSecond);
            return Poll((int)handle.DangerousGetHandle(), cancel is null ? -1 : (int)cancel.DangerousGetHandle(), timeout);
        }
        finally
        {
            if (heldFirst)
            {
                handle.DangerousRelease();
            }

            if (heldSecond)
            {
                cancel!.DangerousRelease();
            }
        }
    }

    /// <summary>The beginning of what can be read of a file at its start; null where it is not open to be read.</summary>
    internal static string? ReadText(SafeFileHandle handle)
    {
        try
        {
            Span<byte> buffer = stackalloc byte[256];
            return Encoding.ASCII.GetString(buffer[..RandomAccess.Read(handle, buffer, 0)]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            return null;
        }
    }

    /// <summary>What can be read of a socket now, up to <paramref name="most"/> bytes, which stays to be read; empty where nothing can.</summary>
    internal static byte[] Peek(SafeFileHandle socket, int most)
    {
        byte[] buffer = new byte[most];
        nint length = ReceiveRaw(socket, ref buffer[0], most, PeekWithoutWaiting);
        return length > 0 ? buffer[..(int)length] : [];
    }

    private static int Poll(int first, int second, TimeSpan? timeout)
    {
        if (first < 0 || second < -1)
        {
            return StatusCode.BadDescriptor;
        }

        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            // Rounded up, so that it does not end before its time.
            double left = timeout is { } time ? Math.Ceiling((time - Stopwatch.GetElapsedTime(start)).TotalMilliseconds) : -1;
            Span<PollItem> items = [new() { Descriptor = first, Events = Input }, new() { Descriptor = second, Events = Input }];
            int most = timeout is null ? -1 : (int)Math.Clamp(left, 0, int.MaxValue);
            int ready = PollRaw(ref items[0], 2, most);
            int error = ready < 0 ? Marshal.GetLastPInvokeError() : 0;
            if (ready > 0 && ((items[0].Found | items[1].Found) & Invalid) != 0)
            {
                return StatusCode.BadDescriptor;
            }

            if (ready > 0 && items[0].Found != 0)
            {
                return 0;
            }

            if (ready > 0)
            {
                return StatusCode.Canceled;
            }

            if (ready == 0 && timeout is not null && most < int.MaxValue)
            {
                return timeout <= TimeSpan.Zero ? StatusCode.Again : StatusCode.TimedOut;
            }

            if (ready < 0 && -error != StatusCode.Interrupted)
            {
                return -error;
            }
        }
    }

    [LibraryImport(Library, EntryPoint = "eventfd", SetLastError = true)]
    private static partial int EventRaw(uint initial, int flags);

    [LibraryImport(Library, EntryPoint = "write")]
    private static partial nint WriteRaw(SafeFileHandle handle, in ulong value, nint count);

    [LibraryImport(Library, EntryPoint = "read")]
    private static partial nint ReadRaw(SafeFileHandle handle, out ulong value, nint count);

    [LibraryImport(Library, EntryPoint = "recv")]
    private static partial nint ReceiveRaw(SafeFileHandle socket, ref byte buffer, nint capacity, int flags);

    [LibraryImport(Library, EntryPoint = "poll", SetLastError = true)]
    private static partial int PollRaw(ref PollItem items, nuint count, int timeout);

    private struct PollItem
    {
        internal int Descriptor;
        internal short Events;
        internal short Found;
    }
}
