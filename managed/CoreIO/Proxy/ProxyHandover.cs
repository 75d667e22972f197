// Hot restart: a proxy gives its listening sockets to a successor in another process, over a unix socket of its user alone.
//
// The successor connects and gets one message: a line for each listener, its address and how many sockets it has, with the sockets beside
// it. It starts, and answers a byte for each: 1 for a listener that lives on, which the old proxy takes nothing more from, 0 for one that the
// successor lacks, of which the old one takes what is queued. Then that drains. When the successor fails before, its copies are closed by its
// end, and the old proxy has never stopped.
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace CoreIO.Proxy;

/// <summary>Gives the listening sockets of a running proxy to a successor, without a connection refused.</summary>
public sealed class ProxyHandover : IDisposable
{
    private const int MessageBytes = 32 * 1024;
    private const int MostDescriptors = 253;
    private const int OwnerOnly = 0x180;
    private const int SocketLevel = 1;
    private const int PeerCredentials = 17;

    // A peer that connects and says nothing holds nobody up for longer.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Socket _listener;
    private readonly IProxyBackend _backend;

    private ProxyHandover(string path, Socket listener, IProxyBackend backend)
    {
        Path = path;
        _listener = listener;
        _backend = backend;
    }

    /// <summary>Where a successor asks.</summary>
    public string Path { get; }

