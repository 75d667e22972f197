// The input of a bench when no file is given: lines of a made-up site, seeded, the same bytes for the same seed and size everywhere.
//
// What matters for speed is like real logs: the lengths of lines and fields, how often clients, agents and paths come again (Zipf), escapes
// in quotes, nulls. The words are made up. LogBenchLines holds how a line is written.
namespace CoreIO.Log.Bench;

/// <summary>Writes seeded logs.</summary>
public static class LogBenchInput
{
    private const int BufferBytes = 1 << 20;

    /// <summary>The formats there are inputs for.</summary>
    public static IReadOnlyList<string> Formats { get; } = ["combined", "edge"];

    /// <summary>Writes as many whole lines as fit in <paramref name="bytes"/>, and returns how many.</summary>
    /// <exception cref="ArgumentException">There is no input of this format.</exception>
    public static long Write(Stream output, string format, long bytes, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(output);
        LogBenchLines lines = new(seed);
        LogBenchLineWriter write = format switch
        {
            "combined" => lines.Combined,
            "edge" => lines.Edge,
            _ => throw new ArgumentException($"no input is made of the format '{format}'; there are {string.Join(" and ", Formats)}", nameof(format)),
        };
        byte[] buffer = new byte[BufferBytes];
        int filled = 0;
        long count = 0;
        for (long left = bytes; ; count++)
        {
            if (buffer.Length - filled < LogBenchLines.MaxBytes)
            {
                output.Write(buffer, 0, filled);
                filled = 0;
            }

            int length = write(buffer.AsSpan(filled));
            if (length > left)
            {
                output.Write(buffer, 0, filled);
                return count;
            }

            filled += length;
            left -= length;
        }
    }
}

/// <summary>Writes the next line and returns its bytes.</summary>
internal delegate int LogBenchLineWriter(Span<byte> into);
