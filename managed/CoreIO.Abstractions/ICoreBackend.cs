using CoreIO.Cpu;
using CoreIO.Log;
using CoreIO.Loop;
using CoreIO.Mq;
using CoreIO.Proxy;

namespace CoreIO;

/// <summary>One implementation of everything CoreIO does. All members may be used from any thread.</summary>
public interface ICoreBackend
{
    /// <summary><c>native</c> or <c>managed</c>.</summary>
    string Name { get; }

    /// <summary>What this backend can do beyond what every backend can.</summary>
    BackendFeatures Features { get; }

    /// <summary>The machine: features, topology, pinning.</summary>
    ICpuBackend Cpu { get; }

    /// <summary>Access logs: formats, lexers, scans.</summary>
    ILogBackend Log { get; }

    /// <summary>Event loops: descriptors, timers, wake-ups.</summary>
    ILoopBackend Loop { get; }

    /// <summary>Message queues: POSIX and System V.</summary>
    IMqBackend Mq { get; }

    /// <summary>TCP proxies.</summary>
    IProxyBackend Proxy { get; }

    /// <summary>Calls that crossed into <c>libcoreio.so</c> since the process began; 0 without <see cref="BackendFeatures.CrossesBoundary"/>.</summary>
    long Crossings => 0;
}
