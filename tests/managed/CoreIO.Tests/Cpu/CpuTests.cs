// The machine as each backend sees it, and pinning, which is read back from the kernel. Threads that pin themselves are the test's own.
using CoreIO.Cpu;

namespace CoreIO.Tests.Cpu;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class CpuTests(string backendName)
{
    private ICpuBackend _cpu = null!;

    [OneTimeSetUp]
    public void TakeBackend() => _cpu = Backends.Get(backendName).Cpu;

    [Test]
    public void The_topology_lists_each_online_CPU_once_in_order()
    {
        IReadOnlyList<CpuCore> cores = _cpu.Topology();
        Assert.Multiple(() =>
        {
            Assert.That(cores, Is.Not.Empty);
            Assert.That(cores.Select(c => c.Cpu), Is.Ordered.Ascending.And.Unique);
            Assert.That(cores.Select(c => c.Cpu), Is.EqualTo(Online()));
            Assert.That(cores.Where(c => c.Allowed).Select(c => c.Cpu), Is.EqualTo(_cpu.Allowed()));
        });
    }

    [Test]
    public void The_allowed_CPUs_are_those_of_the_kernel()
    {
        string line = File.ReadLines("/proc/thread-self/status").Single(l => l.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal));
        Assert.That(_cpu.Allowed(), Is.EqualTo(List(line.Split('\t')[1])));
    }

    [Test]
    public void A_pinned_thread_runs_where_it_was_pinned() => OnThread(() =>
    {
        foreach (int cpu in _cpu.Allowed())
        {
            CpuPlace pinned = _cpu.Pin(cpu);
            CpuPlace found = _cpu.Where();
            Assert.Multiple(() =>
            {
                Assert.That((pinned.Cpu, pinned.Pinned), Is.EqualTo((cpu, true)));
                Assert.That((found.Cpu, found.Pinned, found.ThreadId), Is.EqualTo((cpu, true, pinned.ThreadId)));
                Assert.That(Directory.Exists($"/proc/self/task/{found.ThreadId}"));
                Assert.That(_cpu.Allowed(), Is.EqualTo(new[] { cpu }));
            });
        }
    });

    [TestCase(4095)]
    [TestCase(100_000)]
    [TestCase(-1)]
    public void A_CPU_that_is_not_there_is_refused(int cpu) => OnThread(() =>
    {
        IReadOnlyList<int> before = _cpu.Allowed();
        CoreIOException? e = Assert.Throws<CoreIOException>(() => _cpu.Pin(cpu));
        Assert.That(e!.Status, Is.EqualTo(StatusCode.Cpu));
        Assert.That(e.Message, Does.Contain(cpu.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        Assert.That(_cpu.Allowed(), Is.EqualTo(before));
    });

    [Test]
    public void Both_backends_see_the_same_machine()
    {
        Backends.NeedBoth();
        ICpuBackend[] both = [.. Backends.All.Select(b => b.Cpu)];
        Assert.Multiple(() =>
        {
            Assert.That(both[1].Topology(), Is.EqualTo(both[0].Topology()));
            Assert.That(both[1].Features, Is.EqualTo(both[0].Features));
        });
    }

    private static int[] Online() => List(File.ReadAllText("/sys/devices/system/cpu/online"));

    // The kernel's lists: 0-3,8.
    private static int[] List(string text) =>
    [
        .. text.Trim().Split(',').Select(range => range.Split('-').Select(int.Parse).ToArray()).SelectMany(r => Enumerable.Range(r[0], r[^1] - r[0] + 1)),
    ];

    private static void OnThread(Action test)
    {
        Exception? fault = null;
        Thread thread = new(() =>
        {
            try
            {
                test();
            }
            catch (Exception e)
            {
                fault = e;
            }
        });
        thread.Start();
        thread.Join();
        if (fault is not null)
        {
            throw new AssertionException(fault.Message, fault);
        }
    }
}
