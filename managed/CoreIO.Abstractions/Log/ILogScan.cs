using Microsoft.Win32.SafeHandles;

namespace CoreIO.Log;

/// <summary>
/// Reads inputs on pinned workers and holds the answer. One thread at a time, but for <see cref="Progress"/> and <see cref="Stop"/>.
/// </summary>
public interface ILogScan : IDisposable
{
    /// <summary>How far the input being read is. Any thread.</summary>
    LogProgress Progress { get; }

    /// <summary>Makes the call that reads fail soon with <see cref="StatusCode.Closed"/>. Any thread.</summary>
    void Stop();

    /// <summary>
    /// Numbers the next input, which else comes after the one before. Samples of rejected lines are the first ones by number and offset, also
    /// of all inputs of scans that are merged.
    /// </summary>
    /// <exception cref="CoreIOException">The number is not larger than that of any input before, or a stream is open.</exception>
    void Number(int input);

    /// <summary>
    /// Reads a file and returns its bytes. Blocks. After an error the lines before it are counted and the next input may follow.
    /// </summary>
    /// <exception cref="CoreIOException">The file cannot be opened or read, or became shorter meanwhile.</exception>
    long ReadFile(string path);

    /// <summary>Reads a descriptor to its end and returns its bytes. Blocks.</summary>
    /// <exception cref="CoreIOException">It cannot be read.</exception>
    long ReadHandle(SafeFileHandle handle);

    /// <summary>Takes bytes of a stream; lines may span calls. Blocks until a worker has room.</summary>
    void Feed(ReadOnlySpan<byte> bytes);

    /// <summary>
    /// Lends room for the next bytes of a stream, so that they need not be copied; never empty. It is of no use after the next call, which is
    /// <see cref="FeedDone"/>. Blocks until a worker has room.
    /// </summary>
    Span<byte> FeedRoom();

    /// <summary>Takes the first bytes of what <see cref="FeedRoom"/> lent.</summary>
    /// <exception cref="CoreIOException">So much was not lent.</exception>
    void FeedDone(int length);

    /// <summary>Ends the stream that <see cref="Feed"/> or <see cref="FeedRoom"/> began.</summary>
    void EndFeed();

    /// <summary>Starts another scan of the same question, for <see cref="Merge"/>.</summary>
    /// <exception cref="CoreIOException">No such kernel or CPU (<see cref="StatusCode.Cpu"/>), or no threads to be had.</exception>
    ILogScan CreatePart(LogScanOptions options);

    /// <summary>Adds what a part of this scan has counted and ends its workers; it gives no answer any more.</summary>
    /// <exception cref="CoreIOException">It is no part of this scan, a stream is open, or one of them has failed, ended or was stopped.</exception>
    void Merge(ILogScan part);

    /// <summary>Ends the workers, merges what they hold, and hands it out.</summary>
    LogAnswer Finish();
}
