// `coreio doctor`: what works here, what does not and why, and the limits an operator meets, each with how to change it. A backend is not
// trusted because it loads: each one answers a question whose answer is known.
using System.Text.Json;
using CoreIO.Cli.Shell;
using CoreIO.Cli.Show;
using CoreIO.Log;

namespace CoreIO.Cli.Commands;

internal static class DoctorCommand
{
    public static CliVerb Verb { get; } = new("doctor", "what works here, what does not, and the limits that matter")
    {
        Run = Run,
        Options =
        [
            new("json", null, "one JSON document"),
            new("color", "WHEN", "auto (default), always, never") { Choices = ["auto", "always", "never"] },
        ],
        Notes = ["Exit codes: 0 all is well, 2 something is broken."],
    };

    /// <summary>A backend after its test.</summary>
    private sealed record Patient(CoreBackendInfo Info, string? Fault)
    {
        // A build without the native backend is whole as it is.
        public bool IsBroken => Fault is not null
            && (Info.Backend is not null || CoreBackends.HasNative || Info.Name != CoreBackends.NativeName);
    }

    private static int Run(CliArguments arguments)
    {
        bool color = Terminal.UseColor(arguments);
        List<Patient> patients = [.. CoreBackends.Available.Select(info =>
            new Patient(info, info.Backend is null ? info.Reason : Test(info.Backend)))];
        bool isBroken = patients.Exists(p => p.IsBroken);
        using Stream output = StandardOutput.Open();
        if (arguments.Has("json"))
        {
            WriteJson(output, patients, isBroken);
        }
        else
        {
            using Page page = new(output, color);
            Show(page, patients, isBroken);
        }

        output.Flush();
        return isBroken ? ExitCode.Failure : ExitCode.Done;
    }

    /// <summary>Asks a backend a question whose answer is known, by every kernel this machine can run; null when all is right.</summary>
    internal static string? Test(ICoreBackend backend)
    {
        try
        {
            foreach (LogKernel kernel in backend.Log.Kernels.Where(k => k.Supported))
            {
                using ILogFormat format = backend.Log.CompileFormat("common");
                LogQuery query = new() { Format = format, Tables = [new LogTable { By = ["status"], Stats = ["count", "sum(bytes)"] }] };
                using ILogScan scan = backend.Log.CreateScan(query, new LogScanOptions { Workers = 1, Kernel = kernel.Name });
                scan.Feed("192.0.2.1 - - [27/Feb/2023:11:53:25 +0800] \"GET / HTTP/1.1\" 200 7\nno such line\n"u8);
                scan.EndFeed();
                LogAnswer answer = scan.Finish();
                LogTableAnswer table = answer.Tables[0];
                if (answer is not { Lines: 2, Parsed: 1, Rejected: 1 }
                    || table.Groups.Length != 1 || table.Cell(table.Groups[0], 1).Value != 7)
                {
                    return $"the kernel {kernel.Name} answers a known question wrongly; force another with --kernel, and report this";
                }
            }

            return null;
        }
        catch (CoreIOException e)
        {
            return e.Message;
        }
    }

    /// <summary>The member <c>backends</c>, which <c>coreio cpu</c> has, too.</summary>
    internal static void WriteBackends(Utf8JsonWriter json)
    {
        json.WriteStartArray("backends"u8);
        foreach (CoreBackendInfo info in CoreBackends.Available)
        {
            WriteBackend(json, info, info.Reason);
        }

        json.WriteEndArray();
    }

    private static void WriteBackend(Utf8JsonWriter json, CoreBackendInfo info, string? fault)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, info.Name);
        json.WriteBoolean("available"u8, info.Backend is not null);
        json.WriteBoolean("default"u8, info.Backend == CoreBackends.Default);
        json.WriteString("fault"u8, fault);
        json.WriteString("library"u8, info.LibraryPath);
        json.WriteString("version"u8, info.LibraryVersion?.ToString());
        json.WritePropertyName("abi"u8);
        if (info.LibraryAbi is int abi)
        {
            json.WriteNumberValue(abi);
        }
        else
        {
            json.WriteNullValue();
        }

        json.WriteStartArray("kernels"u8);
        foreach (LogKernel kernel in info.Backend?.Log.Kernels ?? [])
        {
            json.WriteStartObject();
            json.WriteString("name"u8, kernel.Name);
            json.WriteBoolean("supported"u8, kernel.Supported);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Show(Page page, List<Patient> patients, bool isBroken)
    {
        page.Line(Cli.Version);
        foreach (Patient patient in patients)
        {
            CoreBackendInfo info = patient.Info;
            string mark = info.Backend is not null && info.Backend == CoreBackends.Default ? " (default)" : "";
            page.Line($"{info.Name} backend{mark}: {(patient.Fault is null ? "answers rightly" : LogText.Escape(patient.Fault))}",
                patient.IsBroken ? PageTone.Bad : patient.Fault is null ? PageTone.Good : PageTone.Warning);
            if (info.LibraryPath is not null)
            {
                page.Line($"  library {LogText.Escape(info.LibraryPath)}, version {info.LibraryVersion}, ABI {info.LibraryAbi}");
            }

            if (info.Backend is not null)
            {
                page.Line("  kernels " + string.Join(' ', info.Backend.Log.Kernels.Select(k =>
                    k.Supported ? k.Name : $"({k.Name}: not here)")));
            }
        }

        page.Line();
        page.Line("limits", PageTone.Strong);
        foreach (Limit limit in Limits.Read())
        {
            page.Line($"  {limit.Name,-22} {limit.Value ?? "not to be read here",-22} {limit.For}");
            page.Line($"  {"",-22} {limit.Change}", PageTone.Quiet);
        }

        page.Line();
        page.Line("capabilities", PageTone.Strong);
        foreach ((string name, string use, bool has) in Limits.ReadCapabilities() ?? [])
        {
            page.Line($"  {name,-22} {(has ? "yes" : "no"),-22} {use}");
            if (!has)
            {
                page.Line($"  {"",-22} {Grant(name)}", PageTone.Quiet);
            }
        }

        if (isBroken)
        {
            page.Line();
            page.Line("something is broken, see above", PageTone.Bad);
        }
    }

    private static string Grant(string capability) =>
        $"AmbientCapabilities={capability} in a systemd unit, --cap-add {capability[4..]} of a container";

    private static void WriteJson(Stream output, List<Patient> patients, bool isBroken)
    {
        using Utf8JsonWriter json = new(output, LogReportJson.WriterOptions);
        json.WriteStartObject();
        json.WriteNumber("schema"u8, LogReportJson.Schema);
        json.WriteString("version"u8, Cli.Version.Split(' ')[1]);
        json.WriteBoolean("broken"u8, isBroken);
        json.WriteStartArray("backends"u8);
        foreach (Patient patient in patients)
        {
            WriteBackend(json, patient.Info, patient.Fault);
        }

        json.WriteEndArray();
        json.WriteStartArray("limits"u8);
        foreach (Limit limit in Limits.Read())
        {
            json.WriteStartObject();
            json.WriteString("name"u8, limit.Name);
            json.WriteString("value"u8, limit.Value);
            json.WriteString("for"u8, limit.For);
            json.WriteString("change"u8, limit.Change);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("capabilities"u8);
        foreach ((string name, string use, bool has) in Limits.ReadCapabilities() ?? [])
        {
            json.WriteStartObject();
            json.WriteString("name"u8, name);
            json.WriteBoolean("has"u8, has);
            json.WriteString("for"u8, use);
            json.WriteString("change"u8, Grant(name));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        output.WriteByte((byte)'\n');
    }
}
