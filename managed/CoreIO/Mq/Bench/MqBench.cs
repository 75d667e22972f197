// Measures message queues: both families through every backend, between the plain calls in C and what else carries messages, in turn in one
// run. This side runs on one thread of its own, pinned to the first CPU; the peer is a process of its own, pinned to the second.
//
// A round goes work by work, in an order that is drawn anew, so that none always comes after the same neighbour. Queues have unique names,
// lose them as soon as both sides have them open, and those of System V are removed whatever ends the bench but a kill.
using System.Diagnostics;
using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using CoreIO.Log.Bench;

namespace CoreIO.Mq.Bench;

/// <summary>Runs benches of message queues.</summary>
public static class MqBench
{
    /// <summary>How long a spin goes on: longer than any round trip, so that none blocks.</summary>
    internal static readonly TimeSpan Spin = TimeSpan.FromMilliseconds(100);

    /// <summary>Runs the bench and returns what was measured. Blocks. Rounds end early when <paramref name="cancel"/> asks for it.</summary>
    /// <exception cref="CoreIOException">A queue cannot be made, or the peer's process is lost.</exception>
    public static MqBenchResult Run(MqBenchOptions options, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        MqBenchResult? result = null;
        ExceptionDispatchInfo? fault = null;
        using MqBenchPeerProcess? peer = options.Peer is null ? null : new MqBenchPeerProcess(PinnedPeer(options));
        using MqBenchSession session = new(options, CpusOf(options), peer);
        using ManualResetEventSlim ended = new();
        Thread thread = new(() =>
        {
            try
            {
                result = session.Run(cancel);
            }
            catch (Exception e)
            {
                fault = ExceptionDispatchInfo.Capture(e);
            }

            ended.Set();
        })
        { Name = "coreio-bench", IsBackground = true };
        Thread watch = new(() =>
        {
            // A peer that is lost leaves this side in a call that nobody will answer.
            peer?.WaitForExit();
            ended.Set();
        })
        { Name = "coreio-bench-watch", IsBackground = true };
        thread.Start();
        if (peer is not null)
        {
            watch.Start();
        }

        ended.Wait(CancellationToken.None);
        fault?.Throw();
        return result ?? throw new MqBenchException("the peer's process ended in the middle of a run");
    }

    private static int[] CpusOf(MqBenchOptions options)
    {
        int[] cpus = options.Cpus.Count > 0 ? [.. options.Cpus] : [.. CoreBackends.Default.Cpu.Allowed().Take(2)];
        return cpus.Length > 1 ? cpus : [cpus[0], cpus[0]];
    }

    private static ProcessStartInfo PinnedPeer(MqBenchOptions options)
    {
        options.Peer!.ArgumentList.Add(CpusOf(options)[1].ToString(CultureInfo.InvariantCulture));
        return options.Peer;
    }
}
