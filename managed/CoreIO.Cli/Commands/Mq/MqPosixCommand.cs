// `coreio mq posix`: the verbs of POSIX queues.
using CoreIO.Cli.Shell;
using CoreIO.Cli.Show;
using CoreIO.Log;
using CoreIO.Mq;

namespace CoreIO.Cli.Commands;

internal static class MqPosixCommand
{
    private const int MostPriority = 32767;

    public static CliVerb Verb { get; } = new("posix", "POSIX queues: names that begin with a slash")
    {
        Children =
        [
            new("create", () => Create),
            new("send", () => Send),
            new("recv", () => Receive),
            new("ls", () => MqList.Posix),
            new("stat", () => Stat),
            new("set", () => Set),
            new("rm", () => Remove),
            new("watch", () => MqWatch.Posix),
            new("notify", () => MqNotify.Verb),
            new("limits", () => MqLimitsCommand.Posix),
        ],
    };

    private static CliVerb Create => new("create", "create a queue")
    {
        Operands = "/NAME",
        MaxOperands = 1,
        Run = RunCreate,
        Options =
        [
            new("max-messages", "N", "messages it holds (the system's default)") { Letter = 'm' },
            new("message-size", "N", "bytes a message may have (the default)") { Letter = 's' },
            new("mode", "MODE", "permissions, exactly: 0600 (default)"),
            new("exist-ok", null, "it may be there already, and stays as it is"),
            MqCommand.Owner,
            MqCommand.Json with { Group = "Options" },
            MqCommand.Backend with { Group = "Options" },
        ],
        Notes =
        [
            """
            A queue that exists is an error (EEXIST): somebody else may have made it. Sizes
            cannot be changed later; 'coreio mq posix limits' shows how large they may be.
            """,
        ],
    };

    private static CliVerb Send => new("send", "send messages")
    {
        Operands = "/NAME [MESSAGE...]",
        Run = arguments => MqSend.Run(arguments, [.. arguments.Operands.Skip(1)], Opener(arguments, PosixQueueFlags.Send)),
        Options =
        [
            new("priority", "N", "0 (default) to 32767; the highest is received first") { Letter = 'p', Group = "Sending" },
            MqCommand.Owner with { Group = "Sending" },
            .. MqSend.Options,
        ],
        Notes = MqSendNotes,
    };

    private static CliVerb Receive => new("recv", "receive messages, the highest priority first")
    {
        Operands = "/NAME",
        MaxOperands = 1,
        Run = arguments => MqReceive.Run(arguments, Opener(arguments, PosixQueueFlags.Receive)),
        Options = [MqCommand.Owner with { Group = "Receiving" }, .. MqReceive.Options],
        Notes = MqReceiveNotes,
    };

    private static CliVerb Stat => new("stat", "everything about a queue, and who has it open")
    {
        Operands = "/NAME",
        MaxOperands = 1,
        Run = RunStat,
        Options = [MqCommand.Json, MqCommand.Backend, MqCommand.Color],
    };

    private static CliVerb Set => new("set", "change permissions and owner of a queue")
    {
        Operands = "/NAME",
        MaxOperands = 1,
        Run = RunSet,
        Options =
        [
            new("mode", "MODE", "permissions, as in 0660"),
            new("uid", "N", "owner's number"),
            new("gid", "N", "group's number"),
            MqCommand.Json with { Group = "Options", Summary = "the queue after the change as one JSON document" },
            MqCommand.Backend with { Group = "Options" },
        ],
        Notes =
        [
            """
            The sizes of a queue are fixed when it is created, and O_NONBLOCK belongs to
            each program that has it open: the kernel lets nobody change them from here.
            """,
        ],
    };

    private static CliVerb Remove => new("rm", "remove queues by name; who has one open goes on")
    {
        Operands = "/NAME...",
        Run = RunRemove,
        Options = [MqCommand.Json with { Group = "Options" }, MqCommand.Backend with { Group = "Options" }],
    };

