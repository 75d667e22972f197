// Limits of time, each with the reason that it is told by.
using System.Diagnostics;
using System.Net.Sockets;
using CoreIO.Proxy;

namespace CoreIO.Tests.Proxy;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class ProxyTimeTests(string backend)
{
    private const long Millisecond = 1_000_000;
    private const int TimedOut = 110;

    [Test]
    public void An_idle_connection_ends_and_bytes_of_either_side_put_that_off()
    {
        TimeSpan limit = TimeSpan.FromMilliseconds(1000);
        ProxyRig.InTime(limit, step =>
        {
            using ProxyUpstreamServer upstream = new();
            using ProxyRig rig = new(backend, ProxyRig.Quick with { IdleTimeout = limit }, upstream.Address);
            (Socket client, Socket server) = rig.Pair(upstream);
            using (client)
            using (server)
            {
                for (int i = 0; i < 6; i++)
                {
                    step();
                    client.ExpectSilence(300);
                    (i % 2 == 0 ? client : server).Reaches(i % 2 == 0 ? server : client);
                }

                client.ExpectGone();
                server.ExpectGone();
            }

            ProxyRecord record = rig.Record();
            Assert.That(record.End, Is.EqualTo(ProxyEnd.Idle));
            Assert.That(record.DurationNs, Is.InRange(2780 * Millisecond, 6500 * Millisecond));
        });
    }

    [Test]
    public void A_connection_lives_no_longer_than_it_may_however_busy_it_is()
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, ProxyRig.Quick with { Lifetime = TimeSpan.FromMilliseconds(300) }, upstream.Address);
        (Socket client, Socket server) = rig.Pair(upstream);
        using (client)
        using (server)
        {
            Assert.That(() =>
            {
                Stopwatch watch = Stopwatch.StartNew();
                while (watch.ElapsedMilliseconds < ProxyRig.PatienceMs)
                {
                    client.Reaches(server);
                }
            }, Throws.InstanceOf<Exception>());
        }

        ProxyRecord record = rig.Record();
        Assert.That(record.End, Is.EqualTo(ProxyEnd.Lifetime));
        Assert.That(record.DurationNs, Is.InRange(300 * Millisecond, 5000 * Millisecond));
    }

    [Test]
    public void A_header_that_does_not_come_is_not_waited_for([Values] bool names)
    {
        using ProxyUpstreamServer upstream = new();
        ProxyPlan plan = ProxyRig.Plan(ProxyRig.Quick, upstream.Address);
        using ProxyRig rig = new(backend,
            plan with { Listeners = [plan.Listeners[0] with { Header = !names, Names = names }] });
        foreach (string begin in (string[])["", "\x16\x03\x01"])
        {
            using Socket client = rig.Client();
            client.Say(begin.Length > 0 && !names ? "PROXY " : begin);
            client.ExpectGone();
            ProxyRecord record = rig.Record();
            Assert.That(record.End, Is.EqualTo(ProxyEnd.HeaderTimeout), begin);
            Assert.That(record.DurationNs, Is.InRange(ProxyRig.QuickMs * Millisecond, 5000 * Millisecond));
            Assert.That(record.ConnectNs, Is.EqualTo(-1));
            Assert.That(record.Upstream, Is.EqualTo(-1));
        }

        Assert.That(upstream.Waits(), Is.False);
    }

    [Test]
    public void An_upstream_that_does_not_answer_is_given_up()
    {
        using SilentUpstream silent = new();
        using ProxyRig rig = new(backend, ProxyRig.Quick, silent.Address);
        using Socket client = rig.Client();
        client.ExpectGone();
        ProxyRecord record = rig.Record();
        Assert.That(record.End, Is.EqualTo(ProxyEnd.ConnectTimeout));
        Assert.That(record.Error, Is.EqualTo(TimedOut));
        Assert.That(record.ConnectNs, Is.EqualTo(-1));
        Assert.That(record.DurationNs, Is.InRange(ProxyRig.QuickMs * Millisecond, 5000 * Millisecond));
        Assert.That(rig.Upstreams[0].Failures, Is.EqualTo(1));
        Assert.That(rig.Upstreams[0].LastError, Is.EqualTo(TimedOut));
    }

    [Test]
    public void A_client_that_resets_while_it_waits_is_let_go_at_once()
    {
        using SilentUpstream silent = new();
        using ProxyRig rig = new(backend, ProxyRig.Quick with { ConnectTimeout = null }, silent.Address);
        Socket client = rig.Client();
        rig.WaitForLive(1);
        client.Reset();
        Assert.That(rig.Record().End, Is.EqualTo(ProxyEnd.ClientGone));
        rig.WaitForLive(0);
        Assert.That(rig.Upstreams[0].Live, Is.Zero);
    }

    [Test]
    public void A_client_that_ends_while_it_waits_has_one_second_more()
    {
        using SilentUpstream silent = new();
        using ProxyRig rig = new(backend, ProxyRig.Quick with { ConnectTimeout = null }, silent.Address);
        rig.Client().Dispose();
        ProxyRecord record = rig.Record();
        Assert.That(record.End, Is.EqualTo(ProxyEnd.ClientGone));
        Assert.That(record.DurationNs, Is.InRange(900 * Millisecond, 5000 * Millisecond));
        rig.WaitForLive(0);
    }

    [Test]
    public void A_client_that_has_asked_and_ended_while_it_waits_is_answered()
    {
        using SilentUpstream silent = new();
        using ProxyUpstreamServer good = new();
        using ProxyRig rig = new(backend,
            ProxyRig.One with { ConnectTimeout = TimeSpan.FromMilliseconds(1500) }, silent.Address, good.Address);
        using Socket client = rig.Client();
        client.Say("question");
        client.EndSending();
        using (Socket server = good.Accept())
        {
            server.Expect("question");
            server.ExpectEnd();
            server.Reaches(client, "answer");
        }

        client.ExpectEnd();
        ProxyRecord record = rig.Record();
        Assert.That((record.End, record.Retries, record.Upstream), Is.EqualTo((ProxyEnd.Done, 1, 1)));
        Assert.That(record.ConnectNs, Is.GreaterThanOrEqualTo(1400 * Millisecond));
    }
}

/// <summary>An upstream whose backlog is full, so that a connect gets no answer.</summary>
internal sealed class SilentUpstream : IDisposable
{
    private readonly ProxyUpstreamServer _server = new(backlog: 0);
    private readonly Socket[] _queued = new Socket[4];

    public SilentUpstream()
    {
        for (int i = 0; i < _queued.Length; i++)
        {
            _queued[i] = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            try
            {
                _queued[i].Connect(_server.Address);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
            {
            }
        }
    }

    public System.Net.EndPoint Address => _server.Address;

    public void Dispose()
    {
        Array.ForEach(_queued, socket => socket.Dispose());
        _server.Dispose();
    }
}
