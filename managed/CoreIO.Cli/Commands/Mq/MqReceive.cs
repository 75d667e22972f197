// `recv` of both families. A message is written before the next is taken, so that a process that is killed loses one at most; while it waits
// it has taken nothing, so Ctrl-C and a reader that goes away leave every message in its queue.
using CoreIO.Cli.Shell;
using CoreIO.Cli.Show;
using CoreIO.Mq;

namespace CoreIO.Cli.Commands;

internal static class MqReceive
{
    /// <summary>The options that both families have.</summary>
    public static CliOption[] Options { get; } =
    [
        new("count", "N", "messages to receive (1); 0 for no end") { Letter = 'n', Group = "Receiving" },
        new("follow", null, "as --count 0") { Letter = 'F', Group = "Receiving" },
        new("timeout", "T", "how long each is waited for: 0, 5s, 500ms")
        {
            Letter = 't',
            Group = "Receiving",
            More = ["default: for ever; 0 does not wait, so that", "--follow --timeout 0 takes what is there"],
        },
        new("json", null, "one JSON object a message") { Group = "Output" },
        new("base64", null, "messages in base64; with --json always so") { Group = "Output" },
        new("raw", null, "no newline behind a message, no dump on a terminal") { Group = "Output" },
        MqCommand.Backend,
    ];

    /// <summary>Receives; the queue is opened when nothing is wrong with the line.</summary>
    public static int Run(CliArguments arguments, Func<MqQueue> open)
    {
        int count = arguments.Has("follow") ? 0 : arguments.Number("count", 1, 0, int.MaxValue);
        TimeSpan? timeout = MqCommand.TimeoutOf(arguments);
        MqMessageForm form = FormOf(arguments);
        using MqQueue queue = open();
        using Interrupt interrupt = Interrupt.Listen();
        using Stream output = StandardOutput.Open();
        using MqMessageWriter writer = new(output, form, queue.Name, queue.TypeName);
        MqWait wait = new(timeout, Cancel: interrupt.Descriptor);
        byte[] buffer = new byte[queue.MessageSize];
        long received = 0;
        bool isOver = false;
        try
        {
            while (!isOver && !interrupt.IsRequested && (count == 0 || received < count))
            {
                isOver = !queue.TryReceive(buffer, out int length, out long type, wait);
                if (!isOver)
                {
                    writer.Write(buffer.AsSpan(0, length), type);
                    output.Flush();
                    received++;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // A signal, or nobody reads standard output any more.
        }
        finally
        {
            output.Flush();
        }

        interrupt.Conclude();
        if (isOver && count > 1 && received > 0)
        {
            Cli.Say(arguments.Speaker, $"receive from {queue.Name}: {received} of {count} messages came before the timeout");
        }

        return isOver && received == 0 ? ExitCode.NothingMatched : ExitCode.Done;
    }

    private static MqMessageForm FormOf(CliArguments arguments) =>
        arguments.Has("json") ? arguments.Has("base64") ? MqMessageForm.JsonBase64 : MqMessageForm.Json
        : arguments.Has("base64") ? MqMessageForm.Base64
        : arguments.Has("raw") ? MqMessageForm.Raw
        : Terminal.IsOutput ? MqMessageForm.Terminal : MqMessageForm.Line;
}
