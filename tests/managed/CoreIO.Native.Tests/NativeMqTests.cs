using CoreIO.Interop;
using CoreIO.Mq;
using CoreIO.Native.Mq;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Native.Tests;

/// <summary>What crosses for a queue, and what is kept open meanwhile.</summary>
public sealed unsafe class NativeMqTests
{
    [Test]
    public void A_plain_wait_is_no_argument()
    {
        using NativeWait held = new(default, out coreio_mq_wait native);
        Assert.That((long)NativeWait.Argument(&native), Is.Zero);
        using NativeWait spin = new(new MqWait(Spin: TimeSpan.FromTicks(3)), out native);
        Assert.That((long)NativeWait.Argument(&native), Is.EqualTo((long)&native));
        Assert.That((native.size, native.flags, native.spin_ns), Is.EqualTo(((uint)sizeof(coreio_mq_wait), 0u, 300L)));
    }

    [Test]
    public void Times_that_no_number_holds_are_the_longest()
    {
        using NativeWait most = new(new MqWait(TimeSpan.MaxValue), out coreio_mq_wait native);
        Assert.That((native.flags, native.timeout_ns), Is.EqualTo((LibCoreIO.COREIO_MQ_TIMED, long.MaxValue)));
        using NativeWait least = new(new MqWait(TimeSpan.MinValue, TimeSpan.MinValue), out native);
        Assert.That((native.timeout_ns, native.spin_ns), Is.EqualTo((0L, 0L)));
    }

    [Test]
    public void The_cancel_descriptor_stays_open_for_the_call()
    {
        SafeFileHandle cancel = File.OpenHandle("/proc/self/status");
        using (NativeWait held = new(new MqWait(Cancel: cancel), out coreio_mq_wait native))
        {
            cancel.Dispose();
            Assert.That(native.flags, Is.EqualTo(LibCoreIO.COREIO_MQ_CANCELLABLE));
            Assert.That($"/proc/self/fd/{native.cancel_fd}", Does.Exist);
        }

        Assert.That(() => new NativeWait(new MqWait(Cancel: cancel), out _).Dispose(), Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public void A_batch_crosses_once()
    {
        ICoreBackend backend = new NativeBackend();
        int queue = backend.Mq.SysV.Get(0, SysVQueueFlags.Create, 0x180);
        try
        {
            MqMessage[] messages = [.. Enumerable.Repeat(new MqMessage(8, 8, 1), 20)];
            long before = backend.Crossings;
            Assert.That(backend.Mq.SysV.SendMany(queue, new byte[16], messages, default), Is.EqualTo(20));
            Assert.That(backend.Mq.SysV.ReceiveMany(queue, new byte[20 * 16], 8, 0, 0, messages, default), Is.EqualTo(20));
            Assert.That(backend.Crossings - before, Is.EqualTo(2));
        }
        finally
        {
            _ = backend.Mq.SysV.Remove(queue);
        }
    }
}
