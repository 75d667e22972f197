// Who a file belongs to, and which file it is: .NET tells neither. A path through /proc/PID/fd reaches files without a name, such as queues.
using System.Runtime.InteropServices;
using System.Text;

namespace CoreIO.Mq;

/// <summary>What statx(2) tells of a file.</summary>
/// <param name="Uid">Owner.</param>
/// <param name="Gid">Group.</param>
/// <param name="Mode">Nine bits of permissions.</param>
/// <param name="Inode">With <paramref name="Device"/>, which file it is.</param>
/// <param name="Device">The file system.</param>
internal readonly partial record struct FileOwner(uint Uid, uint Gid, int Mode, ulong Inode, ulong Device)
{
    private const string Library = "libc";
    private const int CurrentDirectory = -100;
    private const uint OwnerModeAndInode = 0x2 | 0x8 | 0x10 | 0x100;
    private const int PermissionBits = 0x1FF;

    /// <summary>Reads it; null where the file is not there or not to be seen.</summary>
    public static FileOwner? Of(string path)
    {
        // struct statx has one layout on every machine.
        Span<byte> buffer = stackalloc byte[256];
        buffer.Clear();
        byte[] name = Encoding.UTF8.GetBytes(path + "\0");
        if (Statx(CurrentDirectory, ref name[0], 0, OwnerModeAndInode, ref MemoryMarshal.GetReference(buffer)) < 0)
        {
            return null;
        }

        return new FileOwner(
            MemoryMarshal.Read<uint>(buffer[20..]),
            MemoryMarshal.Read<uint>(buffer[24..]),
            MemoryMarshal.Read<ushort>(buffer[28..]) & PermissionBits,
            MemoryMarshal.Read<ulong>(buffer[32..]),
            ((ulong)MemoryMarshal.Read<uint>(buffer[136..]) << 32) | MemoryMarshal.Read<uint>(buffer[140..]));
    }

    [LibraryImport(Library, EntryPoint = "statx")]
    private static partial int Statx(int directory, ref byte path, int flags, uint mask, ref byte buffer);
}
