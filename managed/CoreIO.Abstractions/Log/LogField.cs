using System.Runtime.InteropServices;

namespace CoreIO.Log;

/// <summary>A field: bytes of the text that was fed. The layout is that of <c>coreio_log_field</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct LogField(uint offset, uint length)
{
    /// <summary>First byte.</summary>
    public readonly uint Offset = offset;

    /// <summary>Bytes.</summary>
    public readonly uint Length = length;

    /// <summary>The bytes of the field.</summary>
    public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> text) => text.Slice((int)Offset, (int)Length);
}
