using System.Net;
using CoreIO.Interop;
using CoreIO.Proxy;

namespace CoreIO.Native.Proxy;

/// <summary>A proxy of the library. The structures of the contract have the layout of those of the library, so batches are read in place.</summary>
internal sealed unsafe class NativeProxy : IProxy
{
    private readonly ProxyHandle _handle;
    private readonly int _listeners;

    internal NativeProxy(ProxyHandle handle, ProxyPlan plan)
    {
        _handle = handle;
        _listeners = plan.Listeners.Count;
    }

    public int Start()
    {
        using Borrowed borrowed = new(_handle);
        Crossings.Add();
        return LibCoreIO.coreio_proxy_start(_handle.Pointer);
    }

    public int HandOver(int listener)
    {
        using Borrowed borrowed = new(_handle);
        Crossings.Add();
        return LibCoreIO.coreio_proxy_hand_over(_handle.Pointer, listener);
    }

    public int Drain(TimeSpan? timeout)
    {
        using Borrowed borrowed = new(_handle);
        Crossings.Add();
        return LibCoreIO.coreio_proxy_drain(_handle.Pointer, NativeProxyBackend.Nanoseconds(timeout));
    }

    public int Stop()
    {
        using Borrowed borrowed = new(_handle);
        Crossings.Add();
        return LibCoreIO.coreio_proxy_stop(_handle.Pointer);
    }

    public EndPoint Bound(int listener)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)listener, (uint)_listeners);
        using Borrowed borrowed = new(_handle);
        Crossings.Add();
        coreio_proxy_address address;
        Status.Check(LibCoreIO.coreio_proxy_bound(_handle.Pointer, listener, &address), "proxy");
        return ProxyAddresses.Read(in address);
    }

    public IReadOnlyList<int> Descriptors(int listener)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)listener, (uint)_listeners);
        using Borrowed borrowed = new(_handle);
        int[] descriptors = [];
        int count;
        while ((count = Read(listener, descriptors)) > descriptors.Length)
        {
            descriptors = new int[count];
        }

        return descriptors.Length == count ? descriptors : descriptors[..count];
    }

    public void Read(out ProxyCounters counters)
    {
        using Borrowed borrowed = new(_handle);
        Crossings.Add();
        fixed (ProxyCounters* read = &counters)
        {
            _ = LibCoreIO.coreio_proxy_counters(_handle.Pointer, (coreio_proxy_counters*)read);
        }
    }

    public int ReadWorkers(Span<ProxyWorker> workers)
    {
        using Borrowed borrowed = new(_handle);
        Crossings.Add();
        fixed (ProxyWorker* first = workers)
        {
            return LibCoreIO.coreio_proxy_workers(_handle.Pointer, (coreio_proxy_worker*)first, workers.Length);
        }
    }

    public int ReadUpstreams(Span<ProxyUpstreamState> upstreams)
    {
        using Borrowed borrowed = new(_handle);
        Crossings.Add();
        fixed (ProxyUpstreamState* first = upstreams)
        {
            return LibCoreIO.coreio_proxy_upstreams(_handle.Pointer, (coreio_proxy_upstream_state*)first, upstreams.Length);
        }
    }

    public int ReadJournal(Span<ProxyRecord> records)
    {
        using Borrowed borrowed = new(_handle);
        Crossings.Add();
        fixed (ProxyRecord* first = records)
        {
            return LibCoreIO.coreio_proxy_journal(_handle.Pointer, (coreio_proxy_record*)first, records.Length);
        }
    }

    public void Dispose() => _handle.Dispose();

    private int Read(int listener, Span<int> descriptors)
    {
        Crossings.Add();
        fixed (int* first = descriptors)
        {
            return LibCoreIO.coreio_proxy_descriptors(_handle.Pointer, listener, first, descriptors.Length);
        }
    }
}
