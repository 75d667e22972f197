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
    /// Reads a file and returns its bytes. Blocks. After an error the lines before it are counted and the next input may follow.
    /// </summary>
    /// <exception cref="CoreIOException">The file cannot be opened or read, or became shorter meanwhile.</exception>
    long ReadFile(string path);

    /// <summary>Reads a descriptor to its end and returns its bytes. Blocks.</summary>
    /// <exception cref="CoreIOException">It cannot be read.</exception>
    long ReadHandle(SafeFileHandle handle);

    /// <summary>Takes bytes of a stream; lines may span calls. Blocks until a worker has room.</summary>
    void Feed(ReadOnlySpan<byte> bytes);

    /// <summary>Ends the stream that <see cref="Feed"/> began.</summary>
    void EndFeed();

    /// <summary>Ends the workers, merges what they hold, and hands it out.</summary>
    LogAnswer Finish();
}
