// `ls` of each family, and of both: owner, permissions, depth, and who was last at a queue.
using System.Text.Json;
using CoreIO.Cli.Shell;
using CoreIO.Cli.Show;
using CoreIO.Log;
using CoreIO.Mq;

namespace CoreIO.Cli.Commands;

internal static class MqList
{
    private static readonly CliOption[] Options =
        [MqCommand.Json with { Letter = 'j' }, MqCommand.Backend, MqCommand.Color];

    private static readonly PageColumn[] PosixColumns =
    [
        new("name", false), new("owner", false), new("mode", false), new("messages", true), new("of", true), new("bytes", true),
        new("message size", true), new("notifies", false),
    ];

    private static readonly PageColumn[] SysVColumns =
    [
        new("id", true), new("key", false), new("owner", false), new("mode", false), new("messages", true), new("bytes", true), new("of", true),
        new("last sender", false), new("last receiver", false),
    ];

    /// <summary>Both families.</summary>
    public static CliVerb Verb { get; } = New("list the queues of both families", posix: true, sysV: true);

    public static CliVerb Posix { get; } = New("list POSIX queues: owner, mode, depth, who is notified", posix: true, sysV: false);

    public static CliVerb SysV { get; } = New("list System V queues: owner, mode, depth, last processes", posix: false, sysV: true);

    private static CliVerb New(string summary, bool posix, bool sysV) => new("ls", summary)
    {
        Options = Options,
        Run = arguments => Run(arguments, posix, sysV),
        Notes =
        [
            """
            A dash is what this user may not know. Queues are those of this IPC namespace.
            POSIX queues are read through a private mount (CAP_SYS_ADMIN), else from
            /dev/mqueue unless it is that of another namespace, else only those of this
            process can be seen, and that is said.
            """,
        ],
    };

    /// <summary>The members of a POSIX queue.</summary>
    public static void Write(Utf8JsonWriter json, PosixQueueEntry queue)
    {
        json.WriteString("name"u8, queue.Name);
        MqCommand.WriteKnown(json, "uid", queue.Uid);
        MqCommand.WriteKnown(json, "gid", queue.Gid);
        json.WriteString("owner"u8, queue.Uid is uint uid ? MqNames.User(uid) : null);
        json.WriteString("mode"u8, OctalMode(queue.Mode));
        MqCommand.WriteKnown(json, "messages", queue.Messages);
        MqCommand.WriteKnown(json, "max_messages", queue.MaxMessages);
        MqCommand.WriteKnown(json, "message_size", queue.MessageSize);
        MqCommand.WriteKnown(json, "bytes", queue.Bytes);
        MqCommand.WriteKnown(json, "notify_pid", queue.NotifyProcess);
        MqCommand.WriteKnown(json, "notify_signal", queue.NotifySignal);
        json.WriteString("gap"u8, queue.Gap switch
        {
            PosixQueueGap.NotOpened => "not_opened",
            PosixQueueGap.OwnNotification => "own_notification",
            _ => null,
        });
    }

    /// <summary>The members of a System V queue.</summary>
    public static void Write(Utf8JsonWriter json, SysVQueueStatus queue)
    {
        json.WriteNumber("id"u8, queue.Id);
        json.WriteString("key"u8, KeyText(queue.Key));
        json.WriteNumber("uid"u8, queue.Uid);
        json.WriteNumber("gid"u8, queue.Gid);
        json.WriteString("owner"u8, MqNames.User(queue.Uid));
        json.WriteNumber("creator_uid"u8, queue.CreatorUid);
        json.WriteNumber("creator_gid"u8, queue.CreatorGid);
        json.WriteString("mode"u8, OctalMode(queue.Mode));
        json.WriteNumber("messages"u8, queue.Messages);
        json.WriteNumber("bytes"u8, queue.Bytes);
        json.WriteNumber("max_bytes"u8, queue.MaxBytes);
        json.WriteNumber("last_sender"u8, queue.LastSender);
        json.WriteString("last_sender_name"u8, MqNames.Process(queue.LastSender));
        json.WriteNumber("last_receiver"u8, queue.LastReceiver);
        json.WriteString("last_receiver_name"u8, MqNames.Process(queue.LastReceiver));
        json.WriteNumber("send_time"u8, queue.SendTime);
        json.WriteNumber("receive_time"u8, queue.ReceiveTime);
        json.WriteNumber("change_time"u8, queue.ChangeTime);
    }

