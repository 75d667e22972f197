// Upstreams that refuse, say nothing, go and come back: who is tried, when, and what is told of it.
using System.Net;
using System.Net.Sockets;
using CoreIO.Proxy;

namespace CoreIO.Tests.Proxy;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class ProxyUpstreamTests(string backend)
{
    private const int Refused = 111;
    private const int TimedOut = 110;
    private static readonly TimeSpan Long = TimeSpan.FromHours(1);

    [Test]
    public void The_next_is_tried_when_one_refuses()
    {
        using ProxyUpstreamServer good = new();
        using ProxyRig rig = new(backend, ProxyRig.Quick, ProxyRig.Refusing(), ProxyRig.Refusing(), good.Address);
        (Socket client, Socket server) = rig.Pair(good);
        using (client)
        using (server)
        {
            client.Reaches(server);
        }

        ProxyRecord record = rig.Record();
        Assert.That((record.End, record.Upstream, record.Retries), Is.EqualTo((ProxyEnd.Done, 2, 2)));
        Assert.That(record.ConnectNs, Is.InRange(0, record.DurationNs));
        Assert.That(rig.Counters.ConnectRetries, Is.EqualTo(2));
        ProxyUpstreamState[] states = rig.Upstreams;
        Assert.That(states.Select(state => (state.Index, state.Group, state.Connects, state.Failures, state.LastError, state.Up)), Is.EqualTo(
            ((int, int, long, long, int, int)[])[(0, 0, 0, 1, Refused, 1), (1, 0, 0, 1, Refused, 1), (2, 0, 1, 0, 0, 1)]));
    }

    [Test]
    public void The_next_is_tried_when_one_does_not_answer()
    {
        using SilentUpstream silent = new();
        using ProxyUpstreamServer good = new();
        using ProxyRig rig = new(backend, ProxyRig.Quick, silent.Address, good.Address);
        (Socket client, Socket server) = rig.Pair(good);
        using (client)
        using (server)
        {
            client.Reaches(server);
        }

        ProxyRecord record = rig.Record();
        Assert.That((record.End, record.Upstream, record.Retries), Is.EqualTo((ProxyEnd.Done, 1, 1)));
        Assert.That(record.ConnectNs, Is.GreaterThanOrEqualTo(ProxyRig.QuickMs * 1_000_000L));
        Assert.That(rig.Upstreams[0].LastError, Is.EqualTo(TimedOut));
    }

    [Test]
    public void No_more_are_tried_than_may_be([Values(1, 3)] int tries)
    {
        using ProxyUpstreamServer good = new();
        EndPoint[] refusing = [.. Enumerable.Range(0, tries).Select(_ => ProxyRig.Refusing())];
        using ProxyRig rig = new(backend, ProxyRig.Quick with { ConnectTries = tries }, [.. refusing, good.Address]);
        using Socket client = rig.Client();
        client.ExpectGone();
        ProxyRecord record = rig.Record();
        Assert.That((record.End, record.Error, record.Retries), Is.EqualTo((ProxyEnd.ConnectFailed, Refused, tries)));
        Assert.That(record.ConnectNs, Is.EqualTo(-1));
        Assert.That((record.BytesIn, record.BytesOut), Is.EqualTo((0L, 0L)));
        Assert.That(good.Waits(), Is.False);
    }

    [Test]
    public void What_the_client_has_said_before_goes_to_the_one_that_is_found()
    {
        using SilentUpstream silent = new();
        using ProxyUpstreamServer good = new();
        using ProxyRig rig = new(backend, ProxyRig.Quick, silent.Address, ProxyRig.Refusing(), good.Address);
        using Socket client = rig.Client();
        client.Say("said before anybody was there");
        using Socket server = good.Accept();
        server.Expect("said before anybody was there");
        server.Reaches(client);
    }

    [Test]
    public void Failures_in_a_row_take_one_down_and_nobody_is_sent_there()
    {
        using ProxyUpstreamServer good = new();
        using ProxyRig rig = new(backend, ProxyRig.Quick with { Fall = 2, Retry = Long }, ProxyRig.Refusing(), good.Address);
        int failed = 0;
        for (int i = 0; i < 20; i++)
        {
            (Socket client, Socket server) = rig.Pair(good);
            client.Dispose();
            server.Dispose();
            failed += rig.Record().Retries;
        }

        Assert.That(failed, Is.EqualTo(2));
        ProxyUpstreamState[] states = rig.Upstreams;
        Assert.That((states[0].Up, states[0].Failures, states[0].LastError), Is.EqualTo((0, 2L, Refused)));
        Assert.That((states[1].Up, states[1].Connects), Is.EqualTo((1, 20L)));
    }

