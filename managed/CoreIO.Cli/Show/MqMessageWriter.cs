// A message that was received, on standard output. For a program it is its bytes and a newline, nothing else; on a terminal nothing in it can
// move a cursor, and what is no text is a hex dump; as JSON it is text where it is UTF-8, else base64.
using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using CoreIO.Log;

namespace CoreIO.Cli.Show;

/// <summary>How messages are written.</summary>
internal enum MqMessageForm
{
    /// <summary>The bytes and a newline.</summary>
    Line,

    /// <summary>The bytes alone.</summary>
    Raw,

    /// <summary>Base64 and a newline.</summary>
    Base64,

    /// <summary>For a terminal.</summary>
    Terminal,

    /// <summary>A JSON object a line.</summary>
    Json,

    /// <summary>Likewise, and the message always in base64.</summary>
    JsonBase64,
}

internal sealed class MqMessageWriter(Stream output, MqMessageForm form, string queue, string typeName) : IDisposable
{
    private readonly Utf8JsonWriter? _json =
        form is MqMessageForm.Json or MqMessageForm.JsonBase64 ? new(output, LogReportJson.WriterOptions) : null;

    public void Write(ReadOnlySpan<byte> message, long type)
    {
        switch (form)
        {
            case MqMessageForm.Json or MqMessageForm.JsonBase64:
                WriteJson(_json!, message, type);
                break;
            case MqMessageForm.Base64:
                byte[] text = new byte[Base64.GetMaxEncodedToUtf8Length(message.Length)];
                _ = Base64.EncodeToUtf8(message, text, out _, out int length);
                output.Write(text.AsSpan(0, length));
                break;
            case MqMessageForm.Terminal:
                output.Write(Encoding.UTF8.GetBytes(ForTerminal(message)));
                break;
            default:
                output.Write(message);
                break;
        }

        if (form != MqMessageForm.Raw)
        {
            output.WriteByte((byte)'\n');
        }
    }

    public void Dispose() => _json?.Dispose();

    /// <summary>Text with everything escaped that a terminal would obey; a hex dump of what is no text.</summary>
    internal static string ForTerminal(ReadOnlySpan<byte> message) => message.Contains((byte)0) || !Utf8.IsValid(message)
        ? HexDump.Of(message).TrimEnd('\n')
        : string.Join('\n', LinesOf(message));

    private static List<string> LinesOf(ReadOnlySpan<byte> message)
    {
        List<string> lines = [];
        foreach (Range line in message.Split((byte)'\n'))
        {
            lines.Add(LogText.ShowRaw(message[line], LogTextUse.Terminal));
        }

        return lines;
    }

    private void WriteJson(Utf8JsonWriter json, ReadOnlySpan<byte> message, long type)
    {
        json.WriteStartObject();
        json.WriteNumber("schema"u8, LogReportJson.Schema);
        json.WriteString("queue"u8, queue);
        json.WriteNumber(typeName, type);
        json.WriteNumber("length"u8, message.Length);
        bool isText = form == MqMessageForm.Json && Utf8.IsValid(message);
        if (isText)
        {
            json.WriteString("message"u8, message);
            json.WriteNull("base64"u8);
        }
        else
        {
            json.WriteNull("message"u8);
            json.WriteBase64String("base64"u8, message);
        }

        json.WriteEndObject();
        json.Flush();
        json.Reset();
    }
}
