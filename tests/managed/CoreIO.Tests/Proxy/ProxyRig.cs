// A proxy for one test, between clients and upstreams that the test itself is. Every wait ends, and what is made here ends with the rig.
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using CoreIO.Proxy;
using CoreIO.Testing;
using NUnit.Framework.Internal;

namespace CoreIO.Tests.Proxy;

internal sealed class ProxyRig : IDisposable
{
    /// <summary>How long anything that has to come is waited for.</summary>
    public const int PatienceMs = 20_000;

    /// <summary>A limit of time that a test can wait out, but not so short that a machine which stops for a moment passes it.</summary>
    public const int QuickMs = 500;

    /// <summary>Limits of time that a test can wait out, by one worker, so that the order of things is known.</summary>
    public static readonly ProxyOptions Quick = new()
    {
        Workers = 1,
        Journal = 4096,
        ConnectTimeout = TimeSpan.FromMilliseconds(QuickMs),
        HalfCloseTimeout = TimeSpan.FromMilliseconds(QuickMs),
        HeaderTimeout = TimeSpan.FromMilliseconds(QuickMs),
    };

    /// <summary>One worker and the default limits of time.</summary>
    public static readonly ProxyOptions One = new() { Workers = 1, Journal = 4096 };

    private readonly List<IDisposable> _owned = [];

    /// <summary>Starts a proxy after a plan.</summary>
    public ProxyRig(string backend, ProxyPlan plan)
    {
        Calls = Open(backend, plan);
        _owned.Add(Calls);
        int status = Calls.Start();
        if (status != 0)
        {
            Dispose();
        }

        Assert.That(status, Is.Zero, StatusCode.Describe(status));
    }

    /// <summary>Starts a proxy with one listener on the loopback to some upstreams.</summary>
    public ProxyRig(string backend, ProxyOptions options, params IEnumerable<EndPoint> upstreams)
        : this(backend, Plan(options, upstreams))
    {
    }

    public IProxy Calls { get; }

    /// <summary>Where clients connect to.</summary>
    public EndPoint Front => Calls.Bound(0);

    public ProxyCounters Counters
    {
        get
        {
            Calls.Read(out ProxyCounters counters);
            return counters;
        }
    }

    /// <summary>The upstreams of the plan, of which there are fewer than 64 in all tests.</summary>
    public ProxyUpstreamState[] Upstreams
    {
        get
        {
            ProxyUpstreamState[] states = new ProxyUpstreamState[64];
            return states[..Calls.ReadUpstreams(states)];
        }
    }

    public ProxyWorker[] Workers
    {
        get
        {
            ProxyWorker[] workers = new ProxyWorker[64];
            return workers[..Calls.ReadWorkers(workers)];
        }
    }

    /// <summary>The proxies of a backend.</summary>
    public static IProxyBackend Backend(string name) => Backends.Get(name).Proxy;

    /// <summary>How many workers a backend tells of where so many are asked for.</summary>
    public static int Threads(string backend, int workers) =>
        Backends.Get(backend).Features.HasFlag(BackendFeatures.ProxyWorkers) ? workers : 1;

