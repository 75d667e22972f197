// The other process of a bench: it reads what to do from standard input, a line each time, says on standard output that it is ready, and does it.
// When its input ends, the bench is gone, and so is the peer, whatever it waits for.
using System.Globalization;

namespace CoreIO.Mq.Bench;

/// <summary>The other side of <see cref="MqBench"/>.</summary>
public static class MqBenchPeer
{
    internal const string Ready = "ready";
    internal const string Done = "done";
    internal const string Fault = "fault ";

    /// <summary>What one run asks of the peer.</summary>
    internal sealed record Task(MqBenchWork Work, string Transport, string Backend, string Address, int Size, int Count)
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Work} {Transport} {Backend} {Address} {Size} {Count}");

        public static Task Parse(string line)
        {
            string[] words = line.Split(' ');
            return new Task(Enum.Parse<MqBenchWork>(words[0]), words[1], words[2], words[3],
                int.Parse(words[4], CultureInfo.InvariantCulture), int.Parse(words[5], CultureInfo.InvariantCulture));
        }
    }

    /// <summary>Does what is asked until there is no more, pinned to <paramref name="cpu"/>; an exit code.</summary>
    public static int Run(int cpu)
    {
        // Ctrl-C is for the bench, which ends its peer by closing this input.
        using System.Runtime.InteropServices.PosixSignalRegistration ignored = System.Runtime.InteropServices.PosixSignalRegistration.Create(
            System.Runtime.InteropServices.PosixSignal.SIGINT, context => context.Cancel = true);
        System.Collections.Concurrent.BlockingCollection<string> lines = [];
        Thread reader = new(() =>
        {
            while (Console.In.ReadLine() is string line)
            {
                lines.Add(line);
            }

            Environment.Exit(0);
        })
        { IsBackground = true, Name = "coreio-bench-input" };
        reader.Start();
        _ = CoreBackends.Default.Cpu.Pin(cpu);
        foreach (string line in lines.GetConsumingEnumerable())
        {
            try
            {
                Do(Task.Parse(line));
                Console.Out.WriteLine(Done);
            }
            catch (Exception e) when (e is CoreIOException or IOException or System.Net.Sockets.SocketException or ArgumentException)
            {
                Console.Out.WriteLine(Fault + e.Message.ReplaceLineEndings(" "));
            }
        }

        return 0;
    }

    /// <summary>The peer's part of a run, on an end that is open.</summary>
    internal static void Do(Task task, MqBenchTransport end, byte[] message)
    {
        switch (task.Work)
        {
            case MqBenchWork.RoundTrip or MqBenchWork.Spin:
                for (int i = 0; i < task.Count; i++)
                {
                    end.Receive(message);
                    end.Send(message);
                }

                break;
            case MqBenchWork.Batch:
                for (int i = 0; i < task.Count;)
                {
                    i += end.ReceiveBatch(task.Count - i);
                }

                end.Send(message);
                break;
            default:
                for (int i = 0; i < task.Count; i++)
                {
                    end.Receive(message);
                }

                end.Send(message);
                break;
        }
    }

    private static void Do(Task task)
    {
        ICoreBackend backend = CoreBackends.Get(task.Backend);
        TimeSpan spin = task.Work == MqBenchWork.Spin ? MqBench.Spin : TimeSpan.Zero;
        using MqBenchTransport end = MqBenchTransport.Join(task.Transport, task.Address, task.Size, backend, spin);
        Console.Out.WriteLine(Ready);
        Do(task, end, new byte[task.Size]);
    }
}
