// Who goes through the proxies: clients that ask and wait for the reply, and those that send bulk.
using System.Diagnostics;
using CoreIO.Loop;

namespace CoreIO.Proxy.Bench;

internal abstract class LoadClients(int port, int connections, string? congestion) : LoadSide("bench-clients")
{
    private readonly byte[] _address = LoadSockets.Address(port);
    private volatile bool _ending;

    /// <summary>Set once <see cref="End"/> was called and nothing is under way any more.</summary>
    public ManualResetEventSlim Ended { get; } = new();

    protected bool IsEnding => _ending;

    /// <summary>No request, and no byte, is begun any more.</summary>
    public void End()
    {
        _ending = true;
        Wake();
    }

    protected override void Begin()
    {
        for (int i = 0; i < connections; i++)
        {
            Connect();
        }
    }

    protected int Open()
    {
        int socket = LoadSockets.Connect(_address, congestion);
        return socket >= 0 ? socket : throw Failed("connect", socket);
    }

    protected abstract void Connect();

    protected override void Closing() => Ended.Dispose();
}

/// <summary>Each of them asks, waits for the reply, and asks again: on the same connection, or on a new one.</summary>
internal sealed class LoadRequests(int port, int connections, LoadExchange exchange, bool closes) : LoadClients(port, connections, null)
{
    private const int FirstToken = 'a';
    private const int Tokens = 26;

    private readonly byte[] _request = [.. exchange.Request];
    private readonly byte[] _reply = [.. exchange.Reply];
    private readonly byte[] _buffer = new byte[16 * 1024];
    private volatile bool _records;
    private int _tokens;
    private long _sent;
    private long _completed;

    /// <summary>Times from the request, or from the connect, to the reply, or to the end.</summary>
    public LoadHistogram Times { get; } = new();

    /// <summary>Whether times are kept.</summary>
    public bool Records
    {
        get => _records;
        set => _records = value;
    }

    public long Sent => Volatile.Read(ref _sent);

    public long Completed => Volatile.Read(ref _completed);

    protected override void Connect()
    {
        long now = Stopwatch.GetTimestamp();
        LoadConnection connection = Add(Open(), LoopInterest.Read);
        connection.BeganAt = now;
        Ask(connection);
    }

    protected override void On(LoadConnection connection, LoopInterest ready)
    {
        if (connection.IsWaitingToSend)
        {
            if (IsEnding)
            {
                Close(connection);
            }
            else
            {
                Ask(connection);
            }

            return;
        }

        int count = LoadSockets.Receive(connection.Socket, _buffer);
        if (count == StatusCode.Again)
        {
            return;
        }

        if (count < 0)
        {
            throw Failed("a connection broke", count);
        }

        bool isWhole = connection.Part == _reply.Length;
        if (count == 0)
        {
            if (!closes || !isWhole)
            {
                throw new ProxyBenchFault($"a connection ended after {connection.Part} of the {_reply.Length} bytes of a reply");
            }

            Complete(connection);
            Close(connection);
            if (!IsEnding)
            {
                Connect();
            }

            return;
        }

        _reply[exchange.ReplyToken] = connection.Token;
        if (count > _reply.Length - connection.Part || !_buffer.AsSpan(0, count).SequenceEqual(_reply.AsSpan(connection.Part, count)))
        {
            throw new ProxyBenchFault("a reply differs from what was sent");
        }

        connection.Part += count;
        if (connection.Part == _reply.Length && !closes)
        {
            Complete(connection);
            if (!IsEnding)
            {
                connection.BeganAt = Stopwatch.GetTimestamp();
                Ask(connection);
            }
        }
    }

    protected override void AfterBatch()
    {
        if (IsEnding && _sent == _completed && !Ended.IsSet)
        {
            Ended.Set();
        }
    }

    private void Ask(LoadConnection connection)
    {
        byte token = (byte)(FirstToken + (_tokens++ % Tokens));
        _request[exchange.RequestToken] = token;
        int count = LoadSockets.Send(connection.Socket, _request);
        if (count == StatusCode.Again)
        {
            // Not connected yet.
            connection.IsWaitingToSend = true;
            Loop.Modify(connection.Watch, LoopInterest.Write);
            return;
        }

        if (count != _request.Length)
        {
            throw Failed("send a request", count < 0 ? count : StatusCode.Again);
        }

        if (connection.IsWaitingToSend)
        {
            connection.IsWaitingToSend = false;
            Loop.Modify(connection.Watch, LoopInterest.Read);
        }

        connection.Token = token;
        connection.Part = 0;
        Volatile.Write(ref _sent, _sent + 1);
    }

    private void Complete(LoadConnection connection)
    {
        Volatile.Write(ref _completed, _completed + 1);
        if (_records)
        {
            Times.Add((long)((Stopwatch.GetTimestamp() - connection.BeganAt) * (1e9 / Stopwatch.Frequency)));
        }
    }
}

/// <summary>Each of them sends as fast as it can. Byte n of a connection is n modulo <see cref="Period"/>.</summary>
internal sealed class LoadBulk(int port, int connections, string? congestion) : LoadClients(port, connections, congestion)
{
    /// <summary>Bytes of one call, as iperf3 has them.</summary>
    internal const int Piece = 128 * 1024;

    /// <summary>A prime: what goes astray by a power of two is seen.</summary>
    internal const int Period = 251;

    private const int SendsATurn = 8;

    private readonly byte[] _pattern = [.. Enumerable.Range(0, Piece + Period).Select(i => (byte)(i % Period))];
    private long _sent;
    private bool _rests;

    public long Sent => Volatile.Read(ref _sent);

    protected override void Connect() => _ = Add(Open(), LoopInterest.Write);

    protected override void On(LoadConnection connection, LoopInterest ready)
    {
        if (IsEnding)
        {
            // It stays open, and quiet: what is under way has to arrive.
            Loop.Modify(connection.Watch, LoopInterest.None);
            return;
        }

        for (int i = 0; i < SendsATurn; i++)
        {
            int count = LoadSockets.Send(connection.Socket, _pattern.AsSpan((int)(connection.Bytes % Period), Piece));
            if (count == StatusCode.Again)
            {
                return;
            }

            if (count < 0)
            {
                throw Failed("send bulk", count);
            }

            connection.Bytes += count;
            Volatile.Write(ref _sent, _sent + count);
        }
    }

    protected override void AfterBatch()
    {
        // From the batch after the order to end on, nobody sends.
        if (IsEnding && !_rests)
        {
            _rests = true;
            Ended.Set();
        }
    }
}
