// Connections of one source, and new connections a second. The same as native/src/proxy/limits.c.
namespace CoreIO.Managed.Proxy;

/// <summary>How many connections each source has; any thread.</summary>
internal sealed class SourceLimit
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, int> _counts = [];

    /// <summary>Counts a connection of a source, unless it has <paramref name="most"/> already. Source 0 is nobody, and never too many.</summary>
    internal bool Enter(ulong source, int most)
    {
        if (source == 0)
        {
            return true;
        }

        lock (_gate)
        {
            int count = _counts.GetValueOrDefault(source);
            if (count >= most)
            {
                return false;
            }

            _counts[source] = count + 1;
            return true;
        }
    }

    /// <summary>Counts a connection of a source out.</summary>
    internal void Leave(ulong source)
    {
        if (source == 0)
        {
            return;
        }

        lock (_gate)
        {
            int count = _counts[source];
            if (count == 1)
            {
                _counts.Remove(source);
            }
            else
            {
                _counts[source] = count - 1;
            }
        }
    }
}

/// <summary>A rate, as the time up to which it is used up: the generic cell rate algorithm (ITU-T I.371). One thread.</summary>
/// <param name="perSecond">0 is no limit.</param>
internal sealed class RateLimit(int perSecond)
{
    private readonly long _each = perSecond == 0 ? 0 : Clock.Second / perSecond;
    private long _used;

    /// <summary>Takes one, where a tenth of a second's may come at once: 0, or the ns to wait first.</summary>
    internal long Take(long now)
    {
        if (perSecond == 0)
        {
            return 0;
        }

        long burst = Math.Max(Clock.Second / 10, _each);
        long next = Math.Max(_used, now) + _each;
        if (next - now > burst)
        {
            return next - now - burst;
        }

        _used = next;
        return 0;
    }

    /// <summary>Gives one back that was not used.</summary>
    internal void Give() => _used -= _each;
}
