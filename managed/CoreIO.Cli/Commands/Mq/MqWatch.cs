// `watch`: depth, how it changes, and who is at a queue, again and again. The kernel counts no messages that went through, so a rate is that of
// the depth: a queue that is filled as fast as it is drained stands still.
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using CoreIO.Cli.Shell;
using CoreIO.Cli.Show;
using CoreIO.Log;
using CoreIO.Mq;

namespace CoreIO.Cli.Commands;

internal static class MqWatch
{
    private const string Home = "\u001b[H";
    private const string ToEnd = "\u001b[J";

    private static readonly PageColumn[] Columns =
    [
        new("queue", false), new("messages", true), new("of", true), new("bytes", true), new("messages/s", true), new("bytes/s", true),
        new("blocked", false),
    ];

    private static readonly CliOption[] Options =
    [
        new("interval", "T", "time between two looks: 1s (default), 500ms") { Letter = 'i', Group = "Watching" },
        new("count", "N", "looks before it ends; 0 (default) for no end") { Letter = 'n', Group = "Watching" },
        MqCommand.Json with { Summary = "one JSON object a queue and look" },
        MqCommand.Backend,
        MqCommand.Color,
    ];

    private static readonly string[] Notes =
    [
        """
        messages/s and bytes/s are how the depth changed since the last look; the kernel
        does not count what goes through. Blocked are threads that /proc shows in a call
        on the queue; how many processes this user may not look into is said.
        """,
    ];

    public static CliVerb Posix { get; } = new("watch", "depth, its change and who is blocked, live")
    {
        Operands = "[/NAME...]",
        Options = Options,
        Notes = Notes,
        Run = arguments => Run(arguments, PosixLooks(arguments)),
    };

    public static CliVerb SysV { get; } = new("watch", "depth, its change and who is blocked, live")
    {
        Options = [.. MqSysVTarget.Options.Select(option => option with { Letter = option.Name == "id" ? null : option.Letter }), .. Options],
        Notes = Notes,
        Run = arguments => Run(arguments, SysVLooks(arguments)),
    };

    /// <summary>A queue at one moment.</summary>
    private sealed record Look(string Key, string Name, long? Messages, long? Limit, long? Bytes, MqPeerList Peers, Action<Utf8JsonWriter> Write);

    /// <summary>Who has a POSIX queue open; nobody where it may not be opened.</summary>
    public static MqPeerList PosixPeers(string name, ICoreBackend backend)
    {
        foreach (PosixQueueFlags flags in (PosixQueueFlags[])[PosixQueueFlags.Receive, PosixQueueFlags.Send])
        {
            try
            {
                using PosixMessageQueue queue = PosixMessageQueue.Open(name, new PosixQueueOptions { Flags = flags }, backend);
                return MqPeers.OfPosix(queue.Handle);
            }
            catch (CoreIOException)
            {
                // Not in this way; where in none, nothing is known of who else is there.
            }
        }

        return new MqPeerList([], 0);
    }

