// The bytes: every one, once, in order, whatever the sizes of writes, reads and buffers.
using System.Net.Sockets;
using CoreIO.Proxy;

namespace CoreIO.Tests.Proxy;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class ProxyBytesTests(string backend)
{
    // How bytes may go; a pipe of a page and one pipe for all are where a pipe is full or not to be had.
    private static ProxyOptions Way(string name) => name switch
    {
        "copied" => ProxyRig.One with { Splice = ProxySplice.Never },
        "piped" => ProxyRig.One with { Splice = ProxySplice.Always },
        "small pipes" => ProxyRig.One with { Splice = ProxySplice.Always, PipeBytes = 4096 },
        "one pipe" => ProxyRig.One with { Splice = ProxySplice.Always, Pipes = 1 },
        _ => ProxyRig.One with { Workers = 2 },
    };

    [Test]
    public async Task Random_streams_go_both_ways_at_once([Values("copied", "piped", "small pipes", "one pipe", "as it comes")] string way)
    {
        const int Connections = 20;
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, Way(way), upstream.Address);
        using CancellationTokenSource patience = new(ProxyRig.PatienceMs);
        Random random = new(7);
        Dictionary<int, (long Up, long Down)> lengths = [];
        List<Task> exchanges = [];
        for (int i = 0; i < Connections; i++)
        {
            (Socket client, Socket server) = rig.Pair(upstream);
            rig.Own(client);
            rig.Own(server);
            (long up, long down) = (random.Next(1_500_000), random.Next(1_500_000));
            lengths.Add(client.LocalEndPoint!.Port(), (up, down));
            exchanges.Add(ProxyStreams.Exchange(client, server, i, up, down, 200_000, patience.Token));
        }

        await Task.WhenAll(exchanges);
        foreach (ProxyRecord record in rig.Records(Connections))
        {
            Assert.That(record.End, Is.EqualTo(ProxyEnd.Done));
            Assert.That((record.BytesIn, record.BytesOut), Is.EqualTo(lengths[record.SourcePort]));
        }

        rig.WaitForLive(0);
        ProxyCounters counters = rig.Counters;
        Assert.That(counters.BytesToUpstream, Is.EqualTo(lengths.Values.Sum(length => length.Up)));
        Assert.That(counters.BytesToClient, Is.EqualTo(lengths.Values.Sum(length => length.Down)));
        Assert.That(counters.Buffers, Is.Zero);
    }

    [Test]
    public async Task Random_streams_through_small_buffers([Values(ProxySplice.Never, ProxySplice.Always)] ProxySplice splice)
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, ProxyRig.One with { Splice = splice }, upstream.Address);
        using CancellationTokenSource patience = new(ProxyRig.PatienceMs);
        List<Task> exchanges = [];
        for (int i = 0; i < 4; i++)
        {
            Socket client = rig.Own(ProxyPeer.Connect(rig.Front, Shrink));
            Socket server = rig.Own(upstream.Accept());
            Shrink(server);
            exchanges.Add(ProxyStreams.Exchange(client, server, i, 120_000, 80_000, 20_000, patience.Token));
        }

        await Task.WhenAll(exchanges);
        Assert.That(rig.Records(4).Select(record => (record.End, record.BytesIn, record.BytesOut)),
            Is.All.EqualTo((ProxyEnd.Done, 120_000L, 80_000L)));

        static void Shrink(Socket socket) => socket.ReceiveBufferSize = socket.SendBufferSize = 8192;
    }

    [Test]
    public void One_byte_at_a_time([Values(ProxySplice.Never, ProxySplice.Always)] ProxySplice splice)
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, ProxyRig.One with { Splice = splice }, upstream.Address);
        (Socket client, Socket server) = rig.Pair(upstream);
        using (client)
        using (server)
        {
            for (int i = 0; i < 500; i++)
            {
                client.Reaches(server, ((char)(i % 256)).ToString());
                server.Reaches(client, ((char)(255 - (i % 256))).ToString());
            }
        }

        Assert.That(rig.Record().BytesIn, Is.EqualTo(500));
    }

    [Test]
    public void Many_small_writes_come_in_order_before_they_are_read()
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, ProxyRig.One, upstream.Address);
        (Socket client, Socket server) = rig.Pair(upstream);
        using (client)
        using (server)
        {
            byte[] sent = new byte[20_000];
            new Random(3).NextBytes(sent);
            foreach (byte one in sent)
            {
                client.Say([one]);
            }

            client.EndSending();
            server.Expect(sent);
            server.ExpectEnd();
        }
    }

    [Test]
    public void Urgent_data_stops_nothing()
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, ProxyRig.One, upstream.Address);
        (Socket client, Socket server) = rig.Pair(upstream);
        using (client)
        using (server)
        {
            for (int i = 0; i < 20; i++)
            {
                client.Say("abc");
                Assert.That(client.Send("!"u8, SocketFlags.OutOfBand), Is.EqualTo(1));
                client.Say("def");
                server.Expect("abcdef");
                server.Reaches(client);
            }
        }
    }

    [Test]
    public void Much_goes_through_a_pipe_and_little_does_not()
    {
        using ProxyUpstreamServer upstream = new();
        using ProxyRig rig = new(backend, ProxyRig.One, upstream.Address);
        (Socket client, Socket server) = rig.Pair(upstream);
        using (client)
        using (server)
        {
            for (int i = 0; i < 100; i++)
            {
                client.Reaches(server, "little");
            }

            Assert.That(rig.Counters.BytesSpliced, Is.Zero);
            if (!Backends.Get(backend).Features.HasFlag(BackendFeatures.ProxySplice))
            {
                Assert.Ignore($"the {backend} backend has no pipes");
            }

            const long Much = 32 << 20;
            Task<long> reading = ProxyRig.Beside(server.Drain);
            byte[] bytes = new byte[1 << 16];
            for (long sent = 0; sent < Much; sent += bytes.Length)
            {
                client.Say(bytes);
            }

            client.EndSending();
            Assert.That(reading.Wait(ProxyRig.PatienceMs) ? reading.Result : -1, Is.EqualTo(Much));
            Assert.That(rig.Counters.BytesSpliced, Is.GreaterThan(Much / 2));
            Assert.That(rig.Counters.Pipes, Is.InRange(0, 1));
        }
    }
}
