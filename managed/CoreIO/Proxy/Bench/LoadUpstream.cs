// What the proxies lead to: it replies to each request, or swallows what comes.
using CoreIO.Loop;

namespace CoreIO.Proxy.Bench;

internal abstract class LoadUpstream : LoadSide
{
    private const int AcceptsATurn = 64;
    private const long ListenerData = -1;

    private readonly LoadConnection _listener = new(-1);
    private long _accepted;

    protected LoadUpstream(string? congestion)
        : base("bench-upstream")
    {
        _listener.Hold(LoadSockets.Listen(congestion, out int port));
        Port = port;
    }

    /// <summary>Where it listens.</summary>
    public int Port { get; }

    /// <summary>Connections it got.</summary>
    public long Accepted => Volatile.Read(ref _accepted);

    protected override void Begin() => _ = Loop.Add(_listener, LoopInterest.Read, ListenerData);

    protected override void OnOther(long data)
    {
        for (int i = 0; i < AcceptsATurn; i++)
        {
            int socket = LoadSockets.Accept(_listener.Socket);
            if (socket == StatusCode.Again)
            {
                return;
            }

            if (socket < 0)
            {
                throw Failed("the upstream cannot accept", socket);
            }

            _ = Add(socket, LoopInterest.Read);
            Volatile.Write(ref _accepted, _accepted + 1);
        }
    }

    protected override void Closing()
    {
        LoadSockets.Close(_listener.Socket);
        _listener.Dispose();
    }
}

/// <summary>Replies to each request, and closes then if it is told to.</summary>
internal sealed class LoadReplies(LoadExchange exchange, bool closes) : LoadUpstream(null)
{
    private readonly byte[] _buffer = new byte[16 * 1024];
    private readonly byte[] _reply = [.. exchange.Reply];
    private long _requests;

    /// <summary>Requests that came whole.</summary>
    public long Requests => Volatile.Read(ref _requests);

    protected override void On(LoadConnection connection, LoopInterest ready)
    {
        int count = LoadSockets.Receive(connection.Socket, _buffer);
        if (count == StatusCode.Again)
        {
            return;
        }

        if (count <= 0)
        {
            // The end of a client, in whatever way; what is missing is counted at the clients.
            Close(connection);
            return;
        }

        for (int at = 0; at < count;)
        {
            int take = Math.Min(count - at, exchange.Request.Length - connection.Part);
            int token = exchange.RequestToken - connection.Part;
            if (token >= 0 && token < take)
            {
                connection.Token = _buffer[at + token];
            }

            at += take;
            connection.Part += take;
            if (connection.Part < exchange.Request.Length)
            {
                return;
            }

            // Counted before the reply is on its way: who has that may look at once.
            Volatile.Write(ref _requests, _requests + 1);
            connection.Part = 0;
            _reply[exchange.ReplyToken] = connection.Token;
            int sent = LoadSockets.Send(connection.Socket, _reply);
            if (sent is StatusCode.ConnectionReset or StatusCode.BrokenPipe)
            {
                Close(connection);
                return;
            }

            if (sent != _reply.Length)
            {
                throw Failed("the upstream cannot reply", sent < 0 ? sent : StatusCode.Again);
            }

            if (closes)
            {
                Close(connection);
                return;
            }
        }
    }
}

/// <summary>Swallows bulk, and looks at the first and the last byte of each piece.</summary>
internal sealed class LoadSink(string? congestion) : LoadUpstream(congestion)
{
    private const int ReadsATurn = 8;

    private readonly byte[] _buffer = new byte[LoadBulk.Piece];
    private long _received;

    /// <summary>Bytes that came.</summary>
    public long Received => Volatile.Read(ref _received);

    protected override void On(LoadConnection connection, LoopInterest ready)
    {
        for (int i = 0; i < ReadsATurn; i++)
        {
            int count = LoadSockets.Receive(connection.Socket, _buffer);
            if (count == StatusCode.Again)
            {
                return;
            }

            if (count <= 0)
            {
                Close(connection);
                return;
            }

            if (_buffer[0] != (byte)(connection.Bytes % LoadBulk.Period) || _buffer[count - 1] != (byte)((connection.Bytes + count - 1) % LoadBulk.Period))
            {
                throw new ProxyBenchFault($"other bytes came than were sent, from byte {connection.Bytes} of a connection on");
            }

            connection.Bytes += count;
            Volatile.Write(ref _received, _received + count);
        }
    }
}
