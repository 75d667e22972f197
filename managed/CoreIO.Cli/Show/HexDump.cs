using System.Text;

namespace CoreIO.Cli.Show;

/// <summary>Bytes for people, as <c>hexdump -C</c> shows them: offset, sixteen bytes, and what of them is plain ASCII.</summary>
internal static class HexDump
{
    private const int BytesALine = 16;

    public static string Of(ReadOnlySpan<byte> bytes)
    {
        StringBuilder text = new();
        for (int at = 0; at < bytes.Length; at += BytesALine)
        {
            ReadOnlySpan<byte> line = bytes[at..Math.Min(at + BytesALine, bytes.Length)];
            text.Append(at.ToString("x8", null));
            for (int i = 0; i < BytesALine; i++)
            {
                text.Append(i % 8 == 0 ? "  " : " ").Append(i < line.Length ? line[i].ToString("x2", null) : "  ");
            }

            text.Append("  |");
            foreach (byte b in line)
            {
                text.Append(b is >= 0x20 and < 0x7F ? (char)b : '.');
            }

            text.Append("|\n");
        }

        return text.ToString();
    }
}
