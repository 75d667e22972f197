// Measures whole paths: every backend is asked the same on the same file, in turn, several times in one run, between floors that show where
// the limit is. Answers are compared in each run. All of it happens on one thread of its own, pinned to the first CPU asked for; workers are
// pinned by the scans that start them.
//
// The order within a repetition turns round from one to the next, so that none always comes after the same neighbour.
using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace CoreIO.Log.Bench;

/// <summary>Runs benches of the log path.</summary>
public static class LogBench
{
    /// <summary>Runs before any is measured: code is compiled twice, a cold page cache is filled.</summary>
    private const int WarmUps = 2;

    private const int CrossingCalls = 100_000;

    /// <summary>Runs the bench and returns what was measured. Blocks.</summary>
    /// <exception cref="LogBenchException">Two backends answered differently.</exception>
    /// <exception cref="CoreIOException">A file cannot be read or made, or a CPU or a format is not to be had.</exception>
    public static LogBenchResult Run(LogBenchOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        LogBenchResult? result = null;
        ExceptionDispatchInfo? fault = null;
        Thread thread = new(() =>
        {
            try
            {
                result = new Session(options).Run();
            }
            catch (Exception e)
            {
                fault = ExceptionDispatchInfo.Capture(e);
            }
        })
        { Name = "coreio-bench" };
        thread.Start();
        thread.Join();
        fault?.Throw();
        return result!;
    }

    private sealed class Session(LogBenchOptions options)
    {
        private readonly ICoreBackend[] _backends = [.. CoreBackends.Available.Select(info => info.Backend).OfType<ICoreBackend>()];
        private readonly List<long> _crossingPs = [];
        private int[] _cpus = [];
        private bool _peakIsOfTheRun = true;

        public LogBenchResult Run()
        {
            DateTimeOffset startedAt = DateTimeOffset.UtcNow;
            ICoreBackend first = _backends[0];
            _cpus = options.Cpus.Count > 0 ? [.. options.Cpus] : [.. first.Cpu.Allowed().Take(options.Workers)];
            _ = first.Cpu.Pin(_cpus[0]);
            List<LogBenchInputResult> inputs = [];
            foreach (string format in options.Formats)
            {
                if (options.Path is not null)
                {
                    inputs.Add(Measure(options.Path, options.Path, format));
                    continue;
                }

                options.Progress?.Invoke($"making {options.InputBytes} bytes of {format}");
                using LogBenchFile file = LogBenchFile.Create(options.Directory, format, options.InputBytes, options.Seed);
                inputs.Add(Measure(file.Path, $"made, seed {options.Seed}", format));
            }

            return new LogBenchResult
            {
                StartedAt = startedAt,
                Machine = ProcessMeter.CpuModel(),
                MachineCpus = first.Cpu.Topology().Count,
                Software = $"{RuntimeInformation.OSDescription.Split('#')[0].Trim()}, {RuntimeInformation.FrameworkDescription}",
                Cpus = _cpus,
                Workers = options.Workers,
                Repeats = options.Repeats,
                Kernels = _backends.ToDictionary(b => b.Name, b => b.Log.Kernels.Last(k => k.Supported).Name),
                CrossingPs = _crossingPs.Count == 0 ? 0 : LogBenchSpread.Of(_crossingPs).Median,
                PeakIsOfTheRun = _peakIsOfTheRun,
                Inputs = inputs,
            };
        }

        private LogBenchInputResult Measure(string path, string source, string formatName)
        {
            LogFormatChoice choice;
            long bytes;
            using (LogInput input = LogInput.Open(path))
            {
                ReadOnlySpan<byte> sample = input.Sample(out bool end);
                if (!input.IsPlainFile || sample.IsEmpty)
                {
                    throw new CoreIOException(StatusCode.InvalidArgument, $"{path}: a bench needs a plain file with lines");
                }

                bytes = input.FileBytes;
                choice = LogFormatSource.Find(_backends[0].Log, formatName, new LogSample(sample.ToArray(), end));
            }

            using ILogFormat found = choice.Format;
            List<ILogFormat> formats = [.. _backends.Select(b => b.Log.CompileFormat(found.Text))];
            try
            {
                IReadOnlyList<LogBenchQuestion> questions = LogBenchQuestion.For(found, options.Questions);
                using LogBenchFile? gzip = questions.Any(q => q.Name == LogBenchQuestion.Gzip) ? LogBenchFile.Compress(options.Directory, path) : null;
                List<LogBenchContestant> contestants = Contestants(path, gzip?.Path, questions, formats);
                List<LogBenchTrial> trials = [.. contestants.Select(c => new LogBenchTrial(c))];
                for (int round = -WarmUps; round < options.Repeats; round++)
                {
                    options.Progress?.Invoke($"{choice.Name}: " + (round < 0 ? "warming up" : $"run {round + 1} of {options.Repeats}"));
                    foreach (LogBenchTrial trial in round % 2 == 0 ? trials : Enumerable.Reverse(trials))
                    {
                        _peakIsOfTheRun &= trial.Run(keep: round >= 0);
                    }

                    LogBenchTrial.Compare(trials);
                    MeasureCrossing(formats);
                }

                long lines = trials.Max(t => t.Lines);
                return new LogBenchInputResult(source, choice.Name, bytes, lines, [.. trials.Select(t => t.Row)]);
            }
            finally
            {
                formats.ForEach(f => f.Dispose());
            }
        }

