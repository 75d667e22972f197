namespace CoreIO.Mq;

/// <summary>A message that was received.</summary>
/// <param name="Bytes">Its bytes, which belong to the receiver.</param>
/// <param name="Type">The priority of a POSIX message, the type of a System V message.</param>
public readonly record struct QueueMessage(ReadOnlyMemory<byte> Bytes, long Type);
