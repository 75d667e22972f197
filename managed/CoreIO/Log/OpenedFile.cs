// Opens files to read. .NET does the same, but makes the handle by reflection, which takes a tenth of the time of a short report.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

// The call below takes a pointer and a number only, so it needs no code made at run time.
[assembly: DisableRuntimeMarshalling]

namespace CoreIO.Log;

internal static partial class OpenedFile
{
    private const int ReadOnlyCloseOnExec = 0x80000;

    /// <summary>The file as a stream without a buffer; what .NET throws where it cannot be opened.</summary>
    public static FileStream Read(string path)
    {
        // A zero ends a name for the kernel. That case, and every fault, is left to .NET, which tells them apart.
        int descriptor = path.AsSpan().Contains('\0') ? -1 : Open(in ShortText.BytesOf(path + "\0")[0], ReadOnlyCloseOnExec);
        return descriptor < 0
            ? new FileStream(path, new FileStreamOptions { BufferSize = 0, Share = FileShare.ReadWrite | FileShare.Delete })
            : new FileStream(new SafeFileHandle(descriptor, ownsHandle: true), FileAccess.Read, 0);
    }

    [LibraryImport("libc", EntryPoint = "open")]
    private static partial int Open(in byte path, int flags);
}
