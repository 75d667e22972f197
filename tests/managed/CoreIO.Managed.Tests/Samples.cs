// Lines that the tests of this project share.
using System.Text;

namespace CoreIO.Managed.Tests;

internal static class Samples
{
    internal const string Line =
        "10.0.0.1 - - [27/Feb/2023:11:53:25 +0800] \"GET /a?b=c HTTP/1.1\" 200 512 \"-\" \"Mozilla/5.0 (X11; \\\"x\\\")\"\n";

    /// <summary>Lines of format combined with few different keys.</summary>
    internal static byte[] Combined(int lines)
    {
        StringBuilder text = new();
        for (int i = 0; i < lines; i++)
        {
            text.Append(Line.Replace("200", i % 10 == 0 ? "404" : "200", StringComparison.Ordinal)
                .Replace("10.0.0.1", $"10.0.0.{i % 50}", StringComparison.Ordinal)
                .Replace("11:53:25", $"11:53:{i % 60:D2}", StringComparison.Ordinal));
        }

        return Encoding.ASCII.GetBytes(text.ToString());
    }
}
