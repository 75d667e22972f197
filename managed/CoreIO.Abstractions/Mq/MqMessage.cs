using System.Runtime.InteropServices;

namespace CoreIO.Mq;

/// <summary>One message of a batch, as <c>coreio_mq_message</c>: a piece of the bytes that are passed beside it.</summary>
/// <param name="Offset">Of its first byte.</param>
/// <param name="Length">In bytes.</param>
/// <param name="Type">The priority of a POSIX message, the type of a System V message.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct MqMessage(long Offset, long Length, long Type);
