// One connection that a proxy carries for itself before it takes those of others, once in a process.
//
// The runtime loads its assemblies, and opens what its socket layer waits with, when they are first used. Each takes descriptors, and a type
// whose initializer has failed for want of them stays broken for the life of the process. So everything is used while a caller can still be
// told, by a proxy of its own on the loopback, which leaves no trace in anybody's figures.
using System.Net;
using System.Net.Sockets;
using CoreIO.Proxy;

namespace CoreIO.Managed.Proxy;

internal static class Rehearsal
{
    private const int PatienceMs = 2000;

    private static readonly Lock Gate = new();
    private static bool _done;

    /// <summary>Carries it, unless that was done before: 0, or the status of what ran out.</summary>
    internal static int Run()
    {
        lock (Gate)
        {
            int status = _done ? 0 : Try();
            _done |= status == 0;
            return status;
        }
    }

    // A machine without a loopback is no reason not to start.
    private static int Try()
    {
        try
        {
            Queue();
            int status = Carry();
            return SocketCalls.Exhausted(status) ? status : 0;
        }
        catch (SocketException e)
        {
            return SocketCalls.Exhausted(-e.NativeErrorCode) ? -e.NativeErrorCode : 0;
        }
        catch (OutOfMemoryException)
        {
            return StatusCode.NoMemory;
        }
        catch (Exception e) when (e is IOException or TypeLoadException or TypeInitializationException)
        {
            // What could not be opened was there when this was built.
            return StatusCode.TooManyOpenFiles;
        }
    }

    private static void Queue()
    {
        using ManualResetEventSlim ran = new();
        ThreadPool.UnsafeQueueUserWorkItem(static ran => ran.Set(), ran, preferLocal: false);
        // Where all threads of the pool are busy it is there already.
        _ = ran.Wait(PatienceMs);
    }

    // A byte each way, then what is awaited on both sides is broken off.
    private static int Carry()
    {
        using Socket upstream = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        upstream.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        upstream.Listen(1);
        ProxyPlan plan = new()
        {
            Listeners = [new ProxyListener { Address = new IPEndPoint(IPAddress.Loopback, 0) }],
            Upstreams = [new ProxyUpstream { Address = upstream.LocalEndPoint! }],
        };
        int status = new ManagedProxyBackend().Open(plan, out IProxy? proxy, out _);
        if (status < 0)
        {
            return status;
        }

        EndPoint name = proxy!.Bound(0);
        using (proxy)
        {
            status = ((ManagedProxy)proxy).Start(rehearse: false);
            try
            {
                status = status < 0 ? status : Pass(upstream, name);
            }
            catch (SocketException e)
            {
                status = -e.NativeErrorCode;
            }

            // All of it is counted then.
            _ = proxy.Stop();
            proxy.Read(out ProxyCounters counters);
            if (status < 0 && counters.AcceptFailures + counters.Ends[(int)ProxyEnd.Resources] > 0)
            {
                return StatusCode.TooManyOpenFiles;
            }
        }

        return status < 0 ? status : Refuse(name);
    }

    private static int Pass(Socket upstream, EndPoint name)
    {
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(name);
        // Closed by a reset, it leaves nothing in TIME_WAIT.
        client.LingerState = new LingerOption(enable: true, seconds: 0);
        client.SendTimeout = PatienceMs;
        client.ReceiveTimeout = PatienceMs;
        if (!upstream.Poll(TimeSpan.FromMilliseconds(PatienceMs), SelectMode.SelectRead))
        {
            return StatusCode.TimedOut;
        }

        using Socket server = upstream.Accept();
        server.LingerState = client.LingerState;
        server.SendTimeout = PatienceMs;
        server.ReceiveTimeout = PatienceMs;
        Span<byte> one = stackalloc byte[1];
        bool passed = client.Send(one) == server.Receive(one) && server.Send(one) == client.Receive(one);
        return passed ? 0 : StatusCode.TimedOut;
    }

    // What is refused is told by an exception, whose class is elsewhere.
    private static int Refuse(EndPoint name)
    {
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            client.Connect(name);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            // As it should be.
        }

        return 0;
    }
}