        private List<LogBenchContestant> Contestants(string path, string? gzip, IReadOnlyList<LogBenchQuestion> questions, List<ILogFormat> formats)
        {
            List<LogBenchContestant> all = [];
            int floors = Array.FindIndex(_backends, b => b.Features.HasFlag(BackendFeatures.LogFloors));
            foreach (LogFloor floor in floors < 0 ? [] : (LogFloor[])[LogFloor.Read, LogFloor.Newlines, LogFloor.Index, LogFloor.Scalar])
            {
                all.Add(new FloorContestant(LogBenchRow.Floor, FloorText(floor), floor.ToString().ToLowerInvariant(), _backends[floors], floor, path, formats[floors]));
            }

            foreach (LogBenchQuestion question in questions)
            {
                bool packed = question.Name == LogBenchQuestion.Gzip;
                if (packed)
                {
                    all.Add(new DecompressContestant(gzip!));
                }

                string asked = packed ? gzip! : path;
                for (int i = 0; i < _backends.Length; i++)
                {
                    AddBackend(all, question, _backends[i], asked, formats[i], workers: 1);
                    if (options.Workers > 1 && question.Name != LogBenchQuestion.Lex)
                    {
                        AddBackend(all, question, _backends[i], asked, formats[i], options.Workers);
                    }
                }

                if (question.Name == LogBenchQuestion.Status && formats[0].Text is "combined" or "common" or "main" && MawkContestant.IsHere)
                {
                    all.Add(new MawkContestant(path));
                }
            }

            return all;
        }

        private void AddBackend(
            List<LogBenchContestant> all, LogBenchQuestion question, ICoreBackend backend, string path, ILogFormat format, int workers)
        {
            if (question.Name == LogBenchQuestion.Lex)
            {
                bool floor = backend.Features.HasFlag(BackendFeatures.LogFloors);
                if (floor)
                {
                    all.Add(new FloorContestant(question.Name, question.Text, backend.Name, backend, LogFloor.Lex, path, format));
                }

                all.Add(new LexContestant(question.Text, floor ? $"{backend.Name}, in batches" : backend.Name, backend, path, format));
            }
            else if (question.By is not null || options.Overview is not null)
            {
                string who = workers == 1 ? backend.Name : LogBenchRow.WithWorkers(backend.Name, workers);
                all.Add(new ReportContestant(question, who, backend, new LogReportOptions
                {
                    Inputs = [path],
                    Format = format.Text,
                    Tables = question.By is null
                        ? options.Overview!
                        : _ => [new LogReportTableOptions
                        {
                            Table = new LogTable { By = question.By, Stats = question.Stats },
                            Top = LogReportTableOptions.ScreenRows,
                        }],
                    Scan = new LogScanOptions { Workers = workers, Cpus = _cpus },
                }));
            }
        }

        // A call with a handle and three pinned spans that finds nothing to do: what every batch pays.
        private void MeasureCrossing(List<ILogFormat> formats)
        {
            int index = Array.FindIndex(_backends, b => b.Features.HasFlag(BackendFeatures.CrossesBoundary));
            if (index < 0)
            {
                return;
            }

            using ILogLexer lexer = _backends[index].Log.CreateLexer(formats[index]);
            long before = _backends[index].Crossings;
            long began = Stopwatch.GetTimestamp();
            for (int i = 0; i < CrossingCalls; i++)
            {
                _ = lexer.Feed([], last: false, [], []);
            }

            long ns = Stopwatch.GetElapsedTime(began).Ticks * 100;
            _crossingPs.Add(ns * 1000 / Math.Max(1, _backends[index].Crossings - before));
        }

        private static string FloorText(LogFloor floor) => floor switch
        {
            LogFloor.Read => "read the bytes",
            LogFloor.Newlines => "find the newlines",
            LogFloor.Index => "index every structural byte",
            _ => "cut fields a byte at a time, in C",
        };
    }
}
