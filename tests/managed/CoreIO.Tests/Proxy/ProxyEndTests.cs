// Ends of sending and resets: each is passed on as what it is, and nothing that came before it is lost.
using System.Net.Sockets;
using CoreIO.Proxy;

namespace CoreIO.Tests.Proxy;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class ProxyEndTests(string backend)
{
    private const int ConnectionReset = 104;

    [Test]
    public async Task Either_side_may_end_first_and_the_other_goes_on(
        [Values] bool serverFirst, [Values(ProxySplice.Never, ProxySplice.Always)] ProxySplice splice)
    {
        const long Answer = 3_000_000;
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, ProxyRig.One with { Splice = splice }, upstream.Address);
        using CancellationTokenSource patience = new(ProxyRig.PatienceMs);
        (Socket client, Socket server) = rig.Pair(upstream);
        using (client)
        using (server)
        {
            (Socket first, Socket second) = serverFirst ? (server, client) : (client, server);
            first.Say("question");
            first.EndSending();
            second.Expect("question");
            second.ExpectEnd();
            await Task.WhenAll(
                ProxyStreams.Send(second, 5, Answer, 100_000, patience.Token),
                ProxyStreams.Receive(first, 5, Answer, 100_000, patience.Token));
        }

        ProxyRecord record = rig.Record();
        Assert.That(record.End, Is.EqualTo(ProxyEnd.Done));
        Assert.That((record.BytesIn, record.BytesOut), Is.EqualTo(serverFirst ? (Answer, 8L) : (8L, Answer)));
        Assert.That(record.Error, Is.Zero);
    }

    [Test]
    public void An_end_without_a_byte_is_passed_on()
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, ProxyRig.One, upstream.Address);
        using Socket client = rig.Client();
        client.EndSending();
        using (Socket server = upstream.Accept())
        {
            server.ExpectEnd();
            server.Reaches(client, "Thu Nov 26\n");
        }

        client.ExpectEnd();
        Assert.That(rig.Record().End, Is.EqualTo(ProxyEnd.Done));
    }

    [Test]
    public void Both_may_end_at_once()
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, ProxyRig.One, upstream.Address);
        for (int i = 0; i < 50; i++)
        {
            (Socket client, Socket server) = rig.Pair(upstream);
            using (client)
            using (server)
            {
                client.Say("a");
                server.Say("b");
                client.EndSending();
                server.EndSending();
                server.Expect("a");
                server.ExpectEnd();
                client.Expect("b");
                client.ExpectEnd();
            }
        }

        Assert.That(rig.Records(50).Select(record => (record.End, record.BytesIn, record.BytesOut)), Is.All.EqualTo((ProxyEnd.Done, 1L, 1L)));
    }

    [Test]
    public void An_end_right_behind_much_is_no_truncation()
    {
        const int Much = 4 << 20;
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, ProxyRig.One, upstream.Address);
        (Socket client, Socket server) = rig.Pair(upstream);
        using (client)
        {
            // The server sends and closes, as a file server does, before the client has begun to read.
            using (server)
            {
                Task sending = ProxyRig.Beside(() => server.Say(new byte[Much]));
                Assert.That(client.Poll(ProxyRig.PatienceMs * 1000, SelectMode.SelectRead), Is.True);
                Task<long> reading = ProxyRig.Beside(client.Drain);
                Assert.That(sending.Wait(ProxyRig.PatienceMs), Is.True);
                server.Dispose();
                Assert.That(reading.Wait(ProxyRig.PatienceMs) ? reading.Result : -1, Is.EqualTo(Much));
            }
        }

        Assert.That(rig.Record().BytesOut, Is.EqualTo(Much));
    }

    [Test]
    public void A_reset_is_passed_on_as_a_reset(
        [Values] bool serverFirst, [Values(ProxySplice.Never, ProxySplice.Always)] ProxySplice splice)
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, ProxyRig.One with { Splice = splice }, upstream.Address);
        (Socket client, Socket server) = rig.Pair(upstream);
        using (client)
        using (server)
        {
            (Socket first, Socket second) = serverFirst ? (server, client) : (client, server);
            first.Reaches(second, "before");
            second.Reaches(first, "too");
            first.Reset();
            second.ExpectReset();
        }

        ProxyRecord record = rig.Record();
        Assert.That(record.End, Is.EqualTo(serverFirst ? ProxyEnd.UpstreamReset : ProxyEnd.ClientReset));
        Assert.That(record.Error, Is.EqualTo(ConnectionReset));
        Assert.That(rig.Counters.Ends[(int)record.End], Is.EqualTo(1));
    }

    [Test]
    public void A_reset_is_an_end_when_it_is_not_to_be_passed_on([Values] bool serverFirst)
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, ProxyRig.One with { PassResets = false }, upstream.Address);
        (Socket client, Socket server) = rig.Pair(upstream);
        using (client)
        using (server)
        {
            (Socket first, Socket second) = serverFirst ? (server, client) : (client, server);
            first.Reaches(second);
            first.Reset();
            second.ExpectEnd();
        }

        Assert.That(rig.Record().End, Is.EqualTo(serverFirst ? ProxyEnd.UpstreamReset : ProxyEnd.ClientReset));
    }

    [Test]
    public void A_reset_waits_for_bytes_that_the_peer_has_not_got([Values] bool serverFirst)
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, ProxyRig.One, upstream.Address);
        using Socket client = ProxyPeer.Connect(rig.Front, socket => socket.ReceiveBufferSize = 8192);
        using Socket server = upstream.Accept();
        if (!serverFirst)
        {
            server.ReceiveBufferSize = 8192;
        }

        (Socket first, Socket second) = serverFirst ? (server, client) : (client, server);
        // Less than the proxy's socket takes and more than the peer's: all of it is with the proxy when the reset comes.
        byte[] bytes = new byte[100_000];
        first.Say(bytes);
        ProxyRig.Until(() => rig.Counters.BytesToClient + rig.Counters.BytesToUpstream == bytes.Length && rig.Counters.Buffers == 0,
            "all bytes are with the proxy's socket");
        first.Reset();
        // Not read before the proxy has let go: what has been read by then is no reason to wait.
        Assert.That(rig.Record().End, Is.EqualTo(serverFirst ? ProxyEnd.UpstreamReset : ProxyEnd.ClientReset));
        Assert.That(second.Drain(), Is.EqualTo(bytes.Length));
    }

    [Test]
    public void Silence_after_one_side_has_ended_is_limited_and_bytes_put_it_off([Values] bool serverFirst) => Limited(serverFirst, (first, second, step) =>
    {
        first.EndSending();
        second.ExpectEnd();
        for (int i = 0; i < 5; i++)
        {
            step();
            first.ExpectSilence(300);
            second.Reaches(first);
        }

        first.ExpectGone();
    }, record =>
    {
        Assert.That(record.End, Is.EqualTo(ProxyEnd.HalfClosed));
        Assert.That(record.DurationNs, Is.GreaterThanOrEqualTo(((5 * 300) + 1000) * 1_000_000L - 20_000_000L));
    });

    [Test]
    public void Silence_before_an_end_does_not_count([Values] bool serverFirst) => Limited(serverFirst, (first, second, step) =>
    {
        first.Reaches(second);
        first.ExpectSilence(1200);
        step();
        first.EndSending();
        second.ExpectEnd();
        first.ExpectSilence(200);
        second.Reaches(first, "an answer that took a while");
    }, record => Assert.That(record.End, Is.EqualTo(ProxyEnd.Done)));

    [Test]
    public void Silence_of_what_is_open_both_ways_is_not_limited()
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, ProxyRig.Quick with { HalfCloseTimeout = TimeSpan.FromMilliseconds(100) }, upstream.Address);
        (Socket client, Socket server) = rig.Pair(upstream);
        using (client)
        using (server)
        {
            client.ExpectSilence(400);
            client.Reaches(server);
            server.Reaches(client);
        }

        Assert.That(rig.Record().End, Is.EqualTo(ProxyEnd.Done));
    }

    [Test]
    public void A_side_that_is_gone_ends_the_other_which_writes_on()
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, ProxyRig.One, upstream.Address);
        (Socket client, Socket server) = rig.Pair(upstream);
        using (client)
        {
            client.Reaches(server);
            // Closed with bytes that it has not read: its system answers what comes with resets.
            client.Say("unread");
            ProxyRig.Until(() => server.Available == 6, "the bytes are there");
            server.Dispose();
            Assert.That(() =>
            {
                while (true)
                {
                    client.Say(new byte[1000]);
                }
            }, Throws.TypeOf<SocketException>());
        }

        Assert.That(rig.Record().End, Is.EqualTo(ProxyEnd.UpstreamReset));
        rig.WaitForLive(0);
    }

    // A second of silence after an end is the limit; runs between who is to end first and the other, then looks at the record.
    private void Limited(bool serverFirst, Action<Socket, Socket, Action> run, Action<ProxyRecord> look)
    {
        TimeSpan limit = TimeSpan.FromMilliseconds(1000);
        ProxyRig.InTime(limit, step =>
        {
            using ProxyUpstreamServer upstream = new();
            using ProxyRig rig = new(backend, ProxyRig.Quick with { HalfCloseTimeout = limit }, upstream.Address);
            (Socket client, Socket server) = rig.Pair(upstream);
            using (client)
            using (server)
            {
                run(serverFirst ? server : client, serverFirst ? client : server, step);
            }

            look(rig.Record());
        });
    }
}