    /// <summary><c>0x4a010203</c>, as ipcs(1) writes keys.</summary>
    public static string KeyText(int key) => "0x" + key.ToString("x8", null);

    /// <summary><c>0600</c>.</summary>
    public static string? OctalMode(int? mode) => mode is int bits ? Convert.ToString(bits, 8).PadLeft(4, '0') : null;

    private static int Run(CliArguments arguments, bool posix, bool sysV)
    {
        ICoreBackend backend = LogCommand.BackendOf(arguments);
        PosixQueueListing? listing = posix ? PosixQueues.List(backend) : null;
        IReadOnlyList<SysVQueueStatus>? ids = sysV ? SysVMessageQueue.List(backend) : null;
        if (listing?.Advice is string advice)
        {
            Cli.Say(arguments.Speaker, advice);
        }

        if (arguments.Has("json"))
        {
            MqCommand.PrintJson(json => Write(json, listing, ids));
            return ExitCode.Done;
        }

        return MqCommand.Show(arguments, page =>
        {
            if (listing is not null)
            {
                ShowPosix(page, listing, sysV);
            }

            if (ids is not null)
            {
                ShowSysV(page, ids, posix);
            }
        });
    }

    private static void ShowPosix(Page page, PosixQueueListing listing, bool isOneOfTwo)
    {
        if (isOneOfTwo)
        {
            page.Line("POSIX", PageTone.Strong);
        }

        page.Rows(PosixColumns, listing.Queues.Select(queue => (IReadOnlyList<string>)
        [
            LogText.Escape(queue.Name),
            queue.Uid is uint uid ? LogText.Escape(MqNames.User(uid)) : "-",
            MqCommand.ModeText(queue.Mode),
            MqCommand.Known(queue.Messages),
            MqCommand.Known(queue.MaxMessages),
            MqCommand.Known(queue.Bytes),
            MqCommand.Known(queue.MessageSize),
            MqCommand.ProcessText(queue.NotifyProcess),
        ]));
    }

    private static void ShowSysV(Page page, IReadOnlyList<SysVQueueStatus> queues, bool isOneOfTwo)
    {
        if (isOneOfTwo)
        {
            page.Line();
            page.Line("System V", PageTone.Strong);
        }

        page.Rows(SysVColumns, queues.Select(queue => (IReadOnlyList<string>)
        [
            MqCommand.Known(queue.Id),
            KeyText(queue.Key),
            LogText.Escape(MqNames.User(queue.Uid)),
            MqCommand.ModeText(queue.Mode),
            MqCommand.Known(queue.Messages),
            MqCommand.Known(queue.Bytes),
            MqCommand.Known(queue.MaxBytes),
            MqCommand.ProcessText(queue.LastSender),
            MqCommand.ProcessText(queue.LastReceiver),
        ]));
    }

    private static void Write(Utf8JsonWriter json, PosixQueueListing? listing, IReadOnlyList<SysVQueueStatus>? ids)
    {
        if (listing is not null)
        {
            json.WriteString("source"u8, listing.Source switch
            {
                PosixQueueSource.Mounted => "mounted",
                PosixQueueSource.PrivateMount => "private_mount",
                _ => "own_descriptors",
            });
            json.WriteString("advice"u8, listing.Advice);
            json.WriteStartArray(ids is null ? "queues" : "posix");
            foreach (PosixQueueEntry queue in listing.Queues)
            {
                json.WriteStartObject();
                Write(json, queue);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        if (ids is not null)
        {
            json.WriteStartArray(listing is null ? "queues" : "sysv");
            foreach (SysVQueueStatus queue in ids)
            {
                json.WriteStartObject();
                Write(json, queue);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }
    }
}
