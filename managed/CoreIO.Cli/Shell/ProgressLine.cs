// A line on standard error that tells how far long work is: bytes, rate, time left. It appears after a second, only on a terminal, and is
// wiped before anything else is written.
using System.Diagnostics;
using CoreIO.Cli.Show;
using CoreIO.Log;

namespace CoreIO.Cli.Shell;

internal sealed class ProgressLine : IDisposable
{
    private static readonly TimeSpan FirstAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(200);

    private readonly Func<LogReportProgress> _progress;
    private readonly long _startedAt = Stopwatch.GetTimestamp();
    private readonly Lock _lock = new();
    private readonly Timer _timer;
    private bool _shown;
    private bool _ended;

    private ProgressLine(Func<LogReportProgress> progress)
    {
        _progress = progress;
        _timer = new Timer(_ => Show(), null, FirstAfter, Every);
    }

    /// <summary>The line of a report; null where nobody would see it.</summary>
    public static ProgressLine? Of(LogReportRun run) => Terminal.CanRewriteError ? Begin(run) : null;

    public void Dispose()
    {
        _timer.Dispose();
        lock (_lock)
        {
            _ended = true;
            if (_shown)
            {
                Console.Error.Write("\r\u001b[K");
            }
        }
    }

    internal static string Text(LogReportProgress progress, TimeSpan elapsed)
    {
        double rate = progress.BytesDone / Math.Max(elapsed.TotalSeconds, 1e-3);
        string text = Human.Bytes(progress.BytesDone);
        // A stream among the inputs makes the total unknown, or smaller than what is done.
        if (progress.BytesTotal >= progress.BytesDone)
        {
            text += " of " + Human.Bytes(progress.BytesTotal);
        }

        text += $", {Human.Bytes((long)rate)}/s";
        if (progress.BytesTotal > progress.BytesDone && rate > 0)
        {
            text += $", {Human.Duration(TimeSpan.FromSeconds((progress.BytesTotal - progress.BytesDone) / rate))} left";
        }

        return text;
    }

    // On its own, so that no closure is made where there is no line.
    private static ProgressLine Begin(LogReportRun run) => new(() => run.Progress);

    private void Show()
    {
        lock (_lock)
        {
            if (!_ended)
            {
                _shown = true;
                Console.Error.Write("\r" + Text(_progress(), Stopwatch.GetElapsedTime(_startedAt)) + "\u001b[K");
            }
        }
    }
}
