// `limits`: what a queue may be here, what of it is used, and how to change it.
using System.Text.Json;
using CoreIO.Cli.Shell;
using CoreIO.Cli.Show;
using CoreIO.Mq;

namespace CoreIO.Cli.Commands;

internal static class MqLimitsCommand
{
    private static readonly PageColumn[] Columns = [new("limit", false), new("value", true), new("used", true), new("of", false), new("to change it", false)];

    public static CliVerb Both { get; } = New("the limits of both families, and what is used of them", posix: true, sysV: true);

    public static CliVerb Posix { get; } = New("the limits of POSIX queues, and what is used of them", posix: true, sysV: false);

    public static CliVerb SysV { get; } = New("the limits of System V queues, and what is used of them", posix: false, sysV: true);

    private static CliVerb New(string summary, bool posix, bool sysV) => new("limits", summary)
    {
        Options = [MqCommand.Json, MqCommand.Backend, MqCommand.Color],
        Run = arguments => Run(arguments, posix, sysV),
        Notes =
        [
            """
            The sysctl limits are those of this IPC namespace; with CAP_SYS_RESOURCE a
            process may go beyond msg_max, msgsize_max, queues_max and msgmnb.
            RLIMIT_MSGQUEUE counts the room of all queues of a user, full or empty, in every
            namespace.
            """,
        ],
    };

    private static int Run(CliArguments arguments, bool posix, bool sysV)
    {
        MqLimits limits = MqLimits.Read(LogCommand.BackendOf(arguments));
        if (arguments.Has("json"))
        {
            MqCommand.PrintJson(json => Write(json, limits, posix, sysV));
            return ExitCode.Done;
        }

        return MqCommand.Show(arguments, page =>
        {
            page.Rows(Columns, [.. (posix ? limits.Posix : []).Concat(sysV ? limits.SysV : []).Select(limit => (IReadOnlyList<string>)
            [
                limit.Name,
                limit.IsUnlimited ? "unlimited" : MqCommand.Known(limit.Value),
                MqCommand.Known(limit.Used),
                limit.For,
                limit.Change,
            ])]);
            page.Line();
            if (posix && limits.DefaultQueues is long queues)
            {
                page.Line($"{MqLimits.ByteLimit} has room for {queues} queues of the default size");
            }

            page.Line("CAP_SYS_RESOURCE: " + (limits.HasResourceCapability switch
            {
                true => "yes, this process may go beyond the sysctl limits",
                false => "no",
                null => "not known",
            }));
        });
    }

    private static void Write(Utf8JsonWriter json, MqLimits limits, bool posix, bool sysV)
    {
        json.WriteStartArray("limits"u8);
        foreach (MqLimit limit in (posix ? limits.Posix : []).Concat(sysV ? limits.SysV : []))
        {
            json.WriteStartObject();
            json.WriteString("name"u8, limit.Name);
            MqCommand.WriteKnown(json, "value", limit.Value);
            json.WriteBoolean("unlimited"u8, limit.IsUnlimited);
            MqCommand.WriteKnown(json, "used", limit.Used);
            json.WriteString("for"u8, limit.For);
            json.WriteString("change"u8, limit.Change);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (posix)
        {
            MqCommand.WriteKnown(json, "default_queues", limits.DefaultQueues);
        }

        json.WritePropertyName("cap_sys_resource"u8);
        if (limits.HasResourceCapability is bool has)
        {
            json.WriteBooleanValue(has);
        }
        else
        {
            json.WriteNullValue();
        }
    }
}
