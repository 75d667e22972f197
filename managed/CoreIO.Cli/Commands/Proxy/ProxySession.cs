// A proxy from its start to its end: signals, reloads, hand-over, and what is told of it meanwhile. No connection passes here.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using CoreIO.Cli.Shell;
using CoreIO.Cli.Show;
using CoreIO.Proxy;

namespace CoreIO.Cli.Commands;

internal sealed class ProxySession : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(20);

    private enum Order
    {
        End,
        Reload,
        HandedOver,
    }

    private readonly CliArguments _arguments;
    private readonly ICoreBackend _backend;
    private readonly BlockingCollection<Order> _orders = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly ProxyTenures _tenures;
    private ProxySettings _settings;
    private ProxyMetrics? _metrics;
    private ProxyHandover? _handover;

    public ProxySession(CliArguments arguments, ProxySettings settings, ICoreBackend backend)
    {
        _arguments = arguments;
        _settings = settings;
        _backend = backend;
        _tenures = new ProxyTenures(settings.Log, message => Cli.Say(arguments.Speaker, message));
    }

    public int Run()
    {
        PosixSignalRegistration[] signals =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Hear(context, Order.End)),
            PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Hear(context, Order.End)),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => Hear(context, Order.Reload)),
        ];
        try
        {
            TcpProxy proxy = _settings.Handover is string path
                ? ProxyHandover.TakeOver(_settings.Plan, path, _backend)
                : TcpProxy.Start(_settings.Plan, _backend);
            _tenures.Begin(proxy);
            _metrics = _settings.Metrics is null ? null : ProxyMetrics.Serve(_settings.Metrics, _tenures);
            ServeHandover(proxy);
            Announce(proxy);
            return Obey() ? Drain() : ExitCode.Interrupted;
        }
        finally
        {
            Array.ForEach(signals, signal => signal.Dispose());
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _metrics?.Dispose();
        _handover?.Dispose();
        _tenures.Dispose();
        _orders.Dispose();
        _stop.Dispose();
    }

    private void Hear(PosixSignalContext context, Order order)
    {
        context.Cancel = true;
        _orders.Add(order);
    }

    private void Announce(TcpProxy proxy)
    {
        string listeners = string.Join(", ", proxy.Plan.Listeners.Select((_, i) => ProxyAddress.Text(proxy.Bound(i))));
        Cli.Say(_arguments.Speaker, $"listening on {listeners} ({_backend.Name}, {ProxyCommand.Plural(proxy.Workers().Length, "worker")})");
    }

    // What is there to do until the proxy is to end; false when that is at once.
    private bool Obey()
    {
        ProxyStats? stats = _settings.Stats ? new ProxyStats(_settings.Json || !Terminal.IsOutput) : null;
        long lookedAt = Stopwatch.GetTimestamp();
        while (true)
        {
            TimeSpan wait = stats is null ? Timeout.InfiniteTimeSpan : Remaining(lookedAt);
            if (!_orders.TryTake(out Order order, wait))
            {
                lookedAt = Stopwatch.GetTimestamp();
                stats!.Show(_tenures);
                continue;
            }

            if (order == Order.Reload)
            {
                Reload();
            }
            else
            {
                return true;
            }
        }
    }

    private static TimeSpan Remaining(long lookedAt)
    {
        TimeSpan left = Second - Stopwatch.GetElapsedTime(lookedAt);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private void Reload()
    {
        try
        {
            ProxySettings settings = ProxySettings.Read(_arguments, ProxyCommand.Verb);
            if (settings.Log != _settings.Log || !Equals(settings.Metrics, _settings.Metrics) || settings.Handover != _settings.Handover)
            {
                Cli.Say(_arguments.Speaker, "reload: log, metrics and handover stay as they were until a restart");
            }

            settings.Keep(_settings);
            TcpProxy successor = _tenures.Current.Replace(settings.Plan);
            _tenures.Begin(successor, settings.Drain);
            _settings = settings;
            ServeHandover(successor);
            Cli.Say(_arguments.Speaker, "the options were read again; connections under way end with the old ones");
        }
        catch (Exception e) when (e is UsageException or CoreIOException)
        {
            Cli.Say(_arguments.Speaker, $"reload: {e.Message}; the proxy goes on as it was");
        }
    }

    private int Drain()
    {
        _handover?.Dispose();
        Task drained = _tenures.DrainAsync(_settings.Drain);
        while (!drained.IsCompleted)
        {
            if (_orders.TryTake(out Order order, Moment) && order == Order.End)
            {
                return ExitCode.Interrupted;
            }
        }

        return ExitCode.Done;
    }

    // One waits at the path at a time, for the proxy of now.
    private void ServeHandover(TcpProxy proxy)
    {
        if (_settings.Handover is not string path)
        {
            return;
        }

        _handover?.Dispose();
        ProxyHandover handover = ProxyHandover.Listen(path, _backend);
        _handover = handover;
        _ = Task.Run(async () =>
        {
            try
            {
                await handover.GiveAsync(proxy, _stop.Token).ConfigureAwait(false);
                _orders.Add(Order.HandedOver);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or System.Net.Sockets.SocketException)
            {
                // The proxy ends, or another one serves from here on.
            }
        });
    }
}
