// What is told of a finished connection, field by field, and of those there was no room for.
using System.Net;
using System.Net.Sockets;
using CoreIO.Proxy;

namespace CoreIO.Tests.Proxy;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class ProxyJournalTests(string backend)
{
    private const int Refused = 111;

    [Test]
    public void A_record_says_what_happened()
    {
        using ProxyUpstreamServer upstream = new();
        ProxyPlan plan = ProxyRig.Plan(ProxyRig.One, ProxyRig.Refusing(), upstream.Address);
        using ProxyRig rig = new(backend, plan with { Listeners = [plan.Listeners[0], plan.Listeners[0]] });
        long begin = Now();
        string source;
        using (Socket client = ProxyPeer.Connect(rig.Calls.Bound(1)))
        using (Socket server = upstream.Accept())
        {
            source = client.LocalEndPoint!.ToString()!;
            client.Reaches(server, "question");
            client.ExpectSilence(120);
            server.Reaches(client, "a longer answer");
        }

        ProxyRecord record = rig.Record();
        // The clock that is read is as coarse as the kernel's tick.
        Assert.That(record.BeginNs, Is.InRange(begin - 20_000_000, Now()));
        Assert.That(record.DurationNs, Is.InRange(100_000_000, Now() - begin + 20_000_000));
        Assert.That(record.ConnectNs, Is.InRange(0, record.DurationNs));
        Assert.That((record.BytesIn, record.BytesOut), Is.EqualTo((8L, 15L)));
        Assert.That((record.Listener, record.Upstream, record.Worker), Is.EqualTo((1, 1, 0)));
        Assert.That((record.End, record.Error, record.Retries), Is.EqualTo((ProxyEnd.Done, 0, 1)));
        Assert.That((record.SourceText(), record.TargetText()), Is.EqualTo((source, (string?)null)));
    }

    [Test]
    public void The_error_belongs_to_the_end()
    {
        using ProxyRig rig = new(backend, ProxyRig.Quick, ProxyRig.Refusing());
        using Socket client = rig.Client();
        client.ExpectGone();
        ProxyRecord record = rig.Record();
        Assert.That((record.End, record.Error, record.Retries), Is.EqualTo((ProxyEnd.ConnectFailed, Refused, 1)));
        Assert.That(record.Upstream, Is.EqualTo(-1));
        Assert.That(rig.Counters.Ends[(int)ProxyEnd.ConnectFailed], Is.EqualTo(1));
    }

    [Test]
    public void Records_that_are_not_read_are_kept_up_to_a_number_and_then_counted()
    {
        const int Room = 8;
        const int Connections = 20;
        using ProxyUpstreamServer upstream = new ProxyUpstreamServer().Answering();
        using ProxyRig rig = new(backend, ProxyRig.One with { Journal = Room }, upstream.Address);
        List<ushort> ports = [];
        for (int i = 0; i < Connections; i++)
        {
            using (Socket client = rig.Client())
            {
                ports.Add((ushort)client.LocalEndPoint!.Port());
            }

            ProxyRig.Until(() => rig.Counters.Ended == ports.Count, "it has ended");
            rig.WaitForLive(0);
        }

        Assert.That(rig.Counters.JournalLost, Is.EqualTo(Connections - Room));
        ProxyRecord[] records = new ProxyRecord[Connections];
        Assert.That(rig.Calls.ReadJournal(records.AsSpan(0, 3)), Is.EqualTo(3));
        Assert.That(rig.Calls.ReadJournal(records.AsSpan(3)), Is.EqualTo(Room - 3));
        Assert.That(rig.Calls.ReadJournal(records), Is.Zero);
        // The oldest are those that are kept.
        Assert.That(records.Take(Room).Select(record => record.SourcePort), Is.EqualTo(ports.Take(Room)));
        // And there is room again.
        rig.Client().Dispose();
        _ = rig.Record();
        Assert.That(rig.Counters.JournalLost, Is.EqualTo(Connections - Room));
    }

    [Test]
    public void Without_a_journal_nothing_is_kept_and_nothing_is_lost()
    {
        using ProxyUpstreamServer upstream = new ProxyUpstreamServer().Answering();
        using ProxyRig rig = new(backend, ProxyRig.One with { Journal = 0 }, upstream.Address);
        rig.Client().Dispose();
        ProxyRig.Until(() => rig.Counters.Ended == 1, "it has ended");
        Assert.That(rig.Calls.ReadJournal(new ProxyRecord[4]), Is.Zero);
        Assert.That(rig.Counters.JournalLost, Is.Zero);
    }

    [Test]
    public void A_reader_beside_the_workers_gets_each_record_once()
    {
        const int Connections = 1000;
        using ProxyUpstreamServer upstream = new ProxyUpstreamServer().Answering("answer");
        using ProxyRig rig = new(backend, ProxyRig.One with { Workers = 2, Journal = 64 }, upstream.Address);
        HashSet<(int, long)> seen = [];
        Task asking = ProxyRig.Beside(() =>
        {
            for (int i = 0; i < Connections; i++)
            {
                using Socket client = rig.Client();
                client.Say("?");
                client.Expect("answer");
            }
        });
        ProxyRecord[] batch = new ProxyRecord[16];
        ProxyRig.Until(() =>
        {
            int count = rig.Calls.ReadJournal(batch);
            for (int i = 0; i < count; i++)
            {
                Assert.That((batch[i].BytesIn, batch[i].BytesOut), Is.EqualTo((1L, 6L)));
                Assert.That(seen.Add((batch[i].SourcePort, batch[i].BeginNs)), Is.True, "it was not read before");
            }

            return seen.Count + rig.Counters.JournalLost == Connections;
        }, "every record is read or counted");
        Assert.That(asking.Wait(ProxyRig.PatienceMs), Is.True);
        Assert.That(seen, Has.Count.GreaterThan(64));
    }

    [Test]
    public void Batches_smaller_than_what_there_is_tell_how_many_there_are()
    {
        EndPoint[] upstreams = [ProxyRig.Refusing(), ProxyRig.Refusing(), ProxyRig.Refusing()];
        using ProxyRig rig = new(backend, ProxyRig.One with { Workers = 2 }, upstreams);
        ProxyUpstreamState[] states = [new() { Index = 77 }, new() { Index = 77 }];
        Assert.That(rig.Calls.ReadUpstreams([]), Is.EqualTo(3));
        Assert.That(rig.Calls.ReadUpstreams(states.AsSpan(0, 1)), Is.EqualTo(3));
        Assert.That((states[0].Index, states[1].Index), Is.EqualTo((0, 77)));
        ProxyWorker[] workers = [new() { Accepted = 77 }, new() { Accepted = 77 }];
        Assert.That(rig.Calls.ReadWorkers([]), Is.EqualTo(ProxyRig.Threads(backend, 2)));
        Assert.That(rig.Calls.ReadWorkers(workers.AsSpan(0, 1)), Is.EqualTo(ProxyRig.Threads(backend, 2)));
        Assert.That((workers[0].Accepted, workers[1].Accepted), Is.EqualTo((0L, 77L)));
        Assert.That(rig.Calls.ReadJournal([]), Is.Zero);
    }

    private static long Now() => (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100;
}
