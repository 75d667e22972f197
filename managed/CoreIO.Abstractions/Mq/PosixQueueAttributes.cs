namespace CoreIO.Mq;

/// <summary>What a POSIX queue is, as <c>struct mq_attr</c>.</summary>
/// <param name="NonBlocking">Whether calls on this open queue fail where they would wait.</param>
/// <param name="MaxMessages">Messages the queue holds.</param>
/// <param name="MessageSize">Bytes a message may have, and a buffer to receive must have.</param>
/// <param name="Messages">In the queue now.</param>
public readonly record struct PosixQueueAttributes(bool NonBlocking, long MaxMessages, long MessageSize, long Messages);
