namespace CoreIO.Mq;

/// <summary>How a process is told that a message came into an empty POSIX queue.</summary>
public enum PosixNotifyKind
{
    /// <summary>A signal is queued to the process.</summary>
    Signal = 0,

    /// <summary>The registration is taken, and nothing is told.</summary>
    None = 1,

    /// <summary>A descriptor becomes readable.</summary>
    Descriptor = 2,

    /// <summary>Takes the registration of this process back.</summary>
    Cancel = 3,
}
