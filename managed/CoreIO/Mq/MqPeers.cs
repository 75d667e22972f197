// Who is at a queue: processes blocked in its calls, and, for a POSIX queue, those that have it open. The kernel keeps no such list; it is
// put together from /proc/PID/fd and /proc/PID/task/TID/syscall, as far as this process may read them, and what it may not is counted.
using System.Globalization;
using System.Runtime.InteropServices;

namespace CoreIO.Mq;

/// <summary>What a process does at a queue.</summary>
public enum MqPeerState
{
    /// <summary>Has it open, and is elsewhere.</summary>
    Open = 0,

    /// <summary>Blocked in a call that sends.</summary>
    Sending = 1,

    /// <summary>Blocked in a call that receives.</summary>
    Receiving = 2,

    /// <summary>Has it open, and waits for descriptors: this one may be among them.</summary>
    Polling = 3,
}

/// <summary>A process at a queue.</summary>
/// <param name="ProcessId">Its id.</param>
/// <param name="Name">Its command's name.</param>
/// <param name="State">What it does, the most telling of its threads.</param>
/// <param name="Threads">Threads that do so; 0 for <see cref="MqPeerState.Open"/>.</param>
public readonly record struct MqPeer(int ProcessId, string Name, MqPeerState State, int Threads);

/// <summary>The processes at a queue.</summary>
/// <param name="Peers">By process id, this process left out.</param>
/// <param name="Hidden">Processes whose descriptors or calls this one may not see.</param>
public sealed record MqPeerList(IReadOnlyList<MqPeer> Peers, int Hidden);

/// <summary>Finds the processes at a queue.</summary>
public static class MqPeers
{
    // Numbers of system calls on this machine: x86-64 has its own, all later ones share theirs.
    private static readonly bool IsX64 = RuntimeInformation.ProcessArchitecture == Architecture.X64;
    private static readonly int PosixSend = IsX64 ? 242 : 182;
    private static readonly int PosixReceive = IsX64 ? 243 : 183;
    private static readonly int SysVSend = IsX64 ? 69 : 189;
    private static readonly int SysVReceive = IsX64 ? 70 : 188;
    private static readonly int[] Polls = IsX64 ? [7, 271, 23, 270, 232, 281, 441] : [73, 72, 22, 441];

    /// <summary>Processes that have the POSIX queue open behind <paramref name="handle"/>.</summary>
    public static MqPeerList OfPosix(Microsoft.Win32.SafeHandles.SafeFileHandle handle)
    {
        ArgumentNullException.ThrowIfNull(handle);
        return FileOwner.Of(handle) is FileOwner queue
            ? Find(process => OfPosix(process, queue.File))
            : new MqPeerList([], 0);
    }

    /// <summary>Processes blocked in a call on the System V queue <paramref name="id"/>. One that tries again and again is not seen.</summary>
    public static MqPeerList OfSysV(int id) => Find(process => OfSysV(process, id));

    /// <summary>The call a thread is blocked in and its first argument, from what /proc says: <c>243 0x3 0x7f..</c>, or <c>running</c>.</summary>
    internal static (int Call, long Argument)? ParseCall(string text)
    {
        string[] words = text.Split(' ', 3);
        return words.Length >= 2 && int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out int call)
            && words[1].StartsWith("0x", StringComparison.Ordinal)
            && long.TryParse(words[1].AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long argument)
            ? (call, argument) : null;
    }

    private static MqPeerList Find(Func<int, (MqPeerState? State, int Threads, bool Hidden)> look)
    {
        List<MqPeer> peers = [];
        int hidden = 0;
        foreach (string name in ProcText.Names("/proc"))
        {
            if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int process) || process == Environment.ProcessId)
            {
                continue;
            }

            (MqPeerState? state, int threads, bool isHidden) = look(process);
            hidden += isHidden ? 1 : 0;
            if (state is MqPeerState known)
            {
                peers.Add(new MqPeer(process, MqNames.Process(process) ?? MqNames.Gone, known, threads));
            }
        }

        return new MqPeerList([.. peers.OrderBy(peer => peer.ProcessId)], hidden);
    }

    private static (MqPeerState?, int, bool) OfPosix(int process, FileId queue)
    {
        HashSet<long> descriptors = [];
        string folder = $"/proc/{process}/fd";
        string[] names;
        try
        {
            names = [.. Directory.EnumerateFileSystemEntries(folder)];
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            return (null, 0, e is UnauthorizedAccessException);
        }

        foreach (string path in names)
        {
            if (ProcText.Link(path) is ['/', ..] && FileOwner.Of(path)?.File == queue
                && long.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out long descriptor))
            {
                descriptors.Add(descriptor);
            }
        }

        return descriptors.Count == 0 ? (null, 0, false) : State(process, MqPeerState.Open, (call, argument) =>
            Array.IndexOf(Polls, call) >= 0 ? MqPeerState.Polling
            : !descriptors.Contains(argument) ? null
            : call == PosixReceive ? MqPeerState.Receiving
            : call == PosixSend ? MqPeerState.Sending : null);
    }

    private static (MqPeerState?, int, bool) OfSysV(int process, int id) => State(process, null, (call, argument) =>
        argument != id ? null : call == SysVReceive ? MqPeerState.Receiving : call == SysVSend ? MqPeerState.Sending : null);

    // A blocked thread tells more than one that polls, and that more than an open descriptor.
    private static (MqPeerState?, int, bool) State(int process, MqPeerState? otherwise, Func<int, long, MqPeerState?> of)
    {
        Dictionary<MqPeerState, int> threads = [];
        bool hidden = false;
        foreach (string thread in ProcText.Names($"/proc/{process}/task"))
        {
            string? text;
            try
            {
                text = File.ReadAllText($"/proc/{process}/task/{thread}/syscall");
            }
            catch (UnauthorizedAccessException)
            {
                hidden = true;
                break;
            }
            catch (IOException)
            {
                continue;
            }

            if (ParseCall(text) is (int call, long argument) && of(call, argument) is MqPeerState state)
            {
                threads[state] = threads.GetValueOrDefault(state) + 1;
            }
        }

        foreach (MqPeerState state in (MqPeerState[])[MqPeerState.Receiving, MqPeerState.Sending, MqPeerState.Polling])
        {
            if (threads.TryGetValue(state, out int count))
            {
                return (state, count, hidden);
            }
        }

        return (otherwise, 0, hidden);
    }
}
