namespace CoreIO.Mq;

/// <summary>
/// Message queues as the kernel has them. All members may be used from any thread, and return what the kernel returned: a count, or
/// <c>-errno</c>, which the queues of the package make exceptions of. Nothing here allocates for a message.
/// </summary>
public interface IMqBackend
{
    /// <summary>POSIX queues, which are descriptors.</summary>
    IPosixQueues Posix { get; }

    /// <summary>System V queues, which are identifiers.</summary>
    ISysVQueues SysV { get; }

    /// <summary>The floors, where the backend has <see cref="BackendFeatures.MqFloors"/>; else null.</summary>
    IMqFloors? Floors => null;
}
