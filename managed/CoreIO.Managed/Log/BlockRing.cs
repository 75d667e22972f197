// A ring of blocks from the reader of a stream to one worker: one producer, one consumer.
//
// The blocks are buffers that go round: the reader fills the one at the head in place, the worker works on the one at the tail in place.
// Two semaphores count filled and empty ones; they are the only thing both touch, once a block.
namespace CoreIO.Managed.Log;

internal sealed class StreamBlock
{
    /// <summary>The first <see cref="Limits.Header"/> bytes are the worker's.</summary>
    internal byte[] Bytes = [];

    /// <summary>One past the last byte.</summary>
    internal int End;

    /// <summary>Where in the stream byte 0 of <see cref="Bytes"/> would be.</summary>
    internal long Offset;

    internal long Number;

    /// <summary>No bytes, and none follow.</summary>
    internal bool IsEnd;
}

internal sealed class BlockRing : IDisposable
{
    /// <summary>Blocks of a ring.</summary>
    internal const int Blocks = 4;

    private readonly StreamBlock[] _blocks = [new(), new(), new(), new()];
    private readonly SemaphoreSlim _filled = new(0, Blocks);
    private readonly SemaphoreSlim _empty = new(Blocks, Blocks);
    private int _head;
    private int _tail;

    /// <summary>Blocks that can be reserved without waiting; more may be by the time of the answer.</summary>
    internal int Free => _empty.CurrentCount;

    /// <summary>The next block to fill; waits for an empty one.</summary>
    internal StreamBlock Reserve()
    {
        _empty.Wait();
        return _blocks[_head++ & (Blocks - 1)];
    }

    /// <summary>Hands the reserved block to the worker.</summary>
    internal void Publish() => _filled.Release();

    /// <summary>The next block to work on; waits for a filled one.</summary>
    internal StreamBlock Take()
    {
        _filled.Wait();
        return _blocks[_tail++ & (Blocks - 1)];
    }

    /// <summary>Gives the taken block back.</summary>
    internal void Release() => _empty.Release();

    public void Dispose()
    {
        _filled.Dispose();
        _empty.Dispose();
    }
}
