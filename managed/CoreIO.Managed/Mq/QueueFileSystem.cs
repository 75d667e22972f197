// The file system of POSIX queues, mounted where only the holder of a descriptor sees it. By numbers of system calls, which are the same
// on all machines, for libc has names for them only since glibc 2.36.
namespace CoreIO.Managed.Mq;

internal static class QueueFileSystem
{
    private const int FsOpen = 430;
    private const int FsConfig = 431;
    private const int FsMount = 432;
    private const int CloseOnExec = 1;
    private const int CreateCommand = 6;
    private const int NoSuidNoDevicesNoPrograms = 2 | 4 | 8;

    private static readonly byte[] Name = [.. "mqueue\0"u8];

    /// <summary>The descriptor of its root, or -errno.</summary>
    internal static int Mount()
    {
        nint context = MqLibc.OpenFileSystem(FsOpen, in Name[0], CloseOnExec);
        if (context < 0)
        {
            return MqLibc.Error();
        }

        nint root = MqLibc.ConfigureFileSystem(FsConfig, context, CreateCommand, 0, 0, 0);
        if (root == 0)
        {
            root = MqLibc.MountFileSystem(FsMount, context, CloseOnExec, NoSuidNoDevicesNoPrograms);
        }

        int status = root < 0 ? MqLibc.Error() : (int)root;
        _ = MqLibc.Close((int)context);
        return status;
    }
}