    public static void WritePeers(Utf8JsonWriter json, MqPeerList peers)
    {
        json.WriteStartArray("peers"u8);
        foreach (MqPeer peer in peers.Peers)
        {
            json.WriteStartObject();
            json.WriteNumber("pid"u8, peer.ProcessId);
            json.WriteString("name"u8, peer.Name);
            json.WriteString("state"u8, StateText(peer.State));
            json.WriteNumber("threads"u8, peer.Threads);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("hidden_processes"u8, peers.Hidden);
    }

    public static void ShowPeers(Page page, MqPeerList peers)
    {
        foreach (MqPeer peer in peers.Peers)
        {
            page.Line($"{StateText(peer.State),-13} {peer.ProcessId} ({LogText.Escape(peer.Name)})" + (peer.Threads > 1 && peer.State != MqPeerState.Polling ? $", {peer.Threads} threads" : ""));
        }

        if (peers.Hidden > 0)
        {
            page.Line($"{Hidden(peers.Hidden)} may be at it, too", PageTone.Quiet);
        }
    }

    private static string StateText(MqPeerState state) => state.ToString().ToLowerInvariant();

    private static string Hidden(int count) =>
        $"{count} {(count == 1 ? "process" : "processes")} that this user may not look into (CAP_SYS_PTRACE)";

    private static Func<IReadOnlyList<Look>> PosixLooks(CliArguments arguments)
    {
        ICoreBackend backend = LogCommand.BackendOf(arguments);
        string[] names = [.. arguments.Operands.Select(MqPosixCommand.Checked)];
        if (names.Length == 0 && PosixQueues.List(backend).Advice is string advice)
        {
            Cli.Say(arguments.Speaker, advice);
        }

        return () => [.. (names.Length > 0 ? names.Select(name => PosixQueues.Find(name, backend)
                ?? throw new CoreIOException(StatusCode.NoEntry, $"watch {name}")) : PosixQueues.List(backend).Queues)
            .Select(queue => new Look(queue.Name, queue.Name, queue.Messages, queue.MaxMessages, queue.Bytes,
                PosixPeers(queue.Name, backend), json => MqList.Write(json, queue)))];
    }

    private static Func<IReadOnlyList<Look>> SysVLooks(CliArguments arguments)
    {
        ICoreBackend backend = LogCommand.BackendOf(arguments);
        SysVMessageQueue? one = MqSysVTarget.Options.Any(option => arguments.Has(option.Name)) ? MqSysVTarget.Open(arguments) : null;
        return () => [.. (one is not null ? [one.Status] : SysVMessageQueue.List(backend)).Select(queue => new Look(
            queue.Id.ToString(CultureInfo.InvariantCulture), $"{queue.Id} ({MqList.KeyText(queue.Key)})", queue.Messages, null, queue.Bytes,
            MqPeers.OfSysV(queue.Id), json => MqList.Write(json, queue)))];
    }

    private static int Run(CliArguments arguments, Func<IReadOnlyList<Look>> look)
    {
        TimeSpan interval = arguments.Get("interval") is string text ? Values.Timeout("interval", text) : TimeSpan.FromSeconds(1);
        int count = arguments.Number("count", 0, 0, int.MaxValue);
        using Interrupt interrupt = Interrupt.Listen();
        using Stream output = StandardOutput.Open();
        bool rewrites = Terminal.IsOutput && !arguments.Has("json") && count != 1;
        Dictionary<string, Look> before = [];
        long lookedAt = 0;
        for (int i = 0; count == 0 || i < count; i++)
        {
            if (i > 0 && interrupt.Wait(interval))
            {
                break;
            }

            IReadOnlyList<Look> looks = look();
            double seconds = lookedAt == 0 ? 0 : Stopwatch.GetElapsedTime(lookedAt).TotalSeconds;
            lookedAt = Stopwatch.GetTimestamp();
            if (arguments.Has("json"))
            {
                WriteJson(output, looks, before, seconds);
            }
            else
            {
                Show(output, looks, before, seconds, Terminal.UseColor(arguments), rewrites);
            }

            output.Flush();
            before = looks.ToDictionary(l => l.Key);
        }

        interrupt.Conclude();
        return ExitCode.Done;
    }

    private static double? Rate(long? now, long? then, double seconds) =>
        now is long a && then is long b && seconds > 0 ? (a - b) / seconds : null;

    private static void Show(Stream output, IReadOnlyList<Look> looks, Dictionary<string, Look> before, double seconds, bool color, bool rewrites)
    {
        if (rewrites)
        {
            output.Write(System.Text.Encoding.ASCII.GetBytes(Home + ToEnd));
        }

        using Page page = new(output, color);
        page.Line(DateTime.Now.ToString("HH:mm:ss.f", CultureInfo.InvariantCulture), PageTone.Quiet);
        page.Rows(Columns, looks.Select(now =>
        {
            Look? then = before.GetValueOrDefault(now.Key);
            return (IReadOnlyList<string>)
            [
                LogText.Escape(now.Name),
                MqCommand.Known(now.Messages),
                MqCommand.Known(now.Limit),
                MqCommand.Known(now.Bytes),
                RateText(Rate(now.Messages, then?.Messages, seconds)),
                RateText(Rate(now.Bytes, then?.Bytes, seconds)),
                BlockedText(now.Peers),
            ];
        }).ToArray());
        int hidden = looks.Select(l => l.Peers.Hidden).DefaultIfEmpty().Max();
        if (hidden > 0)
        {
            page.Line(Hidden(hidden) + " may be blocked, too", PageTone.Quiet);
        }

        if (!rewrites)
        {
            page.Line();
        }
    }

    private static string RateText(double? rate) => rate?.ToString("+0.0;-0.0;0", CultureInfo.InvariantCulture) ?? "-";

    private static string BlockedText(MqPeerList peers)
    {
        MqPeer[] blocked = [.. peers.Peers.Where(peer => peer.State != MqPeerState.Open)];
        return blocked.Length == 0 ? "-"
            : string.Join(", ", blocked.Select(peer => $"{StateText(peer.State)} {peer.ProcessId} ({LogText.Escape(peer.Name)})"));
    }

    private static void WriteJson(Stream output, IReadOnlyList<Look> looks, Dictionary<string, Look> before, double seconds)
    {
        long now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        foreach (Look look in looks)
        {
            Look? then = before.GetValueOrDefault(look.Key);
            MqCommand.WriteJson(output, json =>
            {
                json.WriteNumber("time_ms"u8, now);
                look.Write(json);
                WriteRate(json, "messages_per_second", Rate(look.Messages, then?.Messages, seconds));
                WriteRate(json, "bytes_per_second", Rate(look.Bytes, then?.Bytes, seconds));
                WritePeers(json, look.Peers);
            });
        }
    }

    private static void WriteRate(Utf8JsonWriter json, string name, double? rate) =>
        MqCommand.WriteKnown(json, name, rate is double value ? (long)Math.Round(value) : null);
}
