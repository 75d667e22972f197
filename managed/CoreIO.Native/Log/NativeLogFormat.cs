using CoreIO.Interop;
using CoreIO.Log;

namespace CoreIO.Native.Log;

/// <summary>A format that the library compiled.</summary>
internal sealed unsafe class NativeLogFormat : ILogFormat
{
    internal NativeLogFormat(string text)
    {
        Text = text;
        Handle = LogFormatHandle.Create(text);
        try
        {
            Fields = ReadFields(Handle);
        }
        catch
        {
            Handle.Dispose();
            throw;
        }
    }

    public string Text { get; }

    public IReadOnlyList<LogFieldInfo> Fields { get; }

    internal LogFormatHandle Handle { get; }

    public void Dispose() => Handle.Dispose();

    private static LogFieldInfo[] ReadFields(LogFormatHandle handle)
    {
        using Borrowed borrowed = new(handle);
        int nameBytes;
        int count = Status.Check(LibCoreIO.coreio_log_format_fields(handle.Pointer, null, 0, null, 0, &nameBytes), "fields");
        coreio_log_field_info[] infos = new coreio_log_field_info[count];
        byte[] names = new byte[nameBytes];
        fixed (coreio_log_field_info* infosStart = infos)
        fixed (byte* namesStart = names)
        {
            Status.Check(
                LibCoreIO.coreio_log_format_fields(handle.Pointer, infosStart, count, namesStart, names.Length, &nameBytes), "fields");
        }

        LogFieldInfo[] fields = new LogFieldInfo[count];
        for (int i = 0; i < count; i++)
        {
            ref readonly coreio_log_field_info info = ref infos[i];
            string name = ShortText.Of(names.AsSpan(info.name_offset, info.name_length));
            fields[i] = new LogFieldInfo(name, (LogKind)info.kind, info.list != 0);
        }

        return fields;
    }
}