    /// <summary>Begins to wait for a successor at a path, which only this user may use; what was there before is taken away.</summary>
    /// <param name="path">Of a unix socket.</param>
    /// <param name="backend">That of the proxy; null for the default.</param>
    /// <exception cref="TcpProxyException">It cannot be listened on; the message says why.</exception>
    public static ProxyHandover Listen(string path, ICoreBackend? backend = null)
    {
        IProxyBackend own = TcpProxy.BackendOf(backend);
        Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            // Renamed when it listens, so that the path answers at any time; and the runtime, which takes the name a socket was bound to away
            // with the socket, finds it gone, and not that of a successor.
            string temporary = $"{path}.{Environment.ProcessId}";
            File.Delete(temporary);
            listener.Bind(new UnixDomainSocketEndPoint(temporary));
            ProxySockets.ChangeMode(temporary, OwnerOnly);
            listener.Listen();
            File.Move(temporary, path, overwrite: true);
            return new ProxyHandover(path, listener, own);
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException)
        {
            listener.Dispose();
            throw ProxyErrors.HandOver(StatusCode.InputOutput, path, e.Message);
        }
    }

    /// <summary>
    /// Waits for a successor and gives it the sockets of <paramref name="proxy"/>; ends when the successor runs. Then drain the proxy, which
    /// accepts nothing more.
    /// </summary>
    /// <exception cref="OperationCanceledException">Cancelled; nothing was given away for good.</exception>
    public async Task GiveAsync(TcpProxy proxy, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(proxy);
        while (true)
        {
            using Socket successor = await _listener.AcceptAsync(cancellationToken).ConfigureAwait(false);
            if (IsTrusted(successor) && await Give(proxy, successor, cancellationToken).ConfigureAwait(false) is { } kept)
            {
                proxy.HandOver(kept);
                return;
            }
        }
    }

    /// <summary>
    /// Starts a proxy with the sockets of the one that waits at <paramref name="path"/>, where one does; else with sockets of its own. Listeners
    /// are known by their addresses.
    /// </summary>
    /// <exception cref="TcpProxyException">The plan is refused, or the other proxy does not answer as one; it goes on as it was.</exception>
    public static TcpProxy TakeOver(ProxyPlan plan, string path, ICoreBackend? backend = null)
    {
        ArgumentNullException.ThrowIfNull(plan);
        IProxyBackend own = TcpProxy.BackendOf(backend);
        using Socket? predecessor = Connect(path);
        if (predecessor is null)
        {
            return TcpProxy.Start(plan, own);
        }

        List<(string Address, int[] Sockets)> given = Take(own, predecessor, path);
        byte[] kept = new byte[given.Count];
        TcpProxy proxy;
        try
        {
            proxy = TcpProxy.Start(plan with
            {
                Listeners = [.. plan.Listeners.Select(listener =>
                {
                    int number = given.FindIndex(other => other.Address == ProxyAddress.Text(listener.Address));
                    if (number < 0 || kept[number] != 0)
                    {
                        return listener;
                    }

                    kept[number] = 1;
                    return listener with { Descriptors = given[number].Sockets };
                })],
            }, own);
        }
        catch
        {
            given.ForEach(listener => Array.ForEach(listener.Sockets, ProxySockets.Close));
            throw;
        }

        try
        {
            foreach ((_, int[] left) in given.Where((_, i) => kept[i] == 0))
            {
                Array.ForEach(left, ProxySockets.Close);
            }

            _ = predecessor.Send(kept);
            // The predecessor closes when it takes nothing more.
            _ = predecessor.Receive(new byte[1]);
            return proxy;
        }
        catch (SocketException e)
        {
            proxy.Dispose();
            throw ProxyErrors.HandOver(StatusCode.InputOutput, path, e.Message);
        }
    }

    /// <summary>Stops waiting; the path stays, for a successor may have made its own of it.</summary>
    public void Dispose() => _listener.Dispose();

    private static Socket? Connect(string path)
    {
        Socket predecessor = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            predecessor.Connect(new UnixDomainSocketEndPoint(path));
            predecessor.ReceiveTimeout = predecessor.SendTimeout = (int)Patience.TotalMilliseconds;
            return predecessor;
        }
        catch (SocketException)
        {
            predecessor.Dispose();
            return null;
        }
    }

    private static List<(string Address, int[] Sockets)> Take(IProxyBackend backend, Socket predecessor, string path)
    {
        byte[] bytes = new byte[MessageBytes];
        int[] descriptors = new int[MostDescriptors];
        int length = backend.Take(predecessor.SafeHandle, bytes, descriptors, out int count);
        if (length <= 0)
        {
            throw ProxyErrors.HandOver(length == 0 ? StatusCode.BrokenPipe : length, path, "the other proxy gave no sockets; it goes on");
        }

        List<(string Address, int[] Sockets)> sockets = [];
        int at = 0;
        foreach (string line in Encoding.UTF8.GetString(bytes, 0, length).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            int space = line.LastIndexOf(' ');
            int own = space > 0 && int.TryParse(line.AsSpan(space + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : -1;
            if (own < 0 || at + own > count)
            {
                Array.ForEach(descriptors[..count], ProxySockets.Close);
                throw ProxyErrors.HandOver(StatusCode.InvalidArgument, path, "what listens there is no proxy of this version");
            }

            sockets.Add((line[..space], descriptors[at..(at + own)]));
            at += own;
        }

        return sockets;
    }

    // The listeners that live on in a successor; null when it does not run.
    private async Task<IEnumerable<int>?> Give(TcpProxy proxy, Socket successor, CancellationToken cancellationToken)
    {
        StringBuilder lines = new();
        List<int> descriptors = [];
        foreach ((EndPoint address, IReadOnlyList<int> sockets) in proxy.Sockets())
        {
            lines.Append(CultureInfo.InvariantCulture, $"{ProxyAddress.Text(address)} {sockets.Count}\n");
            descriptors.AddRange(sockets);
        }

        if (_backend.Pass(successor.SafeHandle, Encoding.UTF8.GetBytes(lines.ToString()), [.. descriptors]) < 0)
        {
            return null;
        }

        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            byte[] kept = new byte[proxy.Plan.Listeners.Count];
            for (int read = 0; read < kept.Length;)
            {
                int more = await successor.ReceiveAsync(kept.AsMemory(read), patience.Token).ConfigureAwait(false);
                if (more == 0)
                {
                    return null;
                }

                read += more;
            }

            return Enumerable.Range(0, kept.Length).Where(i => kept[i] != 0);
        }
        catch (SocketException)
        {
            return null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    // This user, or root. SO_PEERCRED: struct ucred, a process, a user and a group.
    private static bool IsTrusted(Socket successor)
    {
        Span<int> credentials = [0, -1, -1];
        int length = successor.GetRawSocketOption(SocketLevel, PeerCredentials, MemoryMarshal.AsBytes(credentials));
        return length == 3 * sizeof(int) && (credentials[1] == 0 || credentials[1] == ProxySockets.User());
    }
}
