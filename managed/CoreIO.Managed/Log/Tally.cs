// What became of lines: counts and samples. A tally belongs to one thread.
using CoreIO.Log;

namespace CoreIO.Managed.Log;

internal sealed class Tally
{
    private readonly long[] _reasons = new long[Limits.Reasons];
    private readonly RejectSamples _samples = new();

    internal long Lines { get; set; }

    internal long Parsed { get; set; }

    internal long Filtered { get; set; }

    internal long Bytes { get; set; }

    internal long Rejected => _reasons.Sum();

    /// <summary>Counts a rejected line and keeps a sample of it; the line is without its end.</summary>
    internal void Reject(LogReason reason, int input, long offset, ReadOnlySpan<byte> line)
    {
        _reasons[(int)reason]++;
        _samples.Offer(reason, input, offset, line);
    }

    internal void Merge(Tally other)
    {
        Lines += other.Lines;
        Parsed += other.Parsed;
        Filtered += other.Filtered;
        Bytes += other.Bytes;
        for (int i = 0; i < _reasons.Length; i++)
        {
            _reasons[i] += other._reasons[i];
        }

        _samples.Merge(other._samples);
    }

    /// <summary>The reasons that any line was rejected for, in order.</summary>
    internal IReadOnlyList<LogReject> Rejects() =>
    [
        .. Enumerable.Range(0, _reasons.Length)
            .Where(reason => _reasons[reason] > 0)
            .Select(reason => new LogReject((LogReason)reason, _reasons[reason], _samples.Of((LogReason)reason))),
    ];
}
