using CoreIO.Mq;

namespace CoreIO.Native.Tests;

public sealed class NativeMqFloorsTests
{
    private readonly IMqFloors _floors = new NativeBackend().Mq.Floors!;

    [Test]
    public void EveryFloorOfEachFamilyIsMeasured(
        [Values] MqFloorWork work, [Values(MqFamily.Posix, MqFamily.SysV)] MqFamily family)
    {
        int status = _floors.Run(work, family, 64, 200, -1, -1, out MqFloorResult result);
        Assert.That(status, Is.Zero);
        Assert.That(result.Count, Is.GreaterThan(0));
        Assert.That(result.ElapsedNs, Is.GreaterThan(0));
        Assert.That(result.MinNs, Is.LessThanOrEqualTo(result.MaxNs));
    }

    [Test]
    public void WhatIsNoFloorIsAStatus()
    {
        Assert.That(_floors.Run((MqFloorWork)99, MqFamily.Posix, 64, 10, -1, -1, out MqFloorResult result), Is.EqualTo(StatusCode.InvalidArgument));
        Assert.That(result, Is.EqualTo(default(MqFloorResult)));
    }
}
