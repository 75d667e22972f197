namespace CoreIO.Log;

/// <summary>Text that a user wrote does not compile; says where and why, with the piece of text.</summary>
public sealed class LogSyntaxException : CoreIOException
{
    /// <summary>
    /// Makes the exception for <paramref name="length"/> bytes (UTF-8) from <paramref name="offset"/> of <paramref name="text"/>.
    /// </summary>
    public LogSyntaxException(LogSyntaxPart part, LogFault fault, string text, int offset, int length)
        : base(StatusCode.Format, Describe(part, fault, text, offset, length), null)
    {
        Part = part;
        Fault = fault;
        Text = text;
        Offset = offset;
        Length = length;
    }

    /// <summary>Which text.</summary>
    public LogSyntaxPart Part { get; }

    /// <summary>What is wrong.</summary>
    public LogFault Fault { get; }

    /// <summary>The whole text.</summary>
    public string Text { get; }

    /// <summary>Byte offset in the UTF-8 form of <see cref="Text"/>.</summary>
    public int Offset { get; }

    /// <summary>Bytes.</summary>
    public int Length { get; }

    private static string Describe(LogSyntaxPart part, LogFault fault, string text, int offset, int length)
    {
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(text);
        offset = Math.Clamp(offset, 0, bytes.Length);
        length = Math.Clamp(length, 0, bytes.Length - offset);
        string piece = System.Text.Encoding.UTF8.GetString(bytes, offset, length);
        string place = part switch
        {
            LogSyntaxPart.Format => "format",
            LogSyntaxPart.Where => "--where",
            LogSyntaxPart.By => "--by",
            LogSyntaxPart.Stats => "--stats",
            _ => throw new ArgumentOutOfRangeException(nameof(part), part, null),
        };
        return $"{place}, at byte {offset + 1}: {fault.Sentence(piece)}";
    }
}
