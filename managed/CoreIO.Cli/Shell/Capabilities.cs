// Giving up capabilities(7). They belong to threads, and a runtime has many, started before any code of ours; execve(2) leaves one. So the
// process takes from its bounding set what it does not need, keeps the rest as ambient, and executes itself once more, under the same id.
using System.Globalization;
using System.Runtime.InteropServices;

namespace CoreIO.Cli.Shell;

internal static partial class Capabilities
{
    /// <summary>CAP_NET_BIND_SERVICE: listening on ports below 1024.</summary>
    public const int BindService = 10;

    /// <summary>CAP_NET_ADMIN.</summary>
    public const int NetAdmin = 12;

    /// <summary>CAP_NET_RAW.</summary>
    public const int NetRaw = 13;

    private const string Library = "libc";
    private const int SetProcessCapabilities = 8;
    private const int LastPossible = 63;

    // Of linux/prctl.h, linux/securebits.h and linux/capability.h.
    private const int ReadBounding = 23;
    private const int DropBounding = 24;
    private const int GetSecureBits = 27;
    private const int SetSecureBits = 28;
    private const int Ambient = 47;
    private const nuint AmbientRaise = 2;
    private const nuint AmbientClear = 4;
    private const nuint RootIsNobody = 0b11;
    private const uint Version = 0x20080522;

    /// <summary>What the calling thread may use, a bit a capability; 0 when that cannot be read.</summary>
    public static ulong Effective()
    {
        const string Label = "CapEff:";
        string? line = File.ReadLines("/proc/thread-self/status").FirstOrDefault(l => l.StartsWith(Label, StringComparison.Ordinal));
        return ulong.TryParse(line?[Label.Length..].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong mask) ? mask : 0;
    }

    /// <summary>Whether there is something to give up, and it is up to this process: with CAP_SETPCAP.</summary>
    public static bool HasMore(ulong kept)
    {
        ulong effective = Effective();
        return (effective & ~kept) != 0 && (effective >> SetProcessCapabilities & 1) != 0;
    }

    /// <summary>
    /// Gives up every capability but those of <paramref name="kept"/>, for good, by executing the program again with the same arguments; root is
    /// then a user like others. Where <see cref="HasMore"/>; without CAP_SETPCAP a process was given what it has by somebody who chose. Returns
    /// only when it failed, -errno: the calling thread has lost some of them then.
    /// </summary>
    public static int Keep(ulong kept)
    {
        ulong effective = Effective();
        int bits = Control(GetSecureBits, 0, 0, 0, 0);
        if (bits < 0 || Control(SetSecureBits, (nuint)bits | RootIsNobody, 0, 0, 0) != 0)
        {
            return -Marshal.GetLastPInvokeError();
        }

        for (int i = 0; i <= LastPossible; i++)
        {
            bool has = Control(ReadBounding, (nuint)i, 0, 0, 0) == 1;
            if (has && (kept >> i & 1) == 0 && Control(DropBounding, (nuint)i, 0, 0, 0) != 0)
            {
                return -Marshal.GetLastPInvokeError();
            }
        }

        int status = Inherit(kept, effective);
        return status < 0 ? status : Execute();
    }

    // What is inheritable and ambient lives on in the program that is executed.
    private static int Inherit(ulong kept, ulong effective)
    {
        // struct __user_cap_header_struct, and two of struct __user_cap_data_struct: effective, permitted, inheritable, 32 bits of each.
        ReadOnlySpan<uint> header = [Version, 0];
        ReadOnlySpan<uint> data =
            [(uint)effective, (uint)effective, (uint)kept, (uint)(effective >> 32), (uint)(effective >> 32), (uint)(kept >> 32)];
        if (SetRaw(in header[0], in data[0]) != 0 || Control(Ambient, AmbientClear, 0, 0, 0) != 0)
        {
            return -Marshal.GetLastPInvokeError();
        }

        for (int i = 0; i <= LastPossible; i++)
        {
            if ((kept >> i & 1) == 1 && Control(Ambient, AmbientRaise, (nuint)i, 0, 0) != 0)
            {
                return -Marshal.GetLastPInvokeError();
            }
        }

        return 0;
    }

    // The program and the arguments this process was executed with; only a failure returns.
    private static int Execute()
    {
        string program = File.ResolveLinkTarget("/proc/self/exe", returnFinalTarget: false)!.FullName;
        byte[] arguments = File.ReadAllBytes("/proc/self/cmdline");
        nint copy = Marshal.AllocHGlobal(arguments.Length);
        Marshal.Copy(arguments, 0, copy, arguments.Length);
        // Each ends with a NUL; behind the last pointer stands none.
        nint[] list = new nint[arguments.Count((byte)0) + 1];
        for (int i = 0, next = 0; i < arguments.Length; i += arguments.AsSpan(i).IndexOf((byte)0) + 1)
        {
            list[next++] = copy + i;
        }

        int status = ExecuteRaw(program, list) == 0 ? 0 : -Marshal.GetLastPInvokeError();
        Marshal.FreeHGlobal(copy);
        return status;
    }

    [LibraryImport(Library, EntryPoint = "prctl", SetLastError = true)]
    private static partial int Control(int option, nuint second, nuint third, nuint fourth, nuint fifth);

    [LibraryImport(Library, EntryPoint = "capset", SetLastError = true)]
    private static partial int SetRaw(in uint header, in uint data);

    [LibraryImport(Library, EntryPoint = "execv", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ExecuteRaw(string path, nint[] arguments);
}
