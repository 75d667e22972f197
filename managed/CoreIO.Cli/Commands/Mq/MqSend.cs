// `send` of both families. A message is in the queue or it is not: what a signal, a timeout or a fault leaves unsent is said.
using System.Text.Json;
using CoreIO.Cli.Shell;
using CoreIO.Log;
using CoreIO.Mq;

namespace CoreIO.Cli.Commands;

internal static class MqSend
{
    /// <summary>The options that both families have.</summary>
    public static CliOption[] Options { get; } =
    [
        new("timeout", "T", "how long a full queue is waited for: 0, 5s, 500ms") { Letter = 't', Group = "Sending", More = ["default: for ever; 0 does not wait"] },
        new("files", null, "each MESSAGE is a file that holds it; - is stdin") { Letter = 'f', Group = "Sending" },
        new("base64", null, "messages are written in base64") { Group = "Sending" },
        MqCommand.Json with { Summary = "tell how many were sent as one JSON document" },
        MqCommand.Backend,
    ];

    /// <summary>Sends <paramref name="words"/>; the queue is opened when nothing is wrong with the line.</summary>
    public static int Run(CliArguments arguments, IReadOnlyList<string> words, Func<MqQueue> open)
    {
        MqWait wait = new(MqCommand.TimeoutOf(arguments));
        if (words.Count == 0 && arguments.Has("files"))
        {
            throw new UsageException("--files: which FILE?");
        }

        using MqQueue queue = open();
        if (words.Count == 0 && Terminal.IsInput)
        {
            Cli.Say(arguments.Speaker, $"reading messages for {queue.Name} from this terminal, one a line; Ctrl-D ends");
        }

        long sent = 0;
        long bytes = 0;
        try
        {
            foreach (ReadOnlyMemory<byte> message in MqMessages.Of(words, arguments.Has("files"), arguments.Has("base64")))
            {
                if (!queue.TrySend(message.Span, wait))
                {
                    return Cli.Say(arguments.Speaker, $"send to {queue.Name}: the queue was full until the timeout; {Sent(sent)}", ExitCode.NothingMatched);
                }

                sent++;
                bytes += message.Length;
            }
        }
        catch (CoreIOException) when (sent > 0)
        {
            Cli.Say(arguments.Speaker, $"send to {queue.Name}: {Sent(sent)}, then:");
            throw;
        }

        if (arguments.Has("json"))
        {
            MqCommand.PrintJson(json =>
            {
                json.WriteString("queue"u8, queue.Name);
                json.WriteNumber("sent"u8, sent);
                json.WriteNumber("bytes"u8, bytes);
            });
        }

        return ExitCode.Done;
    }

    private static string Sent(long count) => count switch
    {
        0 => "nothing was sent",
        1 => "1 message was sent before",
        _ => $"{count} messages were sent before",
    };
}
