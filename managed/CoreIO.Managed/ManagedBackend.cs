using CoreIO.Cpu;
using CoreIO.Log;
using CoreIO.Loop;
using CoreIO.Managed.Cpu;
using CoreIO.Managed.Log;
using CoreIO.Managed.Loop;
using CoreIO.Managed.Mq;
using CoreIO.Managed.Proxy;
using CoreIO.Mq;
using CoreIO.Proxy;

namespace CoreIO.Managed;

/// <summary>The backend in C#: the same answers as <c>libcoreio.so</c>, with no native library.</summary>
public sealed class ManagedBackend : ICoreBackend
{
    /// <inheritdoc/>
    public string Name => "managed";

    /// <inheritdoc/>
    public BackendFeatures Features => BackendFeatures.CallsLibc;

    /// <inheritdoc/>
    public ICpuBackend Cpu { get; } = new ManagedCpu();

    /// <inheritdoc/>
    public ILogBackend Log { get; } = new ManagedLog();

    /// <inheritdoc/>
    public ILoopBackend Loop { get; } = new ManagedLoopBackend();

    /// <inheritdoc/>
    public IMqBackend Mq { get; } = new ManagedMqBackend();

    /// <inheritdoc/>
    public IProxyBackend Proxy { get; } = new ManagedProxyBackend();
}
