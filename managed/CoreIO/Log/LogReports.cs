// The async edge of reports: the blocking work runs on a thread of its own, never on the thread pool, and cancellation stops it.
namespace CoreIO.Log;

/// <summary>Runs reports.</summary>
public static class LogReports
{
    /// <summary>Runs a report on the calling thread.</summary>
    /// <exception cref="CoreIOException">The question or the format does not compile, or a name is not to be had here.</exception>
    public static LogReport Run(ICoreBackend backend, LogReportOptions options)
    {
        using LogReportRun run = new(backend, options);
        run.Start();
        return run.Finish();
    }

    /// <summary>Runs a report on a thread of its own.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Task<LogReport> RunAsync(ICoreBackend backend, LogReportOptions options, CancellationToken cancel = default)
    {
        TaskCompletionSource<LogReport> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Thread thread = new(() =>
        {
            try
            {
                using LogReportRun run = new(backend, options);
                using CancellationTokenRegistration registration = cancel.Register(run.Stop);
                run.Start();
                done.SetResult(run.Finish());
            }
            catch (OperationCanceledException)
            {
                done.SetCanceled(cancel);
            }
            catch (Exception e)
            {
                // Whatever it is belongs to whoever awaits the report.
                done.SetException(e);
            }
        })
        { Name = "coreio-report", IsBackground = true };
        thread.Start();
        return done.Task;
    }
}
