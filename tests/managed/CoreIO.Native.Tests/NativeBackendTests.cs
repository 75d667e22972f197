using CoreIO.Cpu;

namespace CoreIO.Native.Tests;

/// <summary>The backend as a whole, and the machine it shows.</summary>
public sealed class NativeBackendTests
{
    [Test]
    public void It_says_what_it_is()
    {
        NativeBackend backend = new();
        Assert.Multiple(() =>
        {
            Assert.That(backend.Name, Is.EqualTo("native"));
            Assert.That(backend.Features, Is.EqualTo(
                BackendFeatures.CrossesBoundary | BackendFeatures.LogFloors | BackendFeatures.MqFloors | BackendFeatures.ProxySplice
                | BackendFeatures.ProxyWorkers));
            Assert.That(backend.Library.Path, Is.Not.Empty);
        });
    }

    [Test]
    public void Topology_and_allowed_CPUs_agree()
    {
        ICpuBackend cpu = new NativeBackend().Cpu;
        Assert.That(cpu.Allowed(), Is.Not.Empty.And.EqualTo(cpu.Topology().Where(c => c.Allowed).Select(c => c.Cpu)));
    }

    [Test]
    public void A_pinned_thread_runs_where_it_is_pinned() => OnItsOwnThread(() =>
    {
        ICpuBackend cpu = new NativeBackend().Cpu;
        int target = cpu.Allowed()[^1];
        CpuPlace pinned = cpu.Pin(target);
        CpuPlace found = cpu.Where();
        Assert.Multiple(() =>
        {
            Assert.That((pinned.Cpu, pinned.Pinned), Is.EqualTo((target, true)));
            Assert.That(found, Is.EqualTo(pinned));
            Assert.That($"/proc/self/task/{pinned.ThreadId}", Does.Exist);
            Assert.That(cpu.Allowed(), Is.EqualTo(new[] { target }));
        });
    });

    [TestCase(-1)]
    [TestCase(4095)]
    [TestCase(int.MaxValue)]
    public void A_CPU_that_does_not_exist_is_named(int cpu) => Assert.That(
        () => new NativeBackend().Cpu.Pin(cpu),
        Throws.InstanceOf<CoreIOException>().With.Message.StartsWith($"CPU {cpu}: "));

    // Affinity stays with a thread, so no test runner's thread is pinned.
    private static void OnItsOwnThread(Action action)
    {
        Exception? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                action();
            }
            catch (Exception e) when (e is AssertionException or CoreIOException or MultipleAssertException)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        }
    }
}
