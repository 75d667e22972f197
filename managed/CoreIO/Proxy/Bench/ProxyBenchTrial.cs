// The runs of one contestant in one work, and what each gave. Once a run has failed there are no more, and no figures.
using CoreIO.Log.Bench;

namespace CoreIO.Proxy.Bench;

internal sealed class ProxyBenchTrial(ProxyBenchContestant contestant, ProxyBenchWork work, string? congestion)
{
    private readonly List<ProxyBenchFigures> _runs = [];
    private string? _fault;

    public ProxyBenchContestant Contestant => contestant;

    public ProxyBenchWork Work => work;

    public string? Congestion => congestion;

    public bool HasFailed => _fault is not null;

    public bool HasRun => _runs.Count > 0 || HasFailed;

    /// <summary>What was measured.</summary>
    public ProxyBenchRow Row => HasFailed ? Empty with { Fault = _fault } : Empty with
    {
        Sent = _runs.Sum(run => run.Sent),
        Received = _runs.Sum(run => run.Received),
        CpuNs = Spread(run => run.CpuNs),
        PerSecond = Spread(run => run.PerSecond),
        P50Ns = Spread(run => run.P50Ns),
        P99Ns = Spread(run => run.P99Ns),
        BytesPerConnection = Spread(run => run.BytesPerConnection),
        BaseBytes = Spread(run => run.BaseBytes),
        Busiest = _runs.TrueForAll(run => run.WorkerConnections is not null) ? Spread(run => run.WorkerConnections?[0]) : null,
        Connections = _runs[^1].Connections,
        WorkerConnections = _runs[^1].WorkerConnections,
        SharedConnections = _runs[^1].SharedConnections,
    };

    private ProxyBenchRow Empty => new() { Work = work.Name, Congestion = congestion, Who = contestant.Name };

    /// <summary>Keeps what a run gave, or the message of its fault.</summary>
    public void Run(Func<ProxyBenchFigures> run)
    {
        try
        {
            _runs.Add(run());
        }
        catch (ProxyBenchFault e)
        {
            _fault = e.Message;
        }
    }

    private LogBenchSpread? Spread(Func<ProxyBenchFigures, long?> figure)
    {
        long[] values = [.. _runs.Select(figure).OfType<long>()];
        return values.Length > 0 ? LogBenchSpread.Of(values) : null;
    }
}
