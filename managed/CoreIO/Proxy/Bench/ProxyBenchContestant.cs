// Who is measured: how each is found, and started at its best for a work. What is best for bulk (splice, large buffers) is worse for small
// messages and idle connections, so the configuration is that of the row.
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace CoreIO.Proxy.Bench;

/// <summary>What a contestant is asked for.</summary>
internal sealed record ProxyBenchTask(ProxyBenchWork Work, int Port, int Upstream, int Connections, string Folder)
{
    /// <summary>The CPUs its workers are pinned to, one each; none where there are fewer than workers.</summary>
    public IReadOnlyList<int> Cpus { get; } =
        CoreBackends.Default.Cpu.Allowed() is { } allowed && allowed.Count >= Work.Workers ? [.. allowed.Take(Work.Workers)] : [];
}

internal abstract class ProxyBenchContestant(string name)
{
    /// <summary>Names, in the order of the tables.</summary>
    public static readonly string[] Names = [ProxyBenchRow.Direct, CoreBackends.NativeName, CoreBackends.ManagedName, "haproxy", "nginx", "socat"];

    public string Name { get; } = name;

    /// <summary>What it calls itself.</summary>
    public string Version { get; protected init; } = "";

    /// <summary>Finds a contestant; the message of the fault says what is missing.</summary>
    public static ProxyBenchContestant Find(string name, ProcessStartInfo? program) => name switch
    {
        ProxyBenchRow.Direct => new DirectContestant(),
        "haproxy" => new HAProxyContestant(),
        "nginx" => new NginxContestant(),
        "socat" => new SocatContestant(),
        _ => new CoreIOContestant(name, program ?? throw new ProxyBenchFault("the program that runs it is not known")),
    };

    public virtual bool TakesPart(ProxyBenchWork work) => true;

    /// <summary>How it is started; null when nothing is.</summary>
    public abstract ProcessStartInfo? Command(ProxyBenchTask task);

    protected static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>The path of a program: in PATH, or where services are.</summary>
    protected static string Locate(string program, string package)
    {
        string path = Environment.GetEnvironmentVariable("PATH") ?? "";
        return path.Split(':', StringSplitOptions.RemoveEmptyEntries).Concat(["/usr/sbin", "/usr/local/sbin"])
            .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists)
            ?? throw new ProxyBenchFault($"not installed (Debian: {package})");
    }

    /// <summary>What a program says about itself, on both outputs.</summary>
    protected static string Ask(string program, string option)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, [option]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            Task<string> errors = process.StandardError.ReadToEndAsync();
            string text = process.StandardOutput.ReadToEnd() + errors.GetAwaiter().GetResult();
            process.WaitForExit();
            return text;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new ProxyBenchFault($"{program} does not start: {e.Message}");
        }
    }

    /// <summary>The first version in a text, behind a name.</summary>
    protected static string VersionIn(string text, string name) =>
        Regex.Match(text, @"\d+\.\d+[^\s]*") is { Success: true } match ? $"{name} {match.Value}" : name;
}

/// <summary>No proxy: the floor of rates and latencies.</summary>
internal sealed class DirectContestant : ProxyBenchContestant
{
    public DirectContestant()
        : base(ProxyBenchRow.Direct) => Version = "no proxy";

    public override bool TakesPart(ProxyBenchWork work) => !work.IsHeld;

    public override ProcessStartInfo? Command(ProxyBenchTask task) => null;
}

/// <summary>This program, with one of its backends.</summary>
internal sealed class CoreIOContestant : ProxyBenchContestant
{
    private readonly ProcessStartInfo _program;

    public CoreIOContestant(string backend, ProcessStartInfo program)
        : base(backend)
    {
        _program = program;
        Version = $"coreio {typeof(CoreIOContestant).Assembly.GetName().Version?.ToString(3)}";
    }

    public override ProcessStartInfo Command(ProxyBenchTask task) => new(_program.FileName,
    [
        .. _program.ArgumentList, "proxy", "--listen", $"127.0.0.1:{Text(task.Port)}", "--to", $"127.0.0.1:{Text(task.Upstream)}",
        "--workers", Text(task.Work.Workers), .. task.Cpus.Count > 0 ? (string[])["--cpus", string.Join(',', task.Cpus)] : [],
        "--backend", Name, "--drain", "1s",
    ]);
}

