// Another process on the same queue: with this library, or one of the machine's tools. What a test needs and the machine has not skips it
// by name.
using System.Diagnostics;

namespace CoreIO.Tests.Mq;

internal sealed class Peer : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _errors;

    private Peer(IReadOnlyList<string> command)
    {
        _process = Process.Start(new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _errors = _process.StandardError.ReadToEndAsync();
    }

    public int Id => _process.Id;

    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "CoreIO.Mq.Peer.dll");

    public static IReadOnlyList<string> Nobody { get; } = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

    /// <summary>Root without CAP_SYS_ADMIN.</summary>
    public static IReadOnlyList<string> NoMounting { get; } = ["setpriv", "--bounding-set=-sys_admin"];

    /// <summary>Starts the peer; <paramref name="launcher"/> stands before it.</summary>
    public static Peer Start(string backend, string[] arguments, IReadOnlyList<string>? launcher = null) =>
        new([.. launcher ?? [], "dotnet", Program, backend, .. arguments]);

    /// <summary>The lines the peer prints until its end.</summary>
    public static string[] Run(string backend, string[] arguments, IReadOnlyList<string>? launcher = null)
    {
        using Peer peer = Start(backend, arguments, launcher);
        return peer.Lines();
    }

    /// <summary>The lines a tool prints.</summary>
    public static string[] Tool(params string[] command)
    {
        using Peer peer = new(command);
        return peer.Lines();
    }

    /// <summary>Whether a command ends well.</summary>
    public static bool Works(params string[] command)
    {
        using Peer peer = new(command);
        _ = peer._process.StandardOutput.ReadToEnd();
        peer._process.WaitForExit();
        return peer._process.ExitCode == 0;
    }

    /// <summary>In an IPC namespace of its own, with limits set in a shell before.</summary>
    public static string[] InNamespace(string backend, string[] arguments, params string[] limits) => InNamespace(backend, arguments, limits, []);

    /// <summary>Likewise, behind a <paramref name="launcher"/> that is not in the way of setting the limits.</summary>
    public static string[] InNamespace(string backend, string[] arguments, string[] limits, string[] launcher)
    {
        NeedTool("unshare");
        NeedRoot();
        string set = string.Concat(limits.Select(limit => $"echo {limit.Split('=')[1]} > /proc/sys/{limit.Split('=')[0]} && "));
        return Run(backend, arguments, ["unshare", "-i", "sh", "-c", $"{set}exec \"$@\"", "sh", .. launcher]);
    }

    public static void NeedRoot()
    {
        if (Environment.UserName != "root")
        {
            Assert.Ignore("only root may become somebody else or make an IPC namespace");
        }
    }

    public static void NeedTool(string tool)
    {
        string[] folders = ["/bin", "/usr/bin", "/sbin", "/usr/sbin"];
        if (!folders.Any(folder => File.Exists(Path.Combine(folder, tool))))
        {
            Assert.Ignore($"there is no {tool}");
        }
    }

    /// <summary>Skips where another user cannot run this build: the folder may be closed to him.</summary>
    public static void NeedNobody(string backend)
    {
        NeedRoot();
        NeedTool("setpriv");
        using Peer peer = Start(backend, ["posix-unlink", Unique.Name()], Nobody);
        if (peer._process.StandardOutput.ReadLine() != "ENOENT")
        {
            Assert.Ignore("nobody may not run this build");
        }
    }

    public string? Line() => _process.StandardOutput.ReadLine();

    /// <summary>Waits until its main thread sleeps behind the line that says it is ready.</summary>
    public void WaitUntilBlocked()
    {
        Assert.That(Line(), Is.EqualTo("ready"), () => _errors.Result);
        UntilAsleep($"/proc/{Id}/task/{Id}");
    }

    /// <summary>Waits until this thread (a folder of /proc) sleeps or is gone: asleep twice with a while between is asleep for good.</summary>
    public static void UntilAsleep(string thread)
    {
        long start = Stopwatch.GetTimestamp();
        for (int seen = 0; seen < 3;)
        {
            string stat;
            try
            {
                stat = File.ReadAllText(thread + "/stat");
            }
            catch (IOException)
            {
                return;
            }

            char state = stat[stat.LastIndexOf(')') + 2];
            if (state == 'Z')
            {
                return;
            }

            seen = state == 'S' ? seen + 1 : 0;
            Assert.That(Stopwatch.GetElapsedTime(start), Is.LessThan(TimeSpan.FromSeconds(30)), "it does not block");
            Thread.Sleep(5);
        }
    }

    public void Kill() => _process.Kill();

    /// <summary>The rest of its lines; it must end well.</summary>
    public string[] Lines()
    {
        string output = _process.StandardOutput.ReadToEnd();
        _process.WaitForExit();
        Assert.That(_process.ExitCode, Is.Zero, () => output + _errors.Result);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    public bool WaitForExit(TimeSpan most) => _process.WaitForExit(most);

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }
}
