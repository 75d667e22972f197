// The ring of finished connections, which end on any thread. The same as native/src/proxy/journal.c.
using System.Numerics;
using CoreIO.Proxy;

namespace CoreIO.Managed.Proxy;

/// <param name="capacity">0 keeps none.</param>
internal sealed class Journal(int capacity)
{
    private readonly Lock _gate = new();

    // Not cleared: what was not written is not touched, and takes no memory until then.
    private readonly ProxyRecord[] _records =
        GC.AllocateUninitializedArray<ProxyRecord>(capacity == 0 ? 0 : (int)BitOperations.RoundUpToPowerOf2((uint)capacity));

    private long _written;
    private long _read;

    internal bool Keeps => _records.Length > 0;

    /// <summary>Writes a record; false when there is no room.</summary>
    internal bool Write(in ProxyRecord record)
    {
        lock (_gate)
        {
            if (_written - _read == _records.Length)
            {
                return false;
            }

            _records[_written++ & (_records.Length - 1)] = record;
            return true;
        }
    }

    /// <summary>Takes records out; how many.</summary>
    internal int Read(Span<ProxyRecord> records)
    {
        lock (_gate)
        {
            int count = (int)Math.Min(records.Length, _written - _read);
            for (int i = 0; i < count; i++)
            {
                records[i] = _records[_read++ & (_records.Length - 1)];
            }

            return count;
        }
    }
}
