// How much a flow of the proxy reads at a time.
using CoreIO.Managed.Proxy;

namespace CoreIO.Managed.Tests;

public sealed class FlowTests
{
    [Test]
    public void AStreamIsReadInLargerPiecesUntilItIsNoneAnyMore()
    {
        using Flow flow = new(null!, fromClient: true);
        Weigh(flow, Flow.BufferBytes, Flow.BufferBytes, Flow.BufferBytes - 1, Flow.BufferBytes, Flow.BufferBytes);
        Assert.That(flow.Room().Length, Is.EqualTo(Flow.BufferBytes), "never three in a row");
        Weigh(flow, Flow.BufferBytes);
        Assert.That(flow.Room().Length, Is.EqualTo(Flow.StreamBytes));
        Weigh(flow, [.. Enumerable.Repeat(4095, 14), 4096, .. Enumerable.Repeat(1, 14)]);
        flow.Release();
        Assert.That(flow.Room().Length, Is.EqualTo(Flow.StreamBytes), "never fifteen in a row");
        Weigh(flow, 4095);
        flow.Release();
        Assert.That(flow.Room().Length, Is.EqualTo(Flow.BufferBytes));
        flow.Release();
    }

    private static void Weigh(Flow flow, params int[] reads)
    {
        foreach (int bytes in reads)
        {
            flow.Weigh(bytes);
        }
    }
}
