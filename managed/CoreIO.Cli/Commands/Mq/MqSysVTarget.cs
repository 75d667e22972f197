// Which System V queue a command line means: by key, by a file and a number as ftok(3) makes one of them, or by id.
using System.Globalization;
using CoreIO.Cli.Shell;
using CoreIO.Mq;

namespace CoreIO.Cli.Commands;

internal static class MqSysVTarget
{
    public static CliOption[] Options { get; } =
    [
        new("key", "K", "the queue's key: 17, 0x4a010203") { Letter = 'k', Group = "Queue" },
        new("file", "F", "or a file whose inode makes the key, as ftok(3)") { Group = "Queue", IsPath = true },
        new("proj", "N", "with --file: 1 to 255, or a letter (1)") { Group = "Queue" },
        new("id", "N", "or the queue's identifier") { Letter = 'i', Group = "Queue" },
        MqCommand.Owner with { Group = "Queue" },
    ];

    /// <summary>The queue that is meant.</summary>
    public static SysVMessageQueue Open(CliArguments arguments)
    {
        SysVMessageQueue queue = OpenAny(arguments, LogCommand.BackendOf(arguments));
        if (MqCommand.OwnerOf(arguments) is uint owner)
        {
            queue.RequireOwner(owner);
        }

        return queue;
    }

    /// <summary>The key that is given; null where none is.</summary>
    public static int? Key(CliArguments arguments, ICoreBackend backend)
    {
        if (arguments.Get("file") is string file)
        {
            return arguments.Has("key") ? throw new UsageException("--key and --file: choose one")
                : SysVMessageQueue.KeyOf(file, Project(arguments.Get("proj") ?? "1"), backend);
        }

        if (arguments.Has("proj"))
        {
            throw new UsageException("--proj: needs --file");
        }

        return arguments.Get("key") is string key ? ParseKey(key) : null;
    }

    /// <summary>A number, or the code of a letter.</summary>
    internal static int Project(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number is > 0 and < 256 ? number
        : text.Length == 1 && char.IsAsciiLetter(text[0]) ? text[0]
        : throw new UsageException($"--proj: '{text}' is neither a number from 1 to 255 nor a letter");

    internal static int ParseKey(string text)
    {
        bool isHex = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        return isHex && uint.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint bits) && bits != 0
            ? unchecked((int)bits)
            : !isHex && int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int key) && key != 0
                ? key
                : throw new UsageException($"--key: '{text}' is no key; write 17 or 0x4a010203 (0 is for queues without a key)");
    }

    private static SysVMessageQueue OpenAny(CliArguments arguments, ICoreBackend backend)
    {
        if (arguments.Get("id") is string id)
        {
            return arguments.Has("key") || arguments.Has("file")
                ? throw new UsageException("--id, --key and --file: choose one")
                : SysVMessageQueue.FromId(int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number
                    : throw new UsageException($"--id: '{id}' is no identifier; see 'coreio mq sysv ls'"), backend);
        }

        return SysVMessageQueue.Open(
            Key(arguments, backend) ?? throw new UsageException("which queue? Give --key K, --file F --proj N, or --id N"), backend: backend);
    }
}
