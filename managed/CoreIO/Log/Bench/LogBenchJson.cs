// Writes a bench as the one JSON document of docs/json.md. Times are whole nanoseconds, sizes bytes; what follows from them by division is
// left to the reader.
using System.Text.Json;

namespace CoreIO.Log.Bench;

/// <summary>Writes benches as JSON.</summary>
public static class LogBenchJson
{
    /// <summary>Writes the document, and a newline.</summary>
    public static void Write(Stream output, LogBenchResult result)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(result);
        using Utf8JsonWriter json = new(output, LogReportJson.WriterOptions);
        json.WriteStartObject();
        json.WriteNumber("schema"u8, LogReportJson.Schema);
        json.WriteString("started"u8, result.StartedAt.ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture));
        json.WriteString("machine"u8, result.Machine);
        json.WriteNumber("machine_cpus"u8, result.MachineCpus);
        json.WriteString("software"u8, result.Software);
        json.WriteStartArray("cpus"u8);
        foreach (int cpu in result.Cpus)
        {
            json.WriteNumberValue(cpu);
        }

        json.WriteEndArray();
        json.WriteNumber("workers"u8, result.Workers);
        json.WriteNumber("repeats"u8, result.Repeats);
        json.WriteStartObject("kernels"u8);
        foreach ((string backend, string kernel) in result.Kernels)
        {
            json.WriteString(backend, kernel);
        }

        json.WriteEndObject();
        json.WriteNumber("crossing_ps"u8, result.CrossingPs);
        json.WriteBoolean("peak_is_of_the_run"u8, result.PeakIsOfTheRun);
        json.WriteStartArray("inputs"u8);
        foreach (LogBenchInputResult input in result.Inputs)
        {
            WriteInput(json, input);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        output.WriteByte((byte)'\n');
    }

    private static void WriteInput(Utf8JsonWriter json, LogBenchInputResult input)
    {
        json.WriteStartObject();
        json.WriteString("source"u8, input.Source);
        json.WriteString("format"u8, input.Format);
        json.WriteNumber("bytes"u8, input.Bytes);
        json.WriteNumber("lines"u8, input.Lines);
        json.WriteStartArray("rows"u8);
        foreach (LogBenchRow row in input.Rows)
        {
            json.WriteStartObject();
            json.WriteString("question"u8, row.Question);
            json.WriteString("text"u8, row.Text);
            json.WriteString("who"u8, row.Who);
            json.WriteString("kernel"u8, row.Kernel);
            WriteSpread(json, "elapsed_ns", row.Elapsed);
            WriteSpread(json, "cpu_ns", row.Cpu);
            WriteKnown(json, "peak_bytes", row.PeakBytes);
            WriteKnown(json, "allocated_bytes", row.AllocatedBytes);
            json.WriteNumber("crossings"u8, row.Crossings);
            json.WriteBoolean("agrees"u8, row.Agrees);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Writes a median with its spread, null for none; all benches have them so.</summary>
    internal static void WriteSpread(Utf8JsonWriter json, string name, LogBenchSpread? spread)
    {
        if (spread is not LogBenchSpread known)
        {
            json.WriteNull(name);
            return;
        }

        json.WriteStartObject(name);
        json.WriteNumber("median"u8, known.Median);
        json.WriteNumber("min"u8, known.Min);
        json.WriteNumber("max"u8, known.Max);
        json.WriteEndObject();
    }

    private static void WriteKnown(Utf8JsonWriter json, string name, long? value)
    {
        if (value is long known)
        {
            json.WriteNumber(name, known);
        }
        else
        {
            json.WriteNull(name);
        }
    }
}
