// Writes a bench of proxies as the one JSON document of docs/json.md: whole nanoseconds and bytes.
using System.Text.Json;
using CoreIO.Log;
using CoreIO.Log.Bench;

namespace CoreIO.Proxy.Bench;

/// <summary>Writes benches of proxies as JSON.</summary>
public static class ProxyBenchJson
{
    /// <summary>Writes the document, and a newline.</summary>
    public static void Write(Stream output, ProxyBenchResult result)
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
        json.WriteString("congestion"u8, result.Congestion);
        json.WriteString("cpu_clock"u8, result.CpuIsExact ? "ns" : "ticks");
        json.WriteNumber("time_ns"u8, result.TimeNs);
        json.WriteNumber("repeats"u8, result.Repeats);
        WriteParties(json, "contestants", "version", result.Contestants);
        WriteParties(json, "absent", "reason", result.Absent);
        json.WriteStartArray("notes"u8);
        foreach (string note in result.Notes)
        {
            json.WriteStringValue(note);
        }

        json.WriteEndArray();
        json.WriteStartArray("rows"u8);
        foreach (ProxyBenchRow row in result.Rows)
        {
            WriteRow(json, row);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        output.WriteByte((byte)'\n');
    }

    private static void WriteParties(Utf8JsonWriter json, string name, string text, IReadOnlyList<ProxyBenchParty> parties)
    {
        json.WriteStartArray(name);
        foreach (ProxyBenchParty party in parties)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, party.Name);
            json.WriteString(text, party.Text);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteRow(Utf8JsonWriter json, ProxyBenchRow row)
    {
        json.WriteStartObject();
        json.WriteString("work"u8, row.Work);
        json.WriteString("congestion"u8, row.Congestion);
        json.WriteString("who"u8, row.Who);
        json.WriteString("fault"u8, row.Fault);
        json.WriteNumber("sent"u8, row.Sent);
        json.WriteNumber("received"u8, row.Received);
        LogBenchJson.WriteSpread(json, "cpu_ns", row.CpuNs);
        LogBenchJson.WriteSpread(json, "per_second", row.PerSecond);
        LogBenchJson.WriteSpread(json, "p50_ns", row.P50Ns);
        LogBenchJson.WriteSpread(json, "p99_ns", row.P99Ns);
        LogBenchJson.WriteSpread(json, "bytes_per_connection", row.BytesPerConnection);
        LogBenchJson.WriteSpread(json, "base_bytes", row.BaseBytes);
        WriteNumber(json, "connections", row.Connections);
        LogBenchJson.WriteSpread(json, "busiest", row.Busiest);
        if (row.WorkerConnections is { } workers)
        {
            json.WriteStartArray("worker_connections"u8);
            foreach (int count in workers)
            {
                json.WriteNumberValue(count);
            }

            json.WriteEndArray();
        }
        else
        {
            json.WriteNull("worker_connections"u8);
        }

        WriteNumber(json, "shared_connections", row.SharedConnections);
        json.WriteEndObject();
    }

    private static void WriteNumber(Utf8JsonWriter json, string name, int? number)
    {
        if (number is int known)
        {
            json.WriteNumber(name, known);
        }
        else
        {
            json.WriteNull(name);
        }
    }
}
