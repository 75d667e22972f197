// Who a file belongs to, and which file it is: .NET tells neither. It opens nothing. A path through /proc/PID/fd reaches files without a name,
// such as queues.
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Mq;

/// <summary>Which file it is: inodes are numbered by each file system for itself.</summary>
internal readonly record struct FileId(ulong Device, ulong Inode);

/// <summary>What statx(2) tells of a file.</summary>
/// <param name="Uid">Owner.</param>
/// <param name="Gid">Group.</param>
/// <param name="Mode">Nine bits of permissions.</param>
/// <param name="Links">Names it has; none when it was unlinked and is still open.</param>
/// <param name="File">Which file it is.</param>
internal readonly partial record struct FileOwner(uint Uid, uint Gid, int Mode, uint Links, FileId File)
{
    private const string Library = "libc";
    private const int CurrentFolder = -100;
    private const int EmptyPath = 0x1000;
    private const uint ModeLinksOwnerAndInode = 0x2 | 0x4 | 0x8 | 0x10 | 0x100;
    private const int PermissionBits = 0x1FF;

    /// <summary>Reads it; null where the file is not there or not to be seen.</summary>
    public static FileOwner? Of(string path) => Read(CurrentFolder, path, out FileOwner owner) < 0 ? null : owner;

    /// <summary>Reads it of an open file; null where it is closed.</summary>
    public static FileOwner? Of(SafeFileHandle handle)
    {
        try
        {
            return Read(handle, out FileOwner owner) < 0 ? null : owner;
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
    }

    /// <summary>Reads it of an open file; the status is 0 or -errno.</summary>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public static int Read(SafeFileHandle handle, out FileOwner owner)
    {
        bool held = false;
        try
        {
            handle.DangerousAddRef(ref held);
            return Read((int)handle.DangerousGetHandle(), string.Empty, out owner);
        }
        finally
        {
            if (held)
            {
                handle.DangerousRelease();
            }
        }
    }

    private static int Read(int folder, string path, out FileOwner owner)
    {
        // struct statx has one layout on every machine.
        Span<byte> buffer = stackalloc byte[256];
        buffer.Clear();
        int result = Statx(folder, path, path.Length == 0 ? EmptyPath : 0, ModeLinksOwnerAndInode, ref MemoryMarshal.GetReference(buffer));
        int status = result < 0 ? -Marshal.GetLastPInvokeError() : 0;
        owner = new FileOwner(
            MemoryMarshal.Read<uint>(buffer[20..]),
            MemoryMarshal.Read<uint>(buffer[24..]),
            MemoryMarshal.Read<ushort>(buffer[28..]) & PermissionBits,
            MemoryMarshal.Read<uint>(buffer[16..]),
            new FileId(
                ((ulong)MemoryMarshal.Read<uint>(buffer[136..]) << 32) | MemoryMarshal.Read<uint>(buffer[140..]),
                MemoryMarshal.Read<ulong>(buffer[32..])));
        return status;
    }

    [LibraryImport(Library, EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, ref byte buffer);
}
