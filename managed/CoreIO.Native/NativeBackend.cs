using CoreIO.Cpu;
using CoreIO.Log;
using CoreIO.Loop;
using CoreIO.Mq;
using CoreIO.Native.Log;
using CoreIO.Native.Loop;
using CoreIO.Native.Mq;
using CoreIO.Native.Proxy;
using CoreIO.Proxy;

namespace CoreIO.Native;

/// <summary>Everything CoreIO does, done by <c>libcoreio.so</c>.</summary>
public sealed class NativeBackend : ICoreBackend
{
    /// <summary>Loads the library, so that a machine without it is told here and not in the middle of its work.</summary>
    /// <exception cref="CoreIOLibraryException">The library cannot be used; the message says why and what to do.</exception>
    public NativeBackend() => Library = CoreIONativeLibrary.Load();

    /// <summary>The library that was loaded.</summary>
    public CoreIONativeLibraryInfo Library { get; }

    /// <inheritdoc/>
    public string Name => "native";

    /// <inheritdoc/>
    public BackendFeatures Features => BackendFeatures.CrossesBoundary | BackendFeatures.LogFloors
        | BackendFeatures.MqFloors | BackendFeatures.ProxySplice | BackendFeatures.ProxyWorkers;

    /// <inheritdoc/>
    public ICpuBackend Cpu { get; } = new NativeCpu();

    /// <inheritdoc/>
    public ILogBackend Log { get; } = new NativeLogBackend();

    /// <inheritdoc/>
    public ILoopBackend Loop { get; } = new NativeLoopBackend();

    /// <inheritdoc/>
    public IMqBackend Mq { get; } = new NativeMqBackend();

    /// <inheritdoc/>
    public IProxyBackend Proxy { get; } = new NativeProxyBackend();

    /// <inheritdoc/>
    public long Crossings => Interop.Crossings.Count;
}
