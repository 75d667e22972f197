// The example of docs/loop.md, run here, and held to be the one in the document.
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using CoreIO.Loop;
using CoreIO.Testing;

namespace CoreIO.Tests.Loop;

internal sealed partial class LoopExampleTests
{
    [Test]
    public async Task The_example_of_the_document_runs()
    {
        StringWriter printed = new();
        await Example(printed);
        Assert.That(printed.ToString(), Is.EqualTo("somebody came\nnobody else did\nWrite\n"));
    }

    [Test]
    public void It_is_the_example_of_the_document()
    {
        string document = File.ReadAllText(Repository.PathOf("docs/loop.md"));
        string example = Block().Matches(document).Single().Groups["code"].Value;
        string[] here =
        [
            .. File.ReadAllLines(Repository.PathOf("tests/managed/CoreIO.Tests/Loop/LoopExampleTests.cs")).Select(line => line.Trim()),
        ];
        Assert.That(example.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0), Is.SubsetOf(here));
    }

    // Stands in for System.Console.
    private static async Task Example(StringWriter Console)
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();

        using EventLoop loop = new();
        long connections = loop.Add(listener.SafeHandle, LoopInterest.Read);
        long patience = loop.StartTimer(TimeSpan.FromMilliseconds(100));
        client.Connect(listener.LocalEndPoint!);
        LoopEvent[] events = new LoopEvent[64];
        while (loop.Holds(patience))
        {
            foreach (LoopEvent e in events.AsSpan(0, loop.Wait(events)))
            {
                if (e.Id == connections)
                {
                    using Socket accepted = listener.Accept();
                }

                Console.WriteLine(e.Id == connections ? "somebody came" : "nobody else did");
            }
        }

        await using AsyncEventLoop awaited = new();
        await awaited.DelayAsync(TimeSpan.FromMilliseconds(1));
        Console.WriteLine(await awaited.ReadyAsync(client.SafeHandle, LoopInterest.Write));
    }

    [GeneratedRegex(@"^```csharp\n(?<code>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}
