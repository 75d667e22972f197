// `coreio mq sysv`: the verbs of System V queues.
using System.Globalization;
using CoreIO.Cli.Shell;
using CoreIO.Cli.Show;
using CoreIO.Log;
using CoreIO.Mq;

namespace CoreIO.Cli.Commands;

internal static class MqSysVCommand
{
    private const int MostBytes = 1 << 30;

    public static CliVerb Verb { get; } = new("sysv", "System V queues: by key, by file, or by identifier")
    {
        Children =
        [
            new("create", () => Create),
            new("send", () => Send),
            new("recv", () => Receive),
            new("ls", () => MqList.SysV),
            new("stat", () => Stat),
            new("set", () => Set),
            new("rm", () => Remove),
            new("watch", () => MqWatch.SysV),
            new("limits", () => MqLimitsCommand.SysV),
        ],
    };

    private static CliVerb Create => new("create", "create a queue, and print its identifier")
    {
        Run = RunCreate,
        Options =
        [
            .. MqSysVTarget.Options.Where(option => option.Name != "id"),
            new("mode", "MODE", "permissions: 0600 (default)"),
            new("max-bytes", "N", "bytes it may hold (the system's msgmnb)"),
            new("exist-ok", null, "it may be there already, and stays as it is"),
            MqCommand.Json with { Group = "Options" },
            MqCommand.Backend with { Group = "Options" },
        ],
        Notes =
        [
            """
            Without --key and --file the queue has no key (IPC_PRIVATE) and is found by its
            identifier alone. A key of a file holds 16 bits of its inode: two files may have
            the same one, and then a queue that exists (EEXIST) is somebody else's.
            """,
        ],
    };

    private static CliVerb Send => new("send", "send messages")
    {
        Operands = "[MESSAGE...]",
        Run = RunSend,
        Options = [.. MqSysVTarget.Options, new("type", "T", "type of the messages, above 0 (1)") { Letter = 'T', Group = "Sending" }, .. MqSend.Options],
        Notes = MqPosixCommand.MqSendNotes,
    };

    private static CliVerb Receive => new("recv", "receive messages, all or of a type")
    {
        Run = RunReceive,
        Options =
        [
            .. MqSysVTarget.Options,
            new("type", "T", "0 the oldest (default), 5 of type 5, -5 lowest up to 5") { Letter = 'T', Group = "Receiving" },
            new("except", null, "any type but --type (MSG_EXCEPT)") { Group = "Receiving" },
            new("copy", "N", "a copy of the N-th message, from 0 (MSG_COPY)") { Group = "Receiving", Short = false },
            new("max", "N", "bytes to take of a message (all)") { Group = "Receiving", Short = false },
            new("truncate", null, "a longer one is cut, and the rest lost (MSG_NOERROR)") { Group = "Receiving", Short = false },
            .. MqReceive.Options,
        ],
        Notes = MqPosixCommand.MqReceiveNotes,
    };

    private static CliVerb Stat => new("stat", "everything about a queue, and who is blocked on it")
    {
        Run = RunStat,
        Options = [.. MqSysVTarget.Options, MqCommand.Json, MqCommand.Backend, MqCommand.Color],
    };

    private static CliVerb Set => new("set", "change permissions, owner and room of a queue")
    {
        Run = RunSet,
        Options =
        [
            .. MqSysVTarget.Options,
            new("mode", "MODE", "permissions, as in 0660"),
            new("uid", "N", "owner's number"),
            new("gid", "N", "group's number"),
            new("max-bytes", "N", "bytes it may hold"),
            MqCommand.Json with { Group = "Options", Summary = "the queue after the change as one JSON document" },
            MqCommand.Backend with { Group = "Options" },
        ],
    };

    private static CliVerb Remove => new("rm", "remove a queue with its messages at once")
    {
        Run = RunRemove,
        Options = [.. MqSysVTarget.Options, MqCommand.Json with { Group = "Options" }, MqCommand.Backend with { Group = "Options" }],
    };

    private static int RunCreate(CliArguments arguments)
    {
        int mode = arguments.Get("mode") is string text ? Values.Mode("mode", text) : 0x180;
        int? room = arguments.Has("max-bytes") ? arguments.Number("max-bytes", 0, 1, int.MaxValue) : null;
        ICoreBackend backend = LogCommand.BackendOf(arguments);
        int? key = MqSysVTarget.Key(arguments, backend);
        SysVMessageQueue? made = key is int own ? CreateNew(own, mode, backend, arguments.Has("exist-ok")) : SysVMessageQueue.CreatePrivate(mode, backend);
        SysVMessageQueue queue = made ?? SysVMessageQueue.OpenOrCreate(key.GetValueOrDefault(), mode, MqCommand.OwnerOf(arguments), backend);
        if (made is not null && room is int bytes)
        {
            MakeRoom(made, bytes);
        }

        if (arguments.Has("json"))
        {
            MqCommand.PrintJson(json => MqList.Write(json, queue.Status));
            return ExitCode.Done;
        }

        return Cli.Print(string.Create(CultureInfo.InvariantCulture, $"{queue.Id}\n"));
    }

    // A queue that cannot be as it was asked for does not stay.
    private static void MakeRoom(SysVMessageQueue queue, int bytes)
    {
        try
        {
            SysVQueueStatus status = queue.Status;
            queue.Change(new SysVQueueChange(status.Uid, status.Gid, status.Mode, bytes));
        }
        catch (MessageQueueException)
        {
            queue.Remove();
            throw;
        }
    }

