// The JSON document of a report as it is compared: without what tells how it was made, and with a line for each group and each reason, so
// that a difference is read where it is.
using System.Text;
using System.Text.Json;
using CoreIO.Log;

namespace CoreIO.Tests.Log;

internal static class ReportText
{
    private static readonly string[] HowItWasMade = ["seconds", "backend", "kernel", "workers"];

    /// <summary>The document of the report's first table.</summary>
    public static byte[] Document(LogReport report)
    {
        using MemoryStream bytes = new();
        LogReportJson.Write(bytes, report, report.Tables[0]);
        return bytes.ToArray();
    }

    /// <summary>The members that must be equal, each value exactly as it was written.</summary>
    public static string Compared(ReadOnlyMemory<byte> document)
    {
        using JsonDocument json = JsonDocument.Parse(document);
        StringBuilder text = new("{");
        foreach (JsonProperty member in json.RootElement.EnumerateObject().Where(m => !HowItWasMade.Contains(m.Name)))
        {
            text.Append(text.Length == 1 ? "" : ",").Append('"').Append(member.Name).Append("\":");
            if (member.Value.ValueKind == JsonValueKind.Array && member.Value.GetArrayLength() > 0)
            {
                text.Append("[\n").AppendJoin(",\n", member.Value.EnumerateArray().Select(e => e.GetRawText())).Append("\n]");
            }
            else
            {
                text.Append(member.Value.GetRawText());
            }
        }

        return text.Append("}\n").ToString();
    }
}
