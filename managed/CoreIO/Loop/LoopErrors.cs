// The one place where the status of a loop becomes an exception, with what a user needs to go on: what the descriptor is open on, the limit
// that was hit and its value now, and a way out. Nothing here runs unless something failed.
using System.Globalization;
using CoreIO.Mq;

namespace CoreIO.Loop;

internal static class LoopErrors
{
    private const string TheLoop = "an event loop";

    /// <summary>Making a loop, or its descriptor, failed.</summary>
    internal static EventLoopException Create(int status) =>
        new(status, "create", TheLoop, -1, status switch
        {
            StatusCode.TooManyOpenFiles =>
                $"a loop takes two descriptors, three when it is watched itself; the process has RLIMIT_NOFILE, {KernelNumbers.OpenFiles()}, "
                + "open; dispose of loops, or raise it with ulimit -n or LimitNOFILE=",
            StatusCode.TooManyFilesInSystem => "the system has fs.file-max files open",
            StatusCode.NoSpace => Watches(),
            _ => null,
        });

    /// <summary>Watching a descriptor failed.</summary>
    internal static EventLoopException Add(int status, int descriptor, LoopInterest interest) =>
        new(status, "watch", Name(descriptor), descriptor, status switch
        {
            StatusCode.NotPermitted => "a regular file is always ready; epoll does not watch it; read it directly",
            StatusCode.Exists => "this loop watches it already; modify that watch, or remove it first",
            StatusCode.BadDescriptor => "the descriptor is closed",
            StatusCode.NoSpace => Watches(),
            StatusCode.TooManyLinks => "loops that watch each other, or more than five in a row, would never end; leave one of them out",
            StatusCode.InvalidArgument when (interest & LoopInterest.Exclusive) != 0 =>
                "beside Exclusive the kernel allows Read, Write and EdgeTriggered alone, and no loop as the descriptor",
            StatusCode.InvalidArgument => "the interest has bits that epoll does not know, or a loop is to watch itself",
            _ => null,
        });

    /// <summary>An operation on the identifier of a watch failed.</summary>
    internal static EventLoopException Watch(int status, string operation, long id, int descriptor) =>
        new(
            status,
            operation,
            descriptor < 0 ? string.Create(CultureInfo.InvariantCulture, $"watch {id:x}") : Name(descriptor),
            descriptor,
            status switch
            {
                StatusCode.NoEntry => "no descriptor of this loop has this identifier: it was removed, is a timer's, or was never given",
                StatusCode.InvalidArgument when operation == "ask again for" => "at least one event is asked for",
                StatusCode.InvalidArgument => "an Exclusive watch is not changed, nor another one made so; remove it, and add it again",
                _ => null,
            });

    /// <summary>The kernel refused a change of interest, which a loop tells as <see cref="LoopEventKind.Lost"/>.</summary>
    internal static EventLoopException Lost(int status, int descriptor) =>
        new(status, "change", Name(descriptor), descriptor, "it was closed while it was watched; remove it from the loop before it is closed");

    /// <summary>Starting a timer failed.</summary>
    internal static EventLoopException Timer(int status) => new(status, "start", "a timer", -1, null);

    /// <summary>A wait failed.</summary>
    internal static EventLoopException Wait(int status) =>
        new(status, "wait on", TheLoop, -1, status == StatusCode.Interrupted
            ? "a signal came, and the loop was made Interruptible; wait again"
            : null);

    /// <summary>The number of a descriptor and what it is open on: <c>descriptor 7 (/etc/hosts)</c>.</summary>
    private static string Name(int descriptor)
    {
        string number = string.Create(CultureInfo.InvariantCulture, $"descriptor {descriptor}");
        try
        {
            string? target = new FileInfo($"/proc/self/fd/{descriptor}").LinkTarget;
            return target is null ? number : $"{number} ({string.Concat(target.Select(c => char.IsControl(c) ? '?' : c))})";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return number;
        }
    }

    private static string Watches() =>
        $"the loops of this user watch fs.epoll.max_user_watches, {KernelNumbers.Epoll("max_user_watches")}, descriptors; remove some, or raise it "
        + "with sysctl -w fs.epoll.max_user_watches=N";
}
