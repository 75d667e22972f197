// A stream: the caller's thread is the one reader; it fills line-aligned blocks and deals them to the workers.
//
// Bytes go straight into the block of the ring that is next; when it is full, what follows its last newline is carried to the next one. A
// line that is too long to hold is the reader's own: it waits for the line's turn and passes the bytes through.
using CoreIO.Log;

namespace CoreIO.Managed.Log;

/// <param name="rings">One ring a worker.</param>
/// <param name="cpus">Where each worker is pinned.</param>
/// <param name="tally">Counts of the reader.</param>
/// <param name="sink">Where rejected lines go.</param>
/// <param name="input">Number of the input.</param>
/// <param name="blockBytes">Bytes of a block.</param>
/// <param name="isStopped">Whether the scan was stopped.</param>
internal sealed class StreamJob(
    BlockRing[] rings, int[] cpus, Tally tally, RejectSink sink, int input, int blockBytes, Func<bool> isStopped) : ScanJob
{
    /// <summary>A worker with so many free blocks is not behind: besides the block it is about to get it has one, which it is at.</summary>
    private const int RoomKept = 2;

    private StreamBlock? _block;
    private int _next;
    private long _number;
    private long _read;
    private bool _isLong;

    /// <summary>Bytes read so far. Any thread.</summary>
    internal long BytesDone => Interlocked.Read(ref _read);

    internal override void Work(ScanWorker worker)
    {
        BlockRing ring = rings[worker.Number];
        bool failed = false;
        while (true)
        {
            StreamBlock block = ring.Take();
            if (block.IsEnd)
            {
                ring.Release();
                return;
            }

            try
            {
                // After a failure blocks are still taken, or the reader would wait for ever.
                if (!failed && !isStopped())
                {
                    int status = worker.RunBlock(block.Bytes, Limits.Header, block.End, input, block.Offset, block.Number);
                    worker.Sink.Pass(block.Number);
                    failed = status < 0;
                    if (failed)
                    {
                        Fail(status);
                    }
                }
            }
            catch (Exception e) when (e is OutOfMemoryException or OverflowException)
            {
                failed = true;
                worker.Abandon(this, e);
            }

            ring.Release();
        }
    }

    /// <summary>Where the next bytes go; never empty.</summary>
    internal Span<byte> Room()
    {
        if (_block is null)
        {
            _next = ChooseWorker();
            _block = TakeBlock([]);
        }

        return _block.Bytes.AsSpan(_block.End);
    }

    /// <summary>Takes note of bytes that were put where <see cref="Room"/> said. Returns 0 or the status of the sink.</summary>
    internal int Took(int length)
    {
        StreamBlock block = _block!;
        Interlocked.Add(ref _read, length);
        block.End += length;
        if (_isLong)
        {
            Span<byte> bytes = block.Bytes.AsSpan(Limits.Header, block.End - Limits.Header);
            int newline = bytes.IndexOf((byte)'\n');
            int own = newline < 0 ? bytes.Length : newline + 1;
            int status = PassLong(bytes[..own]);
            bytes[own..].CopyTo(bytes);
            block.End -= own;
            block.Offset += own;
            if (newline >= 0)
            {
                EndLong();
            }

            if (status < 0)
            {
                return status;
            }
        }

        return block.End == block.Bytes.Length ? SettleFull(block) : 0;
    }

    /// <summary>Deals what is left and tells the workers that nothing follows.</summary>
    internal void Close()
    {
        if (_isLong)
        {
            EndLong();
        }

        if (_block is not null && _block.End > Limits.Header)
        {
            Deal(_block.End);
        }

        // Each worker gets its end in its own ring; the block being filled is already reserved in one of them.
        for (int i = 0; i < rings.Length; i++)
        {
            StreamBlock block = _block is not null && i == _next ? _block : rings[i].Reserve();
            block.IsEnd = true;
            rings[i].Publish();
        }
    }

    /// <summary>Sees to a full block: deals it, makes it larger, or gives its line up as too long.</summary>
    private int SettleFull(StreamBlock block)
    {
        int newline = block.Bytes.AsSpan(Limits.Header).LastIndexOf((byte)'\n');
        if (newline >= 0)
        {
            Deal(Limits.Header + newline + 1);
            return 0;
        }

        int length = block.End - Limits.Header;
        if (length > Limits.MaxLine)
        {
            return BeginLong(block);
        }

        Array.Resize(ref block.Bytes, Limits.Header + Math.Min(length * 2, Limits.MaxLine + 1));
        return 0;
    }

    /// <summary>Hands the block being filled to its worker; the next one begins with what follows <paramref name="end"/>.</summary>
    private void Deal(int end)
    {
        StreamBlock block = _block!;
        BlockRing ring = rings[_next];
        _next = ChooseWorker();
        _block = TakeBlock(block.Bytes.AsSpan(end, block.End - end));
        block.End = end;
        block.Number = _number++;
        ring.Publish();
    }

    /// <summary>
    /// The worker that gets the next block: the first that is not behind, else the one that is least behind; one that is pinned to the CPU
    /// the reader runs on only when all others are behind.
    /// </summary>
    /// <remarks>
    /// Dealing in turn would wake every worker for a stream that one of them keeps up with, also the one that takes the CPU from the reader:
    /// where two CPUs decompress and parse, that costs a fifth of the speed.
    /// </remarks>
    private int ChooseWorker()
    {
        int here = Thread.GetCurrentProcessorId();
        int best = 0;
        int most = -1;
        for (int i = 0; i < rings.Length && most <= BlockRing.Blocks; i++)
        {
            int room = rings[i].Free;
            if (room >= RoomKept)
            {
                room = RoomKept + (cpus[i] == here ? 0 : BlockRing.Blocks);
            }

            if (room > most)
            {
                most = room;
                best = i;
            }
        }

        return best;
    }

    /// <summary>Makes the next worker's block the one being filled, beginning with <paramref name="carry"/>.</summary>
    private StreamBlock TakeBlock(ReadOnlySpan<byte> carry)
    {
        StreamBlock block = rings[_next].Reserve();
        int least = Limits.Header + Math.Max(blockBytes, 2 * carry.Length);
        if (block.Bytes.Length < least)
        {
            block.Bytes = GC.AllocateUninitializedArray<byte>(least);
        }

        carry.CopyTo(block.Bytes.AsSpan(Limits.Header));
        block.End = Limits.Header + carry.Length;
        block.Offset = _read - block.End;
        block.IsEnd = false;
        return block;
    }

    /// <summary>The block being filled holds the beginning of a line that is too long.</summary>
    private int BeginLong(StreamBlock block)
    {
        ReadOnlySpan<byte> held = block.Bytes.AsSpan(Limits.Header, block.End - Limits.Header);
        int status = sink.Wait(_number);
        tally.Lines++;
        tally.Reject(LogReason.TooLong, input, block.Offset + Limits.Header, held);
        _isLong = true;
        int written = status < 0 ? status : PassLong(held);
        block.Offset += held.Length;
        block.End = Limits.Header;
        return written;
    }

    private int PassLong(ReadOnlySpan<byte> bytes)
    {
        tally.Bytes += bytes.Length;
        return sink.Write(bytes);
    }

    private void EndLong()
    {
        sink.Pass(_number++);
        _isLong = false;
    }
}
