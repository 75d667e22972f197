namespace CoreIO.Mq;

/// <summary>What ended a registration that tells by a descriptor; the numbers are those of <c>coreio/mq.h</c>.</summary>
public enum PosixNotifyEnd
{
    /// <summary>Nothing yet.</summary>
    None = 0,

    /// <summary>A message came into the empty queue.</summary>
    Message = 1,

    /// <summary>It was taken back, or this process closed a descriptor of the queue.</summary>
    Withdrawn = 2,
}
