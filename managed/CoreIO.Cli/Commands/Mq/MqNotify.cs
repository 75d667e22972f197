// `coreio mq posix notify`: tells each time a message comes into the empty queue, and takes none. The kernel tells once for each time it is
// asked: after it told, it is asked again before anything is said, so that no message comes unseen between.
using CoreIO.Cli.Shell;
using CoreIO.Log;
using CoreIO.Mq;

namespace CoreIO.Cli.Commands;

internal static class MqNotify
{
    public static CliVerb Verb { get; } = new("notify", "tell when a message comes into the empty queue")
    {
        Operands = "/NAME",
        MaxOperands = 1,
        Run = Run,
        Options =
        [
            new("count", "N", "how often to tell before it ends (1); 0 for no end") { Letter = 'n' },
            new("timeout", "T", "how long each is waited for: 5s, 500ms (for ever)") { Letter = 't' },
            MqCommand.Json with { Group = "Options", Summary = "one JSON object each time" },
            MqCommand.Backend with { Group = "Options" },
        ],
        Notes =
        [
            """
            Prints the queue's name and how many messages it holds; none is taken. A message
            into a queue that is not empty is not told, nor is one that a blocked receiver
            takes at once. One process at a time may be told (EBUSY).
            """,
            "Exit codes: 0 told, 1 nothing came in time, 2 a failure, 64 usage, 130.",
        ],
    };

    private static int Run(CliArguments arguments)
    {
        string name = MqPosixCommand.NameOf(arguments);
        int count = arguments.Number("count", 1, 0, int.MaxValue);
        TimeSpan? timeout = MqCommand.TimeoutOf(arguments);
        using Interrupt interrupt = Interrupt.Listen();
        using PosixMessageQueue queue = PosixMessageQueue.Open(
            name, new PosixQueueOptions { Flags = PosixQueueFlags.Receive | PosixQueueFlags.NonBlocking }, LogCommand.BackendOf(arguments));
        using Stream output = StandardOutput.Open();
        using PosixQueueNotification? notification = Ask(queue);
        if (notification is null)
        {
            string holder = MqCommand.ProcessText(PosixQueues.Find(name, LogCommand.BackendOf(arguments))?.NotifyProcess);
            return Cli.Say(arguments.Speaker, $"ask for word of {name}: busy (EBUSY): one process at a time is told, now {holder}; end it first", ExitCode.Failure);
        }

        if (queue.Attributes.Messages is > 0 and long waiting)
        {
            Cli.Say(arguments.Speaker, $"{name} holds {waiting} already: the next message is told once all of them are received");
        }

        MqWait wait = new(timeout, Cancel: interrupt.Descriptor);
        bool isOver = false;
        int told = 0;
        try
        {
            while (!isOver && (count == 0 || told < count))
            {
                isOver = !notification.Wait(wait);
                if (!isOver)
                {
                    notification.Arm();
                    told++;
                    Tell(arguments, output, queue);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // A signal, or nobody reads standard output any more.
        }

        notification.Dispose();
        interrupt.Conclude();
        return isOver && told == 0 ? ExitCode.NothingMatched : ExitCode.Done;
    }

    // Null where another process is told.
    private static PosixQueueNotification? Ask(PosixMessageQueue queue)
    {
        try
        {
            return queue.Notify();
        }
        catch (MessageQueueException e) when (e.Status == StatusCode.Busy)
        {
            return null;
        }
    }

    private static void Tell(CliArguments arguments, Stream output, PosixMessageQueue queue)
    {
        long messages = queue.Attributes.Messages;
        if (arguments.Has("json"))
        {
            MqCommand.WriteJson(output, json =>
            {
                json.WriteString("queue"u8, queue.Name);
                json.WriteNumber("time_ms"u8, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
                json.WriteNumber("messages"u8, messages);
            });
        }
        else
        {
            string name = Terminal.IsOutput ? LogText.Escape(queue.Name) : queue.Name;
            output.Write(System.Text.Encoding.UTF8.GetBytes($"{name} {messages}\n"));
        }

        output.Flush();
    }
}
