namespace CoreIO;

/// <summary>What a backend can do beyond what every backend can; callers and tests ask for these, never for a class.</summary>
[Flags]
public enum BackendFeatures
{
    /// <summary>Nothing beyond the common ground.</summary>
    None = 0,

    /// <summary>Calls cross into <c>libcoreio.so</c>.</summary>
    CrossesBoundary = 1 << 0,

    /// <summary>Has <see cref="Log.ILogBackend.Floors"/>.</summary>
    LogFloors = 1 << 1,

    /// <summary>Calls libc itself where .NET has no API: message queues, and all of them.</summary>
    CallsLibc = 1 << 2,

    /// <summary>Has <see cref="Mq.IMqBackend.Floors"/>.</summary>
    MqFloors = 1 << 3,

    /// <summary>A proxy moves bulk through pipes, <c>splice(2)</c>.</summary>
    ProxySplice = 1 << 4,

    /// <summary>A proxy has the workers it is asked for, threads that may be pinned, and moves connections between them.</summary>
    ProxyWorkers = 1 << 5,
}
