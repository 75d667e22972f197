// The runs of one contestant, and what each took.
using CoreIO.Log.Bench;

namespace CoreIO.Mq.Bench;

internal sealed class MqBenchTrial(MqBenchContestant contestant)
{
    private readonly List<long> _ps = [];
    private readonly List<long> _p99 = [];
    private readonly List<long> _allocated = [];
    private readonly List<long> _crossings = [];

    public MqBenchContestant Contestant => contestant;

    public bool HasRun => _ps.Count > 0;

    /// <summary>What was measured.</summary>
    public MqBenchRow Row => new()
    {
        Work = contestant.Work,
        Transport = contestant.Transport,
        Size = contestant.Size,
        Who = contestant.Who,
        IsOneProcess = contestant.IsOneProcess,
        Ps = LogBenchSpread.Of(_ps),
        P99Ps = _p99.Count > 0 ? LogBenchSpread.Of(_p99) : null,
        AllocatedPerThousand = _allocated.Count > 0 ? LogBenchSpread.Of(_allocated).Median : null,
        CrossingsPerThousand = LogBenchSpread.Of(_crossings).Median,
    };

    /// <summary>Runs once; a warm-up is not kept.</summary>
    public void Run(int count, bool keep)
    {
        ProcessMeter.CollectGarbage();
        long crossings = contestant.Backend?.Crossings ?? 0;
        MqBenchRun run = contestant.Run(count);
        crossings = (contestant.Backend?.Crossings ?? 0) - crossings;
        if (!keep)
        {
            return;
        }

        _ps.Add(run.Ps);
        _crossings.Add(crossings * 1000 / Math.Max(1, run.Messages));
        if (run.P99Ps is long p99)
        {
            _p99.Add(p99);
        }

        if (run.Allocated is long allocated)
        {
            _allocated.Add(allocated);
        }
    }
}