    [Test]
    public void A_success_in_between_starts_the_count_again()
    {
        EndPoint address = ProxyRig.Refusing();
        using ProxyRig rig = new(backend, ProxyRig.Quick with { Fall = 2, Retry = Long }, address);
        for (int round = 0; round < 3; round++)
        {
            using (Socket refused = rig.Client())
            {
                refused.ExpectGone();
            }

            Assert.That(rig.Record().End, Is.EqualTo(ProxyEnd.ConnectFailed));
            Assert.That(rig.Upstreams[0].Up, Is.EqualTo(1));
            using ProxyUpstreamServer back = new(address);
            (Socket client, Socket server) = rig.Pair(back);
            client.Dispose();
            server.Dispose();
            Assert.That(rig.Record().End, Is.EqualTo(ProxyEnd.Done));
        }
    }

    [Test]
    public void One_that_is_down_is_tried_by_one_connection_after_a_while()
    {
        EndPoint address = ProxyRig.Refusing();
        using ProxyUpstreamServer good = new();
        using ProxyRig rig = new(backend,
            ProxyRig.Quick with { Fall = 1, Retry = TimeSpan.FromMilliseconds(1000) }, address, good.Address);
        Ask(2);
        Assert.That((rig.Upstreams[0].Up, rig.Upstreams[0].Failures), Is.EqualTo((0, 1L)));
        Ask(5);
        Assert.That(rig.Upstreams[0].Failures, Is.EqualTo(1), "nobody is sent there before its pause is over");
        using (Socket pause = rig.Client())
        {
            pause.ExpectSilence(1100);
            Ask(10);
        }

        // Of ten that came after the pause one has tried it, or does so now, and is served by the other.
        ProxyRig.Until(() => rig.Counters.Live == 0, "all are done");
        Assert.That(rig.Upstreams[0].Failures, Is.EqualTo(2));
        using ProxyUpstreamServer back = new(address);
        ProxyRig.Until(() =>
        {
            using Socket client = rig.Client();
            return back.Waits(20);
        }, "it is tried again");
        ProxyRig.Until(() => rig.Upstreams[0].Up == 1, "it is up");

        void Ask(int times)
        {
            for (int i = 0; i < times; i++)
            {
                (Socket client, Socket server) = rig.Pair(good);
                client.Dispose();
                server.Dispose();
            }
        }
    }

    [Test]
    public void With_all_down_all_are_tried()
    {
        EndPoint[] addresses = [ProxyRig.Refusing(), ProxyRig.Refusing()];
        using ProxyRig rig = new(backend, ProxyRig.Quick with { Fall = 1, Retry = Long }, addresses);
        for (int i = 0; i < 2; i++)
        {
            using Socket refused = rig.Client();
            refused.ExpectGone();
            Assert.That(rig.Record().End, Is.EqualTo(ProxyEnd.ConnectFailed));
        }

        Assert.That(rig.Upstreams.Select(state => state.Up), Is.All.Zero);
        using ProxyUpstreamServer back = new(addresses[1]);
        (Socket client, Socket server) = rig.Pair(back);
        using (client)
        using (server)
        {
            client.Reaches(server);
        }

        Assert.That(rig.Upstreams[1].Up, Is.EqualTo(1));
    }

    [Test]
    public void Checks_take_one_down_and_bring_it_back_without_a_client()
    {
        EndPoint address;
        using ProxyRig rig = Checked(out ProxyUpstreamServer first);
        using (first)
        {
            address = first.Address;
            ProxyRig.Until(() => rig.Upstreams[0].Checks >= 3, "it is checked");
            Assert.That((rig.Upstreams[0].Up, rig.Upstreams[0].Failures), Is.EqualTo((1, 0L)));
        }

        ProxyRig.Until(() => rig.Upstreams[0].Up == 0, "it goes down");
        Assert.That(rig.Upstreams[0].LastError, Is.EqualTo(Refused));
        // Nobody is sent there, not even to try.
        using (Socket client = rig.Client())
        {
            client.ExpectGone();
        }

        ProxyRecord record = rig.Record();
        Assert.That((record.End, record.Retries, record.Upstream, record.ConnectNs), Is.EqualTo((ProxyEnd.NoUpstream, 0, -1, -1L)));
        long checks = rig.Upstreams[0].Checks;
        long failures = rig.Upstreams[0].Failures;
        using ProxyUpstreamServer back = new(address);
        ProxyRig.Until(() => rig.Upstreams[0].Up == 1, "it comes back");
        Assert.That(rig.Upstreams[0].Checks - checks, Is.GreaterThanOrEqualTo(3), "after three good checks");
        Assert.That(rig.Upstreams[0].Connects, Is.Zero, "a check is no connection of a client");
        Assert.That(rig.Upstreams[0].Failures, Is.GreaterThanOrEqualTo(failures));
    }

