// Where rejected lines are written, in the order of the input: blocks have numbers, and whoever holds the lowest one writes.
//
// With nowhere to write to nobody ever waits.
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Managed.Log;

/// <param name="handle">Where they go, or null for nowhere.</param>
/// <param name="stop">Can be read once writing is to be given up.</param>
internal sealed class RejectSink(SafeFileHandle? handle, SafeFileHandle stop)
{
    private readonly object _lock = new();
    private long _turn;
    private int _status;
    private int _writeStatus;

    internal bool IsSet => handle is not null;

    /// <summary>What a write failed with; else 0. Any thread may ask.</summary>
    internal int WriteStatus => Volatile.Read(ref _writeStatus);

    /// <summary>What a write failed with, or what ended the waits; else 0.</summary>
    internal int Status
    {
        get
        {
            lock (_lock)
            {
                return _status;
            }
        }
    }

    /// <summary>Begins a new input: its blocks are numbered from 0.</summary>
    internal void Restart()
    {
        lock (_lock)
        {
            _turn = 0;
        }
    }

    /// <summary>Waits until it is this block's turn. Returns 0 or the status of the sink.</summary>
    internal int Wait(long block)
    {
        if (handle is null)
        {
            return 0;
        }

        lock (_lock)
        {
            while (_turn != block && _status == 0)
            {
                Monitor.Wait(_lock);
            }

            return _status;
        }
    }

    /// <summary>Writes bytes of the block whose turn it is. Returns 0, -errno, or the status of a stop.</summary>
    internal int Write(ReadOnlySpan<byte> bytes)
    {
        int status = handle is null ? 0 : Libc.WriteAll(handle, bytes, stop);
        if (status < 0 && status != StatusCode.Closed)
        {
            Volatile.Write(ref _writeStatus, status);
            Fail(status);
        }

        return status;
    }

    /// <summary>Gives the turn to the next block.</summary>
    internal void Pass(long block)
    {
        if (handle is null)
        {
            return;
        }

        lock (_lock)
        {
            _turn = block + 1;
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Ends all waits with this status, unless there is one already.</summary>
    internal void Fail(int status)
    {
        lock (_lock)
        {
            if (_status == 0)
            {
                _status = status;
            }

            Monitor.PulseAll(_lock);
        }
    }
}