    // Null where there was one already, and that is no error.
    private static SysVMessageQueue? CreateNew(int key, int mode, ICoreBackend backend, bool mayExist)
    {
        try
        {
            return SysVMessageQueue.Create(key, mode, backend);
        }
        catch (MessageQueueException e) when (mayExist && e.Status == StatusCode.Exists)
        {
            return null;
        }
    }

    private static int RunSend(CliArguments arguments)
    {
        long type = TypeOf(arguments, 1);
        if (type <= 0)
        {
            throw new UsageException($"--type: a message that is sent has a type above 0, not {type}");
        }

        return MqSend.Run(arguments, arguments.Operands, () => new MqSysVQueue(MqSysVTarget.Open(arguments), type, SysVQueueFlags.None, 0));
    }

    private static int RunReceive(CliArguments arguments)
    {
        bool isCopy = arguments.Has("copy");
        if (isCopy && ((string[])["type", "except", "count", "follow"]).FirstOrDefault(arguments.Has) is string other)
        {
            throw new UsageException($"--copy shows one message by its place; --{other} does not go with it");
        }

        long type = isCopy ? arguments.Number("copy", 0, 0, int.MaxValue) : TypeOf(arguments, 0);
        SysVQueueFlags flags = (arguments.Has("except") ? SysVQueueFlags.Except : 0) | (arguments.Has("truncate") ? SysVQueueFlags.NoError : 0)
            | (isCopy ? SysVQueueFlags.Copy | SysVQueueFlags.NoWait : 0);
        int? most = arguments.Has("max") ? arguments.Number("max", 0, 1, MostBytes) : null;
        return MqReceive.Run(arguments, () =>
        {
            SysVMessageQueue target = MqSysVTarget.Open(arguments);
            return new MqSysVQueue(target, type, flags, most ?? LargestOf(target, LogCommand.BackendOf(arguments)));
        });
    }

    // A message was no longer than msgmax when it was sent, nor longer than the queue, unless both were lowered since.
    private static int LargestOf(SysVMessageQueue queue, ICoreBackend backend) =>
        (int)Math.Min(MostBytes, Math.Max(SysVMessageQueue.Limits(backend).Max, queue.Status.MaxBytes));

    private static long TypeOf(CliArguments arguments, long otherwise) => arguments.Get("type") is not string text ? otherwise
        : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long type) ? type
        : throw new UsageException($"--type: '{text}' is no whole number");

    private static int RunStat(CliArguments arguments)
    {
        SysVQueueStatus status = MqSysVTarget.Open(arguments).Status;
        MqPeerList peers = MqPeers.OfSysV(status.Id);
        if (arguments.Has("json"))
        {
            MqCommand.PrintJson(json =>
            {
                MqList.Write(json, status);
                MqWatch.WritePeers(json, peers);
            });
            return ExitCode.Done;
        }

        return MqCommand.Show(arguments, page =>
        {
            page.Line($"queue {status.Id}, key {MqList.KeyText(status.Key)}", PageTone.Strong);
            page.Line($"owner          {LogText.Escape(MqNames.User(status.Uid))}, group {status.Gid}");
            page.Line($"creator        {LogText.Escape(MqNames.User(status.CreatorUid))}, group {status.CreatorGid}");
            page.Line($"mode           {MqCommand.ModeText(status.Mode)} ({MqList.OctalMode(status.Mode)})");
            page.Line($"messages       {status.Messages}");
            page.Line($"bytes          {status.Bytes} of {status.MaxBytes}");
            page.Line($"last sender    {MqCommand.ProcessText(status.LastSender)} at {MqCommand.TimeText(status.SendTime)}");
            page.Line($"last receiver  {MqCommand.ProcessText(status.LastReceiver)} at {MqCommand.TimeText(status.ReceiveTime)}");
            page.Line($"last change    {MqCommand.TimeText(status.ChangeTime)}");
            MqWatch.ShowPeers(page, peers);
        });
    }

    private static int RunSet(CliArguments arguments)
    {
        if (!((string[])["mode", "uid", "gid", "max-bytes"]).Any(arguments.Has))
        {
            throw new UsageException("what to change? Give --mode, --uid, --gid or --max-bytes");
        }

        SysVMessageQueue queue = MqSysVTarget.Open(arguments);
        SysVQueueStatus status = queue.Status;
        queue.Change(new SysVQueueChange(
            (uint)arguments.Number("uid", (int)status.Uid, 0, int.MaxValue),
            (uint)arguments.Number("gid", (int)status.Gid, 0, int.MaxValue),
            arguments.Get("mode") is string mode ? Values.Mode("mode", mode) : status.Mode,
            arguments.Number("max-bytes", (int)Math.Min(int.MaxValue, status.MaxBytes), 0, int.MaxValue)));
        if (arguments.Has("json"))
        {
            MqCommand.PrintJson(json => MqList.Write(json, queue.Status));
        }

        return ExitCode.Done;
    }

    private static int RunRemove(CliArguments arguments)
    {
        SysVMessageQueue queue = MqSysVTarget.Open(arguments);
        queue.Remove();
        MqCommand.PrintRemoved(arguments, [queue.Id.ToString(CultureInfo.InvariantCulture)]);
        return ExitCode.Done;
    }
}
