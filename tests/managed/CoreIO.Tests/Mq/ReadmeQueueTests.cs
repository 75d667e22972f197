// The README's example of queues, run here, and held to be the one in the README.
using System.Text;
using System.Text.RegularExpressions;
using CoreIO.Mq;
using CoreIO.Testing;

namespace CoreIO.Tests.Mq;

[NonParallelizable]
internal sealed partial class ReadmeQueueTests
{
    [Test]
    public async Task The_example_of_the_README_runs()
    {
        _ = CoreBackends.Default.Mq.Posix.Unlink("/jobs");
        StringWriter printed = new();
        await Example(printed);
        Assert.That(printed.ToString(), Is.EqualTo("at once, priority 3\n10 bytes, priority 0\n"));
    }

    [Test]
    public void It_is_the_example_of_the_README()
    {
        string readme = File.ReadAllText(Repository.PathOf("README.md"));
        string example = Block().Matches(readme).Select(block => block.Groups["code"].Value).Single(code => code.Contains("PosixMessageQueue", StringComparison.Ordinal));
        string[] here = [.. File.ReadAllLines(Repository.PathOf("tests/managed/CoreIO.Tests/Mq/ReadmeQueueTests.cs")).Select(line => line.Trim())];
        Assert.That(example.Split('\n').Where(line => line.Length > 0), Is.SubsetOf(here));
    }

    // Stands in for System.Console.
    private static async Task Example(StringWriter Console)
    {
        using PosixMessageQueue queue = PosixMessageQueue.Create("/jobs", new PosixQueueOptions { MaxMessages = 10, MessageSize = 1024 });
        queue.Send("in a while"u8);
        queue.Send("at once"u8, priority: 3);
        byte[] buffer = new byte[queue.MessageSize];
        int length = queue.Receive(buffer, out int priority, new MqWait(Timeout: TimeSpan.FromSeconds(1)));
        Console.WriteLine($"{Encoding.UTF8.GetString(buffer, 0, length)}, priority {priority}");
        QueueMessage next = await queue.ReceiveAsync();
        Console.WriteLine($"{next.Bytes.Length} bytes, priority {next.Type}");
        PosixMessageQueue.Unlink("/jobs");
    }

    [GeneratedRegex(@"^```csharp\n(?<code>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}
