using System.Diagnostics;

namespace CoreIO.Proxy.Bench;

/// <summary>Connections that are opened one after the other, with one byte echoed on each, and held.</summary>
internal sealed class LoadHeld(int port) : IDisposable
{
    private const int PatienceSeconds = 5;

    private readonly byte[] _address = LoadSockets.Address(port);
    private readonly List<int> _sockets = [];
    private long _sent;
    private long _received;

    public int Count => _sockets.Count;

    /// <summary>Bytes sent.</summary>
    public long Sent => _sent;

    /// <summary>Bytes that came back.</summary>
    public long Received => _received;

    public void Open(int count, Action<int> check)
    {
        for (int i = 0; i < count; i++)
        {
            check(i);
            int socket = LoadSockets.ConnectBlocking(_address, PatienceSeconds);
            if (socket < 0)
            {
                throw new ProxyBenchFault($"connection {i + 1} of {count}: {StatusCode.Describe(socket)}");
            }

            _sockets.Add(socket);
            Echo(_sockets.Count - 1);
        }
    }

    /// <summary>Echoes bytes on one connection for so long.</summary>
    public void Talk(int connection, TimeSpan time)
    {
        long began = Stopwatch.GetTimestamp();
        do
        {
            Echo(connection);
        }
        while (Stopwatch.GetElapsedTime(began) < time);
    }

    public void Dispose()
    {
        _sockets.ForEach(LoadSockets.Close);
        _sockets.Clear();
    }

    private void Echo(int connection)
    {
        Span<byte> there = [(byte)('a' + (_sent % 26))];
        Span<byte> back = [0];
        int count = LoadSockets.Send(_sockets[connection], there);
        _sent += Math.Max(0, count);
        count = count == 1 ? LoadSockets.Receive(_sockets[connection], back) : count;
        _received += Math.Max(0, count);
        if (count != 1 || back[0] != there[0])
        {
            string why = count >= 0 ? "no echo came back" : StatusCode.Describe(count == StatusCode.Again ? StatusCode.TimedOut : count);
            throw new ProxyBenchFault($"connection {connection + 1}: {why}");
        }
    }
}
