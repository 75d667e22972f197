// Writes a bench of queues as the one JSON document of docs/json.md: whole picoseconds and bytes.
using System.Text.Json;
using CoreIO.Log;
using CoreIO.Log.Bench;

namespace CoreIO.Mq.Bench;

/// <summary>Writes benches of queues as JSON.</summary>
public static class MqBenchJson
{
    /// <summary>Writes the document, and a newline.</summary>
    public static void Write(Stream output, MqBenchResult result)
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
        json.WriteString("kernel"u8, result.Kernel);
        json.WriteString("load"u8, result.Load);
        json.WriteStartArray("cpus"u8);
        foreach (int cpu in result.Cpus)
        {
            json.WriteNumberValue(cpu);
        }

        json.WriteEndArray();
        json.WriteNumber("count"u8, result.Count);
        json.WriteNumber("repeats"u8, result.Repeats);
        json.WriteNumber("posix_depth"u8, result.PosixDepth);
        json.WriteNumber("sysv_bytes"u8, result.SysVBytes);
        json.WriteStartArray("notes"u8);
        foreach (string note in result.Notes)
        {
            json.WriteStringValue(note);
        }

        json.WriteEndArray();
        json.WriteStartArray("rows"u8);
        foreach (MqBenchRow row in result.Rows)
        {
            WriteRow(json, row);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        output.WriteByte((byte)'\n');
    }

    /// <summary>What a work is called: <c>round_trip</c>.</summary>
    public static string NameOf(MqBenchWork work) => work switch
    {
        MqBenchWork.Pair => "pair",
        MqBenchWork.RoundTrip => "round_trip",
        MqBenchWork.Spin => "spin",
        MqBenchWork.OneWay => "one_way",
        _ => "batch",
    };

    private static void WriteRow(Utf8JsonWriter json, MqBenchRow row)
    {
        json.WriteStartObject();
        json.WriteString("work"u8, NameOf(row.Work));
        json.WriteString("transport"u8, row.Transport);
        json.WriteNumber("size"u8, row.Size);
        json.WriteString("who"u8, row.Who);
        json.WriteBoolean("one_process"u8, row.IsOneProcess);
        LogBenchJson.WriteSpread(json, "ps", row.Ps);
        LogBenchJson.WriteSpread(json, "p99_ps", row.P99Ps);
        json.WritePropertyName("allocated_per_thousand"u8);
        if (row.AllocatedPerThousand is long allocated)
        {
            json.WriteNumberValue(allocated);
        }
        else
        {
            json.WriteNullValue();
        }

        json.WriteNumber("crossings_per_thousand"u8, row.CrossingsPerThousand);
        json.WriteEndObject();
    }
}
