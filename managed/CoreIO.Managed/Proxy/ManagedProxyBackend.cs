// Proxies on System.Net.Sockets: a plan is looked at part by part, and what is refused is named. The same as native/src/proxy/proxy.c.
using System.Runtime.InteropServices;
using CoreIO.Proxy;

namespace CoreIO.Managed.Proxy;

internal sealed class ManagedProxyBackend : IProxyBackend
{
    public int Open(ProxyPlan plan, out IProxy? proxy, out ProxyFault fault)
    {
        ArgumentNullException.ThrowIfNull(plan);
        proxy = null;
        fault = default;
        int status = Terms.Read(plan.Options, out Terms? terms);
        if (status < 0)
        {
            return status;
        }

        ProxyHouse house = new(terms!);
        for (int i = 0; i < plan.Upstreams.Count && status >= 0; i++)
        {
            fault = new ProxyFault(ProxyPart.Upstream, i);
            status = house.Upstreams.Add(plan.Upstreams[i]);
        }

        for (int i = 0; i < plan.Routes.Count && status >= 0; i++)
        {
            fault = new ProxyFault(ProxyPart.Route, i);
            status = house.Routes.Add(plan.Routes[i].Host, plan.Routes[i].Group);
        }

        // Last, for they take names that others may want: nothing after this can fail.
        for (int i = 0; i < plan.Listeners.Count && status >= 0; i++)
        {
            fault = new ProxyFault(ProxyPart.Listener, i);
            status = Listener.Open(i, plan.Listeners[i], terms!, out Listener? listener);
            if (status >= 0)
            {
                house.Listeners.Add(listener!);
            }
        }

        if (status < 0)
        {
            house.Listeners.ForEach(listener => listener.Abandon());
            return status;
        }

        fault = default;
        proxy = new ManagedProxy(house);
        return 0;
    }

    public int Pass(SafeHandle socket, ReadOnlySpan<byte> bytes, ReadOnlySpan<int> descriptors)
    {
        bool held = false;
        try
        {
            socket.DangerousAddRef(ref held);
            return DescriptorMessage.Send((int)socket.DangerousGetHandle(), bytes, descriptors);
        }
        finally
        {
            if (held)
            {
                socket.DangerousRelease();
            }
        }
    }

    public int Take(SafeHandle socket, Span<byte> bytes, Span<int> descriptors, out int count)
    {
        bool held = false;
        try
        {
            socket.DangerousAddRef(ref held);
            return DescriptorMessage.Receive((int)socket.DangerousGetHandle(), bytes, descriptors, out count);
        }
        finally
        {
            if (held)
            {
                socket.DangerousRelease();
            }
        }
    }
}