    /// <summary>Does something that blocks beside the test, on a thread of its own: a proxy may need those of the pool.</summary>
    public static Task<T> Beside<T>(Func<T> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <inheritdoc cref="Beside{T}"/>
    public static Task Beside(Action work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Opens a proxy that is not started.</summary>
    public static IProxy Open(string backend, ProxyPlan plan)
    {
        int status = Backend(backend).Open(plan, out IProxy? proxy, out ProxyFault fault);
        Assert.That(status, Is.Zero, $"{fault}: {StatusCode.Describe(status)}");
        return proxy!;
    }

    /// <summary>A plan with one listener on the loopback.</summary>
    public static ProxyPlan Plan(ProxyOptions options, params IEnumerable<EndPoint> upstreams) => new()
    {
        Options = options,
        Listeners = [new ProxyListener { Address = Loopback }],
        Upstreams = [.. upstreams.Select(address => new ProxyUpstream { Address = address })],
    };

    /// <summary>A port of the kernel's choice.</summary>
    public static IPEndPoint Loopback => new(IPAddress.Loopback, 0);

    /// <summary>An address that nothing listens on, and nobody else takes.</summary>
    public static EndPoint Refusing() => new IPEndPoint(IPAddress.Loopback, FreePort.Take());

    /// <summary>Sockets, pipes and what epoll is made of; not files, for the runtime keeps two for each assembly it loads meanwhile.</summary>
    public static int OpenDescriptors() => Directory.GetFileSystemEntries("/proc/self/fd")
        .Count(entry => new FileInfo(entry).LinkTarget is { } target && target[0] != '/');

    /// <summary>
    /// Runs what has to do each of its steps, which it tells, within a limit of time after the one before. Where it failed after the machine
    /// had let it wait for longer than that, it is run again.
    /// </summary>
    public static void InTime(TimeSpan limit, Action<Action> run)
    {
        for (int again = 5; ; again--)
        {
            Stopwatch since = new();
            bool late = false;
            try
            {
                using TestExecutionContext.IsolatedContext context = new();
                run(() =>
                {
                    late |= since.Elapsed > limit;
                    since.Restart();
                });
                return;
            }
            catch (Exception e) when (again > 0 && (late || since.Elapsed > limit))
            {
                TestContext.Out.WriteLine($"a step took longer than {limit}: {e.Message}");
            }
        }
    }

    /// <summary>Waits until something holds.</summary>
    public static void Until(Func<bool> holds, string what) => Assert.That(() => holds(), Is.True.After(PatienceMs, 2), what);

    public Socket Client() => ProxyPeer.Connect(Front);

    /// <summary>A connection: its client, and what the upstream has of it.</summary>
    public (Socket Client, Socket Server) Pair(ProxyUpstreamServer upstream)
    {
        Socket client = Client();
        try
        {
            return (client, upstream.Accept());
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    public void WaitForLive(long live) => Until(() => Counters.Live == live, $"{live} live connections");

    /// <summary>The next finished connection.</summary>
    public ProxyRecord Record() => Records(1)[0];

    /// <summary>So many finished connections, and no more than those.</summary>
    public ProxyRecord[] Records(int count)
    {
        List<ProxyRecord> records = [];
        ProxyRecord[] batch = new ProxyRecord[64];
        Until(() =>
        {
            int now = Calls.ReadJournal(batch.AsSpan(0, Math.Min(batch.Length, count - records.Count)));
            records.AddRange(batch[..now]);
            return records.Count == count;
        }, $"{count} finished connections");
        return [.. records];
    }

    /// <summary>Keeps something for the end of the rig.</summary>
    public T Own<T>(T owned)
        where T : IDisposable
    {
        _owned.Add(owned);
        return owned;
    }

    public void Dispose()
    {
        _owned.Reverse();
        _owned.ForEach(owned => owned.Dispose());
        _owned.Clear();
    }
}

/// <summary>An upstream on the loopback; the test accepts.</summary>
internal sealed class ProxyUpstreamServer : IDisposable
{
    private readonly Socket _listener;

    public ProxyUpstreamServer(EndPoint? address = null, int backlog = 512)
    {
        address ??= ProxyRig.Loopback;
        _listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            // Alone: SocketOptionName.ReuseAddress would share the port with whoever wants it, too.
            ProxyLibc.ReuseAddress(_listener);
            _listener.Bind(address);
            _listener.Listen(backlog);
        }
        catch
        {
            _listener.Dispose();
            throw;
        }
    }

    public EndPoint Address => _listener.LocalEndPoint!;

    /// <summary>Whether a connection waits, or comes within the time.</summary>
    public bool Waits(int milliseconds = 0) => _listener.Poll(milliseconds * 1000, SelectMode.SelectRead);

    public Socket Accept()
    {
        Assert.That(Waits(ProxyRig.PatienceMs), Is.True, "a connection comes to the upstream");
        return ProxyPeer.Patient(_listener.Accept());
    }

    /// <summary>Answers what each connection says first, and ends it, until this is disposed.</summary>
    public ProxyUpstreamServer Answering(string answer = "")
    {
        _ = Answer(System.Text.Encoding.Latin1.GetBytes(answer));
        return this;
    }

    public void Dispose() => _listener.Dispose();

    private async Task Answer(byte[] answer)
    {
        byte[] bytes = new byte[64];
        while (true)
        {
            try
            {
                using Socket server = await _listener.AcceptAsync();
                if (await server.ReceiveAsync(bytes) > 0)
                {
                    _ = await server.SendAsync(answer);
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                if (e is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
                {
                    return;
                }
            }
        }
    }
}