    internal static string[] MqSendNotes =>
    [
        """
        Without a MESSAGE each line of standard input is one, its newline left out.
        """,
        "Exit codes: 0 all sent, 1 the queue stayed full, 2 a failure, 64 usage.",
    ];

    internal static string[] MqReceiveNotes =>
    [
        """
        A message is written as it is, with a newline behind it. On a terminal controls
        in it are escaped, and what is no text is a hex dump. While it waits it has
        taken nothing: Ctrl-C, or a closed pipe behind it, leaves every message in its
        queue.
        """,
        "Exit codes: 0 done, 1 nothing came in time, 2 a failure, 64 usage, 130.",
    ];

    /// <summary>The name a verb is about.</summary>
    public static string NameOf(CliArguments arguments) => arguments.Operands.Count > 0
        ? Checked(arguments.Operands[0]) : throw new UsageException("which queue? Give its /NAME");

    /// <summary>A name as the kernel wants it.</summary>
    public static string Checked(string name) => name.StartsWith('/') ? name
        : throw new UsageException($"'{name}' is no name of a POSIX queue; write '/{name}'");

    private static Func<MqQueue> Opener(CliArguments arguments, PosixQueueFlags flags)
    {
        string name = NameOf(arguments);
        int priority = arguments.Number("priority", 0, 0, MostPriority);
        PosixQueueOptions options = new() { Flags = flags, ExpectedOwner = MqCommand.OwnerOf(arguments) };
        ICoreBackend backend = LogCommand.BackendOf(arguments);
        return () => new MqPosixQueue(PosixMessageQueue.Open(name, options, backend), priority);
    }

    private static int RunCreate(CliArguments arguments)
    {
        string name = NameOf(arguments);
        int? mode = arguments.Get("mode") is string text ? Values.Mode("mode", text) : null;
        PosixQueueOptions options = new()
        {
            Flags = PosixQueueFlags.SendReceive | PosixQueueFlags.Create | PosixQueueFlags.Exclusive,
            MaxMessages = Size(arguments, "max-messages"),
            MessageSize = Size(arguments, "message-size"),
            ExpectedOwner = MqCommand.OwnerOf(arguments),
        };
        ICoreBackend backend = LogCommand.BackendOf(arguments);
        using PosixMessageQueue? made = CreateNew(name, options, backend, arguments.Has("exist-ok"));
        if (made is null)
        {
            PosixMessageQueue.Open(name, options with { Flags = PosixQueueFlags.SendReceive | PosixQueueFlags.Create }, backend).Dispose();
        }
        else if (mode is int wanted)
        {
            // Made for the owner alone, then as asked: the umask has no say in what was asked for.
            ChangeMode(made, wanted);
        }

        PrintEntry(arguments, name, backend);
        return ExitCode.Done;
    }

    // Null where there was one already, and that is no error.
    private static PosixMessageQueue? CreateNew(string name, PosixQueueOptions options, ICoreBackend backend, bool mayExist)
    {
        try
        {
            return PosixMessageQueue.Open(name, options, backend);
        }
        catch (MessageQueueException e) when (mayExist && e.Status == StatusCode.Exists)
        {
            return null;
        }
    }

    private static long? Size(CliArguments arguments, string option) =>
        arguments.Has(option) ? arguments.Number(option, 0, 1, int.MaxValue) : null;

    private static int RunStat(CliArguments arguments)
    {
        string name = NameOf(arguments);
        ICoreBackend backend = LogCommand.BackendOf(arguments);
        PosixQueueEntry entry = PosixQueues.Find(name, backend) ?? throw NoSuchQueue(name, backend);
        MqPeerList peers = MqWatch.PosixPeers(name, backend);
        if (arguments.Has("json"))
        {
            MqCommand.PrintJson(json =>
            {
                MqList.Write(json, entry);
                MqWatch.WritePeers(json, peers);
            });
            return ExitCode.Done;
        }

        return MqCommand.Show(arguments, page =>
        {
            page.Line(LogText.Escape(entry.Name), PageTone.Strong);
            page.Line($"owner         {(entry.Uid is uint uid ? LogText.Escape(MqNames.User(uid)) : "-")}, group {MqCommand.Known(entry.Gid)}");
            page.Line($"mode          {MqCommand.ModeText(entry.Mode)} ({MqList.OctalMode(entry.Mode) ?? "-"})");
            page.Line($"messages      {MqCommand.Known(entry.Messages)} of {MqCommand.Known(entry.MaxMessages)}");
            page.Line($"bytes         {MqCommand.Known(entry.Bytes)}");
            page.Line($"message size  {MqCommand.Known(entry.MessageSize)}");
            page.Line($"notifies      {MqCommand.ProcessText(entry.NotifyProcess)}"
                + (entry.NotifySignal is > 0 and int signal ? $" by signal {signal}" : ""));
            MqWatch.ShowPeers(page, peers);
        });
    }

