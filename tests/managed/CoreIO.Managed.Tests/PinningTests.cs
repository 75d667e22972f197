using CoreIO.Cpu;
using CoreIO.Log;

namespace CoreIO.Managed.Tests;

/// <summary>Workers are threads of their own, pinned where they were told to be.</summary>
public sealed class PinningTests
{
    private readonly ManagedBackend _backend = new();

    [Test]
    public void A_pinned_thread_runs_where_it_was_pinned()
    {
        foreach (int cpu in _backend.Cpu.Allowed())
        {
            CpuPlace place = OnOwnThread(() => _backend.Cpu.Pin(cpu));
            Assert.That(place.Cpu, Is.EqualTo(cpu));
            Assert.That(place.Pinned, Is.True);
            Assert.That(place.ThreadId, Is.GreaterThan(0).And.Not.EqualTo(_backend.Cpu.Where().ThreadId));
        }
    }

    [TestCase(-1)]
    [TestCase(4095)]
    [TestCase(4096)]
    public void A_cpu_that_is_not_there_is_refused(int cpu)
    {
        CoreIOException? e = Assert.Throws<CoreIOException>(() => _backend.Cpu.Pin(cpu));
        Assert.That(e!.Status, Is.EqualTo(StatusCode.Cpu));
    }

    [Test]
    public void The_topology_lists_every_allowed_cpu()
    {
        IReadOnlyList<CpuCore> cores = _backend.Cpu.Topology();
        Assert.That(cores.Where(core => core.Allowed).Select(core => core.Cpu), Is.EqualTo(_backend.Cpu.Allowed()));
    }

    [Test]
    public void Workers_report_their_threads_and_cpus()
    {
        IReadOnlyList<int> allowed = _backend.Cpu.Allowed();
        using ILogFormat format = _backend.Log.CompileFormat("combined");
        using ILogScan scan = _backend.Log.CreateScan(
            new LogQuery { Format = format, Tables = [new LogTable()] }, new LogScanOptions { Workers = 3, Cpus = allowed });
        scan.Feed(Samples.Combined(10));
        scan.EndFeed();
        LogAnswer answer = scan.Finish();
        IEnumerable<int> wanted = Enumerable.Range(0, 3).Select(i => allowed[i % allowed.Count]);
        Assert.That(answer.Workers.Select(worker => worker.Cpu), Is.EqualTo(wanted));
        Assert.That(answer.Workers.Select(worker => worker.ThreadId).Distinct().Count(), Is.EqualTo(3));
        Assert.That(answer.Workers.Sum(worker => worker.Lines), Is.EqualTo(10));
    }

    [Test]
    public void A_scan_on_a_cpu_that_is_not_there_fails()
    {
        using ILogFormat format = _backend.Log.CompileFormat("combined");
        LogQuery query = new() { Format = format, Tables = [new LogTable()] };
        CoreIOException? e = Assert.Throws<CoreIOException>(
            () => _backend.Log.CreateScan(query, new LogScanOptions { Workers = 2, Cpus = [_backend.Cpu.Allowed()[0], 4095] }));
        Assert.That(e!.Status, Is.EqualTo(StatusCode.Cpu));
    }

    private static T OnOwnThread<T>(Func<T> work)
    {
        T result = default!;
        Thread thread = new(() => result = work());
        thread.Start();
        thread.Join();
        return result;
    }
}
