// One direction of a connection, and the one operation of System.Net.Sockets that it waits for: that its source can be read, that its target
// takes what is held, or that a connect has ended. It is an event of the socket layer itself, so waiting allocates nothing and fails without
// an exception.
//
// A flow is run by one thread at a time: who finds it waiting or free makes it running, under the lock of its connection (see Connection.cs);
// all fields but State belong to the one who runs it, or, while nobody does, to the one who holds that lock.
using System.Buffers;
using System.Net.Sockets;

namespace CoreIO.Managed.Proxy;

/// <summary>Who has a flow.</summary>
internal enum FlowState : byte
{
    /// <summary>Nobody: it is over, or waits for its bandwidth or for an upstream.</summary>
    Free,

    /// <summary>A thread, or the queue of the thread pool.</summary>
    Running,

    /// <summary>The socket layer, which tells when something has happened.</summary>
    Waiting,
}

/// <summary>What was found of a flow.</summary>
[Flags]
internal enum FlowBits : byte
{
    None = 0,

    /// <summary>Its source has ended: nothing more to read.</summary>
    Ended = 1 << 0,

    /// <summary>The end was passed on, or its target takes nothing any more.</summary>
    Done = 1 << 1,

    /// <summary>Its source was reset.</summary>
    Reset = 1 << 2,

    /// <summary>It waits for its bandwidth.</summary>
    Pauses = 1 << 3,

    /// <summary>Its target was reset.</summary>
    Gone = 1 << 4,
}

internal sealed class Flow : SocketAsyncEventArgs, IThreadPoolWorkItem
{
    /// <summary>Bytes read at a time; half of the second-level cache's usual share of a thread, as in C.</summary>
    internal const int BufferBytes = 64 * 1024;

    /// <summary>
    /// Bytes read at a time of a stream, which in C goes through a pipe. Each send wakes who reads, and fewer take a fifth to a third less CPU
    /// (docs/PERFORMANCE.md, proxies).
    /// </summary>
    internal const int StreamBytes = 256 * 1024;

    // Full reads in a row that make a stream, and small ones that end it; the latter as in C.
    private const int FullInRow = 3;
    private const int SmallInRow = 15;
    private const int SmallBytes = 4096;

    // What is waited with for a target that does not read: little, so that progress is seen at each wake-up and not once all is gone.
    private const int ProbeBytes = 4096;

    // Nobody's execution context belongs to a connection.
    private const bool WithoutContext = true;

    private readonly Connection _connection;

    internal Flow(Connection connection, bool fromClient)
        : base(WithoutContext)
    {
        _connection = connection;
        FromClient = fromClient;
    }

    internal bool FromClient { get; }

    internal FlowState State { get; set; }

    internal FlowBits Bits { get; set; }

    /// <summary>Whether it is the client's socket that it waits for, or last waited for.</summary>
    internal bool AwaitsClient { get; set; }

    /// <summary>Whether it waited when its connection was closed.</summary>
    internal bool Lingers { get; set; }

    /// <summary>Received from its source.</summary>
    internal long Received { get; set; }

    /// <summary>Time up to which its bandwidth is used.</summary>
    internal long UsedUp { get; set; }

    /// <summary>Bytes that were read and not yet sent.</summary>
    internal int Length { get; private set; }

    internal ReadOnlySpan<byte> Held => Buffer is null ? [] : Buffer.AsSpan(_start, Length);

    // Not the Buffer of the base, which is what the socket layer was given.
    private new byte[]? Buffer { get; set; }

    private int _start;

    /// <summary>Of the held bytes those that are counted as such: their target did not take them.</summary>
    private int _counted;

    // Whether a stream goes through, and how many reads in a row say the opposite.
    private bool _streams;
    private byte _inRow;

    /// <summary>Room for the next read of the relay.</summary>
    internal Span<byte> Room() => Room(_streams ? StreamBytes : BufferBytes);

    /// <summary>Room to read into, behind what is held.</summary>
    internal Span<byte> Room(int bytes)
    {
        if (Buffer is not null && Length == 0 && Buffer.Length < bytes)
        {
            // What the first look has left.
            ArrayPool<byte>.Shared.Return(Buffer);
            Buffer = null;
        }

        Buffer ??= ArrayPool<byte>.Shared.Rent(bytes);
        return Buffer.AsSpan(_start + Length);
    }

    /// <summary>Makes twice the room, up to <see cref="BufferBytes"/>; false when there is no more.</summary>
    internal bool Grow()
    {
        if (Buffer!.Length >= BufferBytes)
        {
            return false;
        }

        byte[] larger = ArrayPool<byte>.Shared.Rent(2 * Buffer.Length);
        Held.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(Buffer);
        Buffer = larger;
        _start = 0;
        return true;
    }

    /// <summary>Bytes were read into the room.</summary>
    internal void Fill(int bytes) => Length += bytes;

    /// <summary>Learns from a read of the relay whether a stream goes through.</summary>
    internal void Weigh(int bytes)
    {
        bool changes = _streams ? bytes < SmallBytes : bytes >= BufferBytes;
        _inRow = changes ? (byte)(_inRow + 1) : (byte)0;
        if (_inRow == (_streams ? SmallInRow : FullInRow))
        {
            _streams = !_streams;
            _inRow = 0;
        }
    }

    /// <summary>Bytes of what is held were sent, or are not for the target.</summary>
    internal void Take(int bytes)
    {
        _start += bytes;
        Length -= bytes;
        if (Length == 0)
        {
            _start = 0;
        }
    }

    /// <summary>Whether its target was found not to take what is held.</summary>
    internal bool IsCounted => _counted > 0;

    /// <summary>Counts what is held for a target that does not take it; what is no longer held is counted out.</summary>
    internal void CountHeld(Tally tally, int bytes)
    {
        if (bytes != _counted)
        {
            Interlocked.Add(ref tally.Buffers, bytes - _counted);
            _counted = bytes;
        }
    }

    /// <summary>Gives the buffer back, and what is in it up.</summary>
    internal void Drop(Tally tally)
    {
        CountHeld(tally, 0);
        Release();
    }

    /// <summary>Gives the buffer back alone, and counts nothing.</summary>
    internal void Release()
    {
        Length = 0;
        _start = 0;
        if (Buffer is { } buffer)
        {
            Buffer = null;
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Waits, without a buffer, until a socket can be read; false when it can be already.</summary>
    internal bool AwaitBytes(Socket source)
    {
        SetBuffer(Memory<byte>.Empty);
        return source.ReceiveAsync(this);
    }

    /// <summary>Waits until a socket takes the first of what is held; false when it has.</summary>
    internal bool AwaitRoom(Socket target)
    {
        SetBuffer(Buffer, _start, Math.Min(Length, ProbeBytes));
        return target.SendAsync(this);
    }

    /// <summary>Waits until a connect has ended; false when it has. Sending nothing does that, and finds the error.</summary>
    internal bool AwaitConnect(Socket target)
    {
        SetBuffer(Memory<byte>.Empty);
        return target.SendAsync(this);
    }

    /// <summary>The turn of a flow that let others go first.</summary>
    public void Execute() => _connection.Resume(this);

    protected override void OnCompleted(SocketAsyncEventArgs e) => _connection.Completed(this);
}