    // The package's own open tells best what is wrong with a name.
    private static CoreIOException NoSuchQueue(string name, ICoreBackend backend)
    {
        try
        {
            PosixMessageQueue.Open(name, new PosixQueueOptions { Flags = PosixQueueFlags.Receive }, backend).Dispose();
            return new CoreIOException(StatusCode.NoEntry, name);
        }
        catch (CoreIOException e)
        {
            return e;
        }
    }

    private static int RunSet(CliArguments arguments)
    {
        string name = NameOf(arguments);
        if (!arguments.Has("mode") && !arguments.Has("uid") && !arguments.Has("gid"))
        {
            throw new UsageException("what to change? Give --mode, --uid or --gid");
        }

        int? mode = arguments.Get("mode") is string text ? Values.Mode("mode", text) : null;
        int uid = arguments.Number("uid", -1, 0, int.MaxValue);
        int gid = arguments.Number("gid", -1, 0, int.MaxValue);
        ICoreBackend backend = LogCommand.BackendOf(arguments);
        using PosixMessageQueue queue = OpenToSet(name, backend);
        int status = uid >= 0 || gid >= 0 ? Libc.ChangeOwner(queue.Handle, uid, gid) : 0;
        if (status < 0)
        {
            throw new CoreIOException(status, $"change the owner of {name}");
        }

        if (mode is int wanted)
        {
            ChangeMode(queue, wanted);
        }

        PrintEntry(arguments, name, backend);
        return ExitCode.Done;
    }

    private static void ChangeMode(PosixMessageQueue queue, int mode)
    {
        int status = Libc.ChangeMode(queue.Handle, mode);
        if (status < 0)
        {
            throw new CoreIOException(status, $"change the mode of {queue.Name}");
        }
    }

    // To change an owner it does not matter how a queue is open: whichever way is allowed.
    private static PosixMessageQueue OpenToSet(string name, ICoreBackend backend)
    {
        try
        {
            return PosixMessageQueue.Open(name, new PosixQueueOptions { Flags = PosixQueueFlags.Receive }, backend);
        }
        catch (CoreIOException e) when (e.Status == StatusCode.AccessDenied)
        {
            return PosixMessageQueue.Open(name, new PosixQueueOptions { Flags = PosixQueueFlags.Send }, backend);
        }
    }

    private static int RunRemove(CliArguments arguments)
    {
        _ = NameOf(arguments);
        ICoreBackend backend = LogCommand.BackendOf(arguments);
        List<string> removed = [];
        int exitCode = ExitCode.Done;
        foreach (string name in arguments.Operands.Select(Checked).ToArray())
        {
            try
            {
                PosixMessageQueue.Unlink(name, backend);
                removed.Add(name);
            }
            catch (CoreIOException e)
            {
                exitCode = Cli.Say(arguments.Speaker, e.Message, ExitCode.Failure);
            }
        }

        MqCommand.PrintRemoved(arguments, removed);
        return exitCode;
    }

    private static void PrintEntry(CliArguments arguments, string name, ICoreBackend backend)
    {
        if (arguments.Has("json"))
        {
            MqCommand.PrintJson(json => MqList.Write(json, PosixQueues.Find(name, backend) ?? new PosixQueueEntry(name)));
        }
    }
}