    [Test]
    public void A_check_without_an_answer_fails()
    {
        using SilentUpstream silent = new();
        using ProxyRig rig = new(backend, ProxyRig.Quick with
        {
            CheckInterval = TimeSpan.FromMilliseconds(20),
            ConnectTimeout = TimeSpan.FromMilliseconds(50),
            Fall = 2,
        }, silent.Address);
        ProxyRig.Until(() => rig.Upstreams[0].Up == 0, "it goes down");
        Assert.That(rig.Upstreams[0].LastError, Is.EqualTo(TimedOut));
        Assert.That(rig.Upstreams[0].Failures, Is.GreaterThanOrEqualTo(2));
    }

    [Test]
    public void A_backup_is_used_while_no_other_is_up()
    {
        using ProxyUpstreamServer backup = new();
        ProxyUpstreamServer main = new(ProxyRig.Refusing());
        EndPoint address = main.Address;
        ProxyOptions options = ProxyRig.Quick with { CheckInterval = TimeSpan.FromMilliseconds(20), Fall = 2, Rise = 2 };
        ProxyPlan plan = ProxyRig.Plan(options, backup.Address, address);
        using ProxyRig rig = new(backend, plan with { Upstreams = [plan.Upstreams[0] with { Backup = true }, plan.Upstreams[1]] });
        using (main)
        {
            Served(1);
        }

        ProxyRig.Until(() => rig.Upstreams[1].Up == 0, "it goes down");
        Served(0);
        using ProxyUpstreamServer back = new(address);
        ProxyRig.Until(() => rig.Upstreams[1].Up == 1, "it comes back");
        Served(1);

        // By the figures, for the upstreams see the checks as well.
        void Served(int upstream)
        {
            for (int i = 0; i < 5; i++)
            {
                long before = rig.Upstreams[upstream].Connects;
                using (Socket client = rig.Client())
                {
                    ProxyRig.Until(() => rig.Upstreams[upstream].Connects == before + 1, $"upstream {upstream} is used");
                }

                Assert.That(rig.Record().Upstream, Is.EqualTo(upstream));
            }
        }
    }

    [Test]
    public void A_backup_takes_a_connection_that_the_others_refuse()
    {
        using ProxyUpstreamServer backup = new();
        ProxyPlan plan = ProxyRig.Plan(ProxyRig.Quick, backup.Address, ProxyRig.Refusing());
        using ProxyRig rig = new(backend, plan with { Upstreams = [plan.Upstreams[0] with { Backup = true }, plan.Upstreams[1]] });
        (Socket client, Socket server) = rig.Pair(backup);
        client.Dispose();
        server.Dispose();
        ProxyRecord record = rig.Record();
        Assert.That((record.Upstream, record.Retries), Is.EqualTo((0, 1)));
    }

    [Test]
    public async Task One_that_flaps_loses_no_connection_of_the_other()
    {
        const int Connections = 300;
        using ProxyUpstreamServer good = new ProxyUpstreamServer().Answering("!");
        EndPoint address = ProxyRig.Refusing();
        using ProxyRig rig = new(backend, ProxyRig.One with { Fall = 1, Retry = TimeSpan.FromMilliseconds(5) }, address, good.Address);
        using CancellationTokenSource end = new(ProxyRig.PatienceMs);
        Task flapping = ProxyRig.Beside(() =>
        {
            while (!end.IsCancellationRequested)
            {
                using ProxyUpstreamServer there = new(address);
                if (there.Waits(10))
                {
                    there.Accept().Dispose();
                }
            }
        });
        for (int i = 0; i < Connections; i++)
        {
            using Socket client = rig.Client();
            client.Say("?");
            try
            {
                client.Drain();
            }
            catch (SocketException)
            {
                // The one that flaps may reset it.
            }
        }

        await end.CancelAsync();
        await flapping;
        ProxyRecord[] records = rig.Records(Connections);
        Assert.That(records.Where(record => record.Upstream == 1).Select(record => record.End), Is.All.EqualTo(ProxyEnd.Done));
        Assert.That(records.Select(record => record.End), Is.All.EqualTo(ProxyEnd.Done).Or.EqualTo(ProxyEnd.UpstreamReset));
        Assert.That(records.Select(record => record.Upstream).Distinct(), Is.EquivalentTo((int[])[0, 1]));
        Assert.That(rig.Upstreams.Select(state => state.Live), Is.All.Zero);
    }

    private ProxyRig Checked(out ProxyUpstreamServer upstream)
    {
        upstream = new ProxyUpstreamServer(ProxyRig.Refusing());
        return new ProxyRig(backend,
            ProxyRig.Quick with { Workers = 2, CheckInterval = TimeSpan.FromMilliseconds(20), Fall = 2, Rise = 3 }, upstream.Address);
    }
}
