// `coreio cpu`: the machine as the workers see it, and a proof that pinning works: a thread is pinned to each allowed CPU and asks the
// kernel where it runs.
using System.Text.Json;
using CoreIO.Cli.Shell;
using CoreIO.Cli.Show;
using CoreIO.Cpu;
using CoreIO.Log;

namespace CoreIO.Cli.Commands;

internal static class CpuCommand
{
    public static CliVerb Verb { get; } = new("cpu", "topology, instruction sets, kernels, and a proof of pinning")
    {
        Run = Run,
        Options =
        [
            new("json", null, "one JSON document"),
            LogCommand.Backend with { Group = "Options", Summary = "pin through native (default) or managed" },
            new("color", "WHEN", "auto (default), always, never") { Choices = ["auto", "always", "never"] },
        ],
        Notes = ["Exit codes: 0 each pinned thread was found where it was asked to run, 2 not so."],
    };

    /// <summary>A thread that was asked to run on one CPU.</summary>
    /// <param name="Asked">The CPU.</param>
    /// <param name="Place">Where it was found; null when it could not be pinned.</param>
    /// <param name="Fault">Why not.</param>
    private sealed record Pinned(int Asked, CpuPlace? Place, string? Fault)
    {
        public bool IsRight => Place is CpuPlace place && place.Pinned && place.Cpu == Asked;
    }

    private static int Run(CliArguments arguments)
    {
        ICoreBackend backend = LogCommand.BackendOf(arguments);
        bool color = Terminal.UseColor(arguments);
        IReadOnlyList<CpuCore> cores = backend.Cpu.Topology();
        List<Pinned> pinned = PinEach(backend.Cpu);
        using Stream output = StandardOutput.Open();
        if (arguments.Has("json"))
        {
            WriteJson(output, backend, cores, pinned);
        }
        else
        {
            using Page page = new(output, color);
            Show(page, backend, cores, pinned);
        }

        output.Flush();
        return pinned.All(p => p.IsRight) ? ExitCode.Done : ExitCode.Failure;
    }

    // Each on a thread of its own, so that this one keeps the CPUs it may run on.
    private static List<Pinned> PinEach(ICpuBackend cpu)
    {
        List<Pinned> pinned = [];
        foreach (int asked in cpu.Allowed())
        {
            Thread thread = new(() =>
            {
                try
                {
                    pinned.Add(new Pinned(asked, cpu.Pin(asked), null));
                }
                catch (CoreIOException e)
                {
                    pinned.Add(new Pinned(asked, null, e.Message));
                }
            })
            { Name = "coreio-pin" };
            thread.Start();
            thread.Join();
        }

        return pinned;
    }

    private static void Show(Page page, ICoreBackend backend, IReadOnlyList<CpuCore> cores, List<Pinned> pinned)
    {
        string features = string.Join(' ', FeatureNames(backend.Cpu.Features));
        page.Line($"instruction sets: {(features.Length == 0 ? "none of those that matter" : features)}");
        foreach (CoreBackendInfo info in CoreBackends.Available)
        {
            page.Line($"{info.Name} kernels: {(info.Backend is null ? info.Reason : Kernels(info.Backend.Log))}");
        }

        page.Line();
        page.Rows(
            [.. ((string[])["cpu", "core", "package", "node", "allowed", "max MHz", "L2 KiB", "L3 KiB"]).Select(n =>
                new PageColumn(n, true))],
            cores.Select(c => (IReadOnlyList<string>)
                [Number(c.Cpu), Number(c.Core), Number(c.Package), Number(c.Node),
                    c.Allowed ? "yes" : "no", Number(c.MaxMhz), Number(c.L2KiB), Number(c.L3KiB)]));
        page.Line();
        page.Line($"a thread pinned to each allowed CPU, through the {backend.Name} backend:");
        page.Rows(
            [new("thread id", true), new("asked", true), new("found", true), new("node", true), new("pinned", false)],
            pinned.Select(p => (IReadOnlyList<string>)(p.Place is CpuPlace place
                ? [Number(place.ThreadId), Number(p.Asked), Number(place.Cpu), Number(place.Node), p.IsRight ? "yes" : "NO"]
                : ["-", Number(p.Asked), "-", "-", LogText.Escape(p.Fault!)])),
            row => pinned[row].IsRight ? PageTone.Plain : PageTone.Bad);
    }

    private static void WriteJson(Stream output, ICoreBackend backend, IReadOnlyList<CpuCore> cores, List<Pinned> pinned)
    {
        using Utf8JsonWriter json = new(output, LogReportJson.WriterOptions);
        json.WriteStartObject();
        json.WriteNumber("schema"u8, LogReportJson.Schema);
        json.WriteString("backend"u8, backend.Name);
        json.WriteStartArray("features"u8);
        foreach (string feature in FeatureNames(backend.Cpu.Features))
        {
            json.WriteStringValue(feature);
        }

        json.WriteEndArray();
        DoctorCommand.WriteBackends(json);
        json.WriteStartArray("cpus"u8);
        foreach (CpuCore core in cores)
        {
            json.WriteStartObject();
            json.WriteNumber("cpu"u8, core.Cpu);
            Known(json, "core", core.Core);
            Known(json, "package", core.Package);
            Known(json, "node", core.Node);
            json.WriteBoolean("allowed"u8, core.Allowed);
            Known(json, "max_mhz", core.MaxMhz);
            Known(json, "l2_kib", core.L2KiB);
            Known(json, "l3_kib", core.L3KiB);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("pinned"u8);
        foreach (Pinned pin in pinned)
        {
            json.WriteStartObject();
            json.WriteNumber("asked"u8, pin.Asked);
            Known(json, "thread_id", pin.Place?.ThreadId ?? -1);
            Known(json, "found", pin.Place?.Cpu ?? -1);
            Known(json, "node", pin.Place?.Node ?? -1);
            json.WriteBoolean("pinned"u8, pin.IsRight);
            json.WriteString("fault"u8, pin.Fault);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        output.WriteByte((byte)'\n');
    }

    // A number the kernel does not tell is null.
    private static void Known(Utf8JsonWriter json, string name, int value)
    {
        if (value < 0)
        {
            json.WriteNull(name);
        }
        else
        {
            json.WriteNumber(name, value);
        }
    }

    private static string Number(int value) => value < 0 ? "-" : value.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static string Kernels(ILogBackend log) =>
        string.Join(' ', log.Kernels.Select(k => k.Supported ? k.Name : $"({k.Name}: not here)"));

    private static IEnumerable<string> FeatureNames(CpuFeatures features) =>
        Enum.GetValues<CpuFeatures>().Where(f => f != CpuFeatures.None && features.HasFlag(f)).Select(f => f.ToString().ToLowerInvariant());
}
