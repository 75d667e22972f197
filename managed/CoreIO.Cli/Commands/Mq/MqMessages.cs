// The messages that a command line sends: its words, files, or the lines of standard input.
using System.Buffers.Text;
using System.Text;

namespace CoreIO.Cli.Commands;

internal static class MqMessages
{
    private const int ReadAtOnce = 64 * 1024;

    /// <summary>The messages, each read when it is asked for.</summary>
    /// <param name="words">The words behind the queue's name.</param>
    /// <param name="areFiles">Whether they name files, each one a message.</param>
    /// <param name="isBase64">Whether each message is written in base64.</param>
    public static IEnumerable<ReadOnlyMemory<byte>> Of(IReadOnlyList<string> words, bool areFiles, bool isBase64)
    {
        if (areFiles)
        {
            return words.Select(file => Decode(ReadFile(file), isBase64, $"{file}: "));
        }

        return words.Count > 0
            ? words.Select(word => Decode(Encoding.UTF8.GetBytes(word), isBase64, $"'{word}' "))
            : Lines(isBase64);
    }

    private static ReadOnlyMemory<byte> ReadFile(string file)
    {
        try
        {
            if (file == "-")
            {
                using FileStream input = StandardInput.Open();
                using MemoryStream all = new();
                input.CopyTo(all);
                return all.ToArray();
            }

            return File.ReadAllBytes(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileFault.Of(file, e);
        }
    }

    // A line is a message without its newline; the last one may lack it.
    private static IEnumerable<ReadOnlyMemory<byte>> Lines(bool isBase64)
    {
        using FileStream input = StandardInput.Open();
        byte[] buffer = new byte[ReadAtOnce];
        int start = 0;
        int end = 0;
        long number = 1;
        while (true)
        {
            int newline = buffer.AsSpan(start, end - start).IndexOf((byte)'\n');
            if (newline >= 0)
            {
                yield return Decode(buffer.AsMemory(start, newline), isBase64, $"line {number} ");
                start += newline + 1;
                number++;
                continue;
            }

            buffer.AsSpan(start, end - start).CopyTo(buffer);
            end -= start;
            start = 0;
            if (end == buffer.Length)
            {
                Array.Resize(ref buffer, buffer.Length * 2);
            }

            int read = input.Read(buffer, end, buffer.Length - end);
            end += read;
            if (read == 0)
            {
                break;
            }
        }

        if (end > 0)
        {
            yield return Decode(buffer.AsMemory(0, end), isBase64, $"line {number} ");
        }
    }

    private static ReadOnlyMemory<byte> Decode(ReadOnlyMemory<byte> text, bool isBase64, string what)
    {
        if (!isBase64)
        {
            return text;
        }

        byte[] bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        return Base64.DecodeFromUtf8(text.Span, bytes, out _, out int length) == System.Buffers.OperationStatus.Done
            ? bytes.AsMemory(0, length)
            : throw new CoreIOException(StatusCode.InvalidArgument, what.TrimEnd(' ', ':') + " is no base64");
    }
}