/// <summary>HAProxy: for bulk with forced splice and pipes of 1 MiB, else without splice.</summary>
internal sealed class HAProxyContestant : ProxyBenchContestant
{
    private readonly string _program = Locate("haproxy", "haproxy");

    public HAProxyContestant()
        : base("haproxy") => Version = VersionIn(Ask(_program, "-v"), "HAProxy");

    public override ProcessStartInfo Command(ProxyBenchTask task)
    {
        string config = Path.Combine(task.Folder, "haproxy.cfg");
        bool splices = task.Work.IsBulk;
        string pins = string.Join("\n  ", task.Cpus.Select((cpu, i) => $"cpu-map 1/{i + 1} {cpu}"));
        File.WriteAllText(config, $"""
            global
              nbthread {task.Work.Workers}
              maxconn {task.Connections + 200}
              {pins}
              {(splices ? "tune.pipesize 1048576" : "")}
            defaults
              mode tcp
              {(splices ? "option splice-request" : "")}
              {(splices ? "option splice-response" : "")}
              timeout connect 5s
              timeout client 1h
              timeout server 1h
            listen all
              bind 127.0.0.1:{task.Port} backlog 4096
              server one 127.0.0.1:{task.Upstream}

            """);
        return new ProcessStartInfo(_program, ["-db", "-f", config]);
    }
}

/// <summary>nginx with its stream module: for bulk with buffers of 64 KiB, else with its own 16 KiB.</summary>
internal sealed class NginxContestant : ProxyBenchContestant
{
    private readonly string _program = Locate("nginx", "nginx libnginx-mod-stream");
    private readonly string _load = "";

    public NginxContestant()
        : base("nginx")
    {
        string built = Ask(_program, "-V");
        Version = VersionIn(built, "nginx");
        if (built.Contains("--with-stream=dynamic", StringComparison.Ordinal))
        {
            string folder = Regex.Match(built, @"--modules-path=(\S+)").Groups[1].Value;
            string module = Path.Combine(folder, "ngx_stream_module.so");
            _load = File.Exists(module)
                ? $"load_module {module};"
                : throw new ProxyBenchFault("its stream module is not installed (Debian: libnginx-mod-stream)");
        }
        else if (!Regex.IsMatch(built, @"--with-stream(\s|$)"))
        {
            throw new ProxyBenchFault("built without its stream module");
        }
    }

    public override ProcessStartInfo Command(ProxyBenchTask task)
    {
        string config = Path.Combine(task.Folder, "nginx.conf");
        // A mask of bits for each worker, CPU 0 the last.
        string pins = task.Cpus.Count == 0 ? ""
            : $"worker_cpu_affinity {string.Join(' ', task.Cpus.Select(cpu => "1".PadRight(cpu + 1, '0')))};";
        File.WriteAllText(config, $$"""
            {{_load}}
            worker_processes {{task.Work.Workers}};
            {{pins}}
            daemon off;
            pid {{task.Folder}}/nginx.pid;
            error_log stderr error;
            events { worker_connections {{(2 * task.Connections) + 400}}; }
            stream {
              proxy_timeout 1h;
              proxy_buffer_size {{(task.Work.IsBulk ? "64k" : "16k")}};
              server { listen 127.0.0.1:{{task.Port}} reuseport backlog=4096; proxy_pass 127.0.0.1:{{task.Upstream}}; }
            }

            """);
        return new ProcessStartInfo(_program, ["-p", task.Folder, "-e", "stderr", "-c", config]);
    }
}

/// <summary>socat, a process for each connection: held connections are left out.</summary>
internal sealed class SocatContestant : ProxyBenchContestant
{
    private readonly string _program = Locate("socat", "socat");

    public SocatContestant()
        : base("socat") => Version = VersionIn(Ask(_program, "-V"), "socat");

    public override bool TakesPart(ProxyBenchWork work) => !work.IsHeld;

    public override ProcessStartInfo Command(ProxyBenchTask task) => new(_program,
    [
        "-b", task.Work.IsBulk ? "65536" : "8192", $"TCP4-LISTEN:{Text(task.Port)},bind=127.0.0.1,fork,reuseaddr,backlog=4096",
        $"TCP4:127.0.0.1:{Text(task.Upstream)}",
    ]);
}
