// A regular file: each worker claims the next block of it and works on the lines that begin in that block.
//
// Block i is the bytes [i * B, (i + 1) * B). The line that a block ends in is read on by the one who holds the block; the next block begins
// with the first line that begins in it. The size is taken when the file is opened, so a log that grows meanwhile has an end. The block
// counter is all that workers share.
using System.Diagnostics;
using CoreIO.Log;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Managed.Log;

/// <param name="handle">The file.</param>
/// <param name="size">Bytes of the input.</param>
/// <param name="input">Its number.</param>
/// <param name="blockBytes">Bytes of a block.</param>
/// <param name="isStopped">Whether the scan was stopped.</param>
internal sealed class FileJob(SafeFileHandle handle, long size, int input, int blockBytes, Func<bool> isStopped) : ScanJob
{
    /// <summary>Bytes read together with a block, for the line it ends in: enough for nearly all, and no call more.</summary>
    private const int Ahead = 2 << 10;

    /// <summary>Bytes read on at a time for a longer one.</summary>
    private const int Tail = 16 << 10;

    private long _nextBlock;

    /// <summary>Bytes of the blocks that were claimed.</summary>
    internal long BytesDone => Math.Min(size, Interlocked.Read(ref _nextBlock) * blockBytes);

    internal override void Work(ScanWorker worker)
    {
        while (Status == 0 && !isStopped())
        {
            long block = Interlocked.Increment(ref _nextBlock) - 1;
            if (block * blockBytes >= size)
            {
                return;
            }

            int status = WorkBlock(worker, block);
            if (status < 0)
            {
                Fail(status);
            }
        }
    }

    private int WorkBlock(ScanWorker worker, long block)
    {
        long began = Stopwatch.GetTimestamp();
        worker.TakeBuffer();
        int status = ReadBlock(worker, block, out Extent extent);

        // What could be read of a block that ends in an error is not guessed at, but its turn must pass.
        int end = status < 0 ? extent.Begin : extent.End;
        int written = worker.RunBlock(worker.Buffer, extent.Begin, end, input, extent.Offset, block);
        status = status < 0 ? status : written;
        if (status == 0 && extent.HasLongLine)
        {
            status = SkipLongLine(worker, extent);
        }

        // A block with few lines, as inside of a long one, is read but not worked on.
        if (status == 0 && (block + 1) * blockBytes <= size && end - extent.Begin >= blockBytes / 2)
        {
            worker.Took(Stopwatch.GetTimestamp() - began);
        }

        worker.Sink.Pass(block);
        return status;
    }

    /// <summary>Reads a block and the rest of its last line, but no more of it than makes it too long.</summary>
    private int ReadBlock(ScanWorker worker, long block, out Extent extent)
    {
        long begin = block * blockBytes;
        long end = Math.Min(size, begin + blockBytes);

        // One byte more tells whether the first line of the block begins at its first byte.
        long from = begin > 0 ? begin - 1 : 0;
        extent = new Extent { Offset = from - Limits.Header, Begin = Limits.Header, End = Limits.Header };
        int own = Limits.Header + (int)(end - from);
        int ahead = (int)Math.Min(size - end, Ahead);
        worker.Reserve(own + ahead + Tail);
        int status = ReadLeast(worker.Buffer.AsSpan(Limits.Header, own + ahead - Limits.Header), own - Limits.Header, from, out int got);
        if (status < 0)
        {
            return status;
        }

        extent.Filled = Limits.Header + got;

        if (begin > 0)
        {
            int newline = worker.Buffer.AsSpan(Limits.Header..(own - 1)).IndexOf((byte)'\n');
            if (newline < 0)
            {
                return 0;
            }

            extent.Begin = Limits.Header + newline + 1;
        }

        // Where the line ends that holds the block's last byte.
        int last = worker.Buffer.AsSpan((own - 1)..extent.Filled).IndexOf((byte)'\n');
        if (last >= 0)
        {
            extent.End = own + last;
            return 0;
        }

        extent.End = extent.Begin + worker.Buffer.AsSpan(extent.Begin..own).LastIndexOf((byte)'\n') + 1;
        return ReadOn(worker, ref extent);
    }

    /// <summary>Reads on until the last line ends, the file ends, or the line is too long.</summary>
    private int ReadOn(ScanWorker worker, ref Extent extent)
    {
        while (extent.End < extent.Filled)
        {
            long at = extent.Offset + extent.Filled;
            if (at == size)
            {
                extent.End = extent.Filled;
                break;
            }

            if (extent.Filled - extent.End > Limits.MaxLine)
            {
                extent.HasLongLine = true;
                break;
            }

            int more = (int)Math.Min(size - at, Tail);
            if (worker.Buffer.Length < extent.Filled + more)
            {
                worker.Reserve((extent.Filled + more) * 2);
            }

            Span<byte> room = worker.Buffer.AsSpan(extent.Filled, more);
            int status = ReadExactly(room, at);
            if (status < 0)
            {
                return status;
            }

            int newline = room.IndexOf((byte)'\n');
            extent.Filled += newline < 0 ? more : newline + 1;
            if (newline >= 0)
            {
                extent.End = extent.Filled;
            }
        }

        return 0;
    }

    /// <summary>Rejects the line that is too long to hold, and writes it piece by piece. It is the block's turn already.</summary>
    private int SkipLongLine(ScanWorker worker, in Extent extent)
    {
        Tally tally = worker.Engine.Tally;
        ReadOnlySpan<byte> held = worker.Buffer.AsSpan(extent.End, extent.Filled - extent.End);
        tally.Lines++;
        tally.Bytes += held.Length;
        tally.Reject(LogReason.TooLong, input, extent.Offset + extent.End, held);
        int status = worker.Sink.Write(held);
        long at = extent.Offset + extent.Filled;
        while (at < size && status == 0)
        {
            if (isStopped())
            {
                return StatusCode.Closed;
            }

            Span<byte> room = worker.Buffer.AsSpan(0, (int)Math.Min(size - at, worker.Buffer.Length));
            status = ReadExactly(room, at);
            if (status < 0)
            {
                break;
            }

            int newline = room.IndexOf((byte)'\n');
            int own = newline < 0 ? room.Length : newline + 1;
            tally.Bytes += own;
            status = worker.Sink.Write(room[..own]);
            at = newline < 0 ? at + own : size;
        }

        return status;
    }

    private int ReadExactly(Span<byte> into, long at) => ReadLeast(into, into.Length, at, out _);

    // Reads at least so many bytes, and more as far as they are there.
    private int ReadLeast(Span<byte> into, int least, long at, out int got)
    {
        got = 0;
        while (got < least)
        {
            int read = Libc.ReadAt(handle, into[got..], at + got);
            if (read <= 0)
            {
                return read < 0 ? read : StatusCode.Truncated;
            }

            got += read;
        }

        return 0;
    }

    /// <summary>The part of a worker's buffer that holds the lines of a block.</summary>
    private struct Extent
    {
        /// <summary>Where in the input byte 0 of the buffer would be.</summary>
        internal long Offset;

        /// <summary>First byte of the first line.</summary>
        internal int Begin;

        /// <summary>One past the last whole line.</summary>
        internal int End;

        /// <summary>One past the last byte.</summary>
        internal int Filled;

        /// <summary>Whether a line that is too long begins at <see cref="End"/>.</summary>
        internal bool HasLongLine;
    }
}
