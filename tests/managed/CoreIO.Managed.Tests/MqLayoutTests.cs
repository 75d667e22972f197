using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CoreIO.Managed.Mq;

namespace CoreIO.Managed.Tests;

/// <summary>The structures of the kernel as they are declared here, byte for byte.</summary>
public sealed class MqLayoutTests
{
    [Test]
    public void Structures_have_the_size_of_the_kernels() => Assert.Multiple(() =>
    {
        Assert.That(Unsafe.SizeOf<MqLibc.MqAttributes>(), Is.EqualTo(64));
        Assert.That(Unsafe.SizeOf<MqLibc.SignalEvent>(), Is.EqualTo(64));
        Assert.That(Unsafe.SizeOf<MqLibc.SysVStatus>(), Is.EqualTo(120));
        Assert.That(Unsafe.SizeOf<MqLibc.SysVLimits>(), Is.EqualTo(32));
        Assert.That(Unsafe.SizeOf<MqLibc.TimeSpec>(), Is.EqualTo(16));
    });

    [Test]
    public void Fields_stand_where_the_kernels_do()
    {
        MqLibc.SysVStatus status = new() { SendTime = 1, Bytes = 2, MaxBytes = 3, LastSender = 4, LastReceiver = 5, Mode = 6, Sequence = 7 };
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(new ReadOnlySpan<MqLibc.SysVStatus>(in status));
        int[] found = [bytes[48], bytes[72], bytes[88], bytes[96], bytes[100], bytes[20], bytes[24]];
        Assert.That(found, Is.EqualTo((int[])[1, 2, 3, 4, 5, 6, 7]));
        MqLibc.SignalEvent notification = new() { Value = 1, Signal = 2, Kind = 3 };
        bytes = MemoryMarshal.AsBytes(new ReadOnlySpan<MqLibc.SignalEvent>(in notification));
        Assert.That((bytes[0], bytes[8], bytes[12]), Is.EqualTo(((byte)1, (byte)2, (byte)3)));
    }
}
