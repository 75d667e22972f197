// The runs of one contestant, and what each took.
namespace CoreIO.Log.Bench;

internal sealed class LogBenchTrial(LogBenchContestant contestant)
{
    private readonly List<long> _elapsed = [];
    private readonly List<long> _cpu = [];
    private readonly List<long> _allocated = [];
    private readonly List<long> _crossings = [];
    private long? _peak;
    private string? _kernel;

    public LogBenchContestant Contestant => contestant;

    /// <summary>The answer of the last run.</summary>
    public string? Answer { get; private set; }

    public long Lines { get; private set; }

    public bool Agrees { get; set; } = true;

    /// <summary>What was measured.</summary>
    public LogBenchRow Row => new()
    {
        Question = contestant.Question,
        Text = contestant.Text,
        Who = contestant.Who,
        Kernel = _kernel,
        Elapsed = LogBenchSpread.Of(_elapsed),
        Cpu = LogBenchSpread.Of(_cpu),
        PeakBytes = contestant.IsForeign ? null : _peak,
        AllocatedBytes = contestant.IsForeign ? null : LogBenchSpread.Of(_allocated).Median,
        Crossings = LogBenchSpread.Of(_crossings).Median,
        Agrees = Agrees,
    };

    /// <summary>Runs once; a warm-up is not kept. Returns whether the peak of the memory is that of this run.</summary>
    public bool Run(bool keep)
    {
        ProcessMeter.CollectGarbage();
        bool fresh = ProcessMeter.ResetPeak();
        long crossings = contestant.Backend?.Crossings ?? 0;
        long allocated = GC.GetTotalAllocatedBytes(precise: true);
        long cpu = contestant.IsForeign ? ProcessMeter.ChildrenCpuNs : ProcessMeter.CpuNs;
        LogBenchRun run = contestant.Run();
        cpu = (contestant.IsForeign ? ProcessMeter.ChildrenCpuNs : ProcessMeter.CpuNs) - cpu;
        allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated;
        crossings = (contestant.Backend?.Crossings ?? 0) - crossings;
        long? peak = ProcessMeter.PeakBytes();
        Answer = run.Answer ?? contestant.Conclude();
        Lines = run.Lines;
        if (keep)
        {
            _elapsed.Add(run.ElapsedNs);
            _cpu.Add(cpu);
            _allocated.Add(allocated);
            _crossings.Add(crossings);
            _peak = Math.Max(_peak ?? 0, peak ?? 0);
            _kernel = run.Kernel;
        }

        return fresh;
    }

    /// <summary>Compares the answers of the last run. Foreign programs have rules of their own, so they may differ, and it is said; backends may not.</summary>
    /// <exception cref="LogBenchException">Two backends answered differently.</exception>
    public static void Compare(IReadOnlyList<LogBenchTrial> trials)
    {
        foreach (IGrouping<string, LogBenchTrial> question in trials.GroupBy(t => t.Contestant.Question))
        {
            LogBenchTrial? first = null;
            foreach (LogBenchTrial trial in question.Where(t => t.Answer is not null && !t.Contestant.IsForeign))
            {
                first ??= trial;
                if (trial.Answer != first.Answer)
                {
                    throw new LogBenchException(first.Contestant.Text, first.Contestant.Who, trial.Contestant.Who);
                }
            }

            foreach (LogBenchTrial trial in question.Where(t => t.Contestant.IsForeign))
            {
                trial.Agrees &= first?.Contestant is ReportContestant report && report.Counts == trial.Answer;
            }
        }
    }
}
