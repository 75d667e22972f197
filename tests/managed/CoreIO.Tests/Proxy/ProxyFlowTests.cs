// A side that does not read stops the reading of the other side, and nothing else.
using System.Diagnostics;
using System.Net.Sockets;
using CoreIO.Proxy;

namespace CoreIO.Tests.Proxy;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class ProxyFlowTests(string backend)
{
    private const int Read = 64 << 10;

    // What is read of a stream where no pipe carries it.
    private const int StreamRead = 256 << 10;

    private bool HasPipes => Backends.Get(backend).Features.HasFlag(BackendFeatures.ProxySplice);

    [Test]
    public void A_peer_that_does_not_read_stops_the_other_and_nothing_else(
        [Values] bool toClient, [Values(ProxySplice.Never, ProxySplice.Always)] ProxySplice splice)
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, ProxyRig.One with { Splice = splice }, upstream.Address);
        (Socket client, Socket server) = rig.Pair(upstream);
        using (client)
        using (server)
        {
            (Socket writer, Socket reader) = toClient ? (server, client) : (client, server);
            long sent = writer.Fill();
            // The windows are full. What is held beside them is less than one read; what is in a pipe is not in a buffer.
            ProxyCounters counters = rig.Counters;
            Assert.That(counters.Buffers, Is.InRange(0, splice == ProxySplice.Never || HasPipes ? Read : StreamRead));
            Assert.That(toClient ? counters.BytesToClient : counters.BytesToUpstream, Is.LessThan(sent));
            long before = counters.BytesToClient + counters.BytesToUpstream;
            Assert.That(counters.Pipes, Is.InRange(0, 2));
            // The other direction is free, and so are other connections.
            for (int i = 0; i < 100; i++)
            {
                reader.Reaches(writer, "free");
            }

            (Socket otherClient, Socket otherServer) = rig.Pair(upstream);
            using (otherClient)
            using (otherServer)
            {
                otherClient.Reaches(otherServer, "free");
                otherServer.Reaches(otherClient, "free");
            }

            ProxyCounters later = rig.Counters;
            Assert.That(later.BytesToClient + later.BytesToUpstream - before, Is.EqualTo(102 * 4), "nothing more is read for who does not read");
            // Once it reads, everything comes.
            writer.EndSending();
            Assert.That(reader.Drain(), Is.EqualTo(sent));
        }

        rig.WaitForLive(0);
        Assert.That(rig.Counters.Buffers, Is.Zero);
    }

    [Test]
    public void Many_that_do_not_read_hold_one_read_each([Values(ProxySplice.Never, ProxySplice.Auto)] ProxySplice splice)
    {
        const int Connections = 10;
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, ProxyRig.One with { Splice = splice }, upstream.Address);
        List<Socket> servers = [];
        for (int i = 0; i < Connections; i++)
        {
            (Socket client, Socket server) = rig.Pair(upstream);
            rig.Own(client);
            servers.Add(rig.Own(server));
        }

        Task<long>[] fills = [.. servers.Select(server => Task.Factory.StartNew(server.Fill, TaskCreationOptions.LongRunning))];
        Assert.That(Task.WaitAll(fills, ProxyRig.PatienceMs), Is.True);
        // What is in pipes is in no buffer; without them the last read of a stream is larger, and hardly any of it is taken.
        Assert.That(rig.Counters.Buffers, splice == ProxySplice.Never ? Is.InRange(1, Connections * Read)
            : HasPipes ? Is.InRange(0, Connections * Read)
            : Is.InRange((Connections * Read) + 1, Connections * StreamRead));
        // Clients that vanish take what was held for them along.
        rig.Calls.Drain(TimeSpan.Zero);
        rig.WaitForLive(0);
        Assert.That(rig.Counters.Buffers, Is.Zero);
    }

    [Test]
    public void An_idle_connection_holds_neither_buffer_nor_pipe_and_costs_nothing()
    {
        const int Connections = 200;
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend,
            ProxyRig.One with { Splice = ProxySplice.Always, IdleTimeout = TimeSpan.FromHours(1) }, upstream.Address);
        Socket last = null!;
        for (int i = 0; i < Connections; i++)
        {
            (Socket client, Socket server) = rig.Pair(upstream);
            rig.Own(server);
            last = rig.Own(client);
            client.Reaches(server);
        }

        // The worker keeps the pipe that one after the other had.
        Assert.That(rig.Counters.Pipes, Is.LessThanOrEqualTo(1));
        Assert.That(rig.Counters.Buffers, Is.Zero);
        ProxyWorker before = rig.Workers[0];
        last.ExpectSilence(500);
        ProxyWorker after = rig.Workers[0];
        Assert.That(after.Live, Is.EqualTo(Connections));
        Assert.That(after.Waits - before.Waits, Is.LessThanOrEqualTo(3));
        Assert.That(after.CpuTimeNs - before.CpuTimeNs, Is.LessThan(50_000_000));
    }

    [Test]
    public void Bandwidth_is_kept_each_way_and_for_each_connection()
    {
        const int Bytes = 500_000;
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, ProxyRig.One with { Bandwidth = 1_000_000 }, upstream.Address);
        List<Task> ways = [];
        Stopwatch watch = Stopwatch.StartNew();
        for (int i = 0; i < 2; i++)
        {
            (Socket client, Socket server) = rig.Pair(upstream);
            rig.Own(client);
            rig.Own(server);
            ways.Add(ProxyRig.Beside(() => client.Say(new byte[Bytes])));
            ways.Add(ProxyRig.Beside(() => server.Say(new byte[Bytes])));
            ways.Add(ProxyRig.Beside(() => client.Hear(Bytes)));
            ways.Add(ProxyRig.Beside(() => server.Hear(Bytes)));
        }

        Assert.That(Task.WaitAll([.. ways], ProxyRig.PatienceMs), Is.True);
        // Half a second each, of which a tenth of a second may come at once; all four beside each other.
        Assert.That(watch.ElapsedMilliseconds, Is.InRange(350, 1900));
    }
}
