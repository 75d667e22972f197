// The ways a message can take from one side of the bench to the other. Each is opened twice, at both ends; `address` is what the end that made it
// tells the other. A receive gets a whole message of the size that was agreed on.
using System.Globalization;
using System.IO.Pipes;
using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Mq.Bench;

/// <summary>One end of a way there and a way back.</summary>
internal abstract class MqBenchTransport : IDisposable
{
    public const string Posix = "posix";
    public const string SysV = "sysv";
    public const string Pipe = "pipe";
    public const string SeqPacket = "seqpacket";
    public const string Channel = "channel";

    /// <summary>Opens the end of the peer.</summary>
    public static MqBenchTransport Join(string transport, string address, int size, ICoreBackend backend, TimeSpan spin)
    {
        string[] ways = address.Split(',');
        return transport switch
        {
            Posix => new MqBenchPosix(
                PosixMessageQueue.Open(ways[1], new PosixQueueOptions { Flags = PosixQueueFlags.Send }, backend),
                PosixMessageQueue.Open(ways[0], new PosixQueueOptions { Flags = PosixQueueFlags.Receive }, backend), size, spin),
            SysV => new MqBenchSysV(
                SysVMessageQueue.FromId(int.Parse(ways[1], CultureInfo.InvariantCulture), backend),
                SysVMessageQueue.FromId(int.Parse(ways[0], CultureInfo.InvariantCulture), backend), size, spin),
            Pipe => MqBenchPipe.Join(ways[0], ways[1]),
            SeqPacket => MqBenchSocket.Join(address),
            _ => throw new ArgumentException($"'{transport}' is no transport", nameof(transport)),
        };
    }

    public abstract void Send(ReadOnlySpan<byte> message);

    public abstract void Receive(Span<byte> message);

    /// <summary>Sends as many messages of zeros as a batch holds, up to <paramref name="count"/>; how many.</summary>
    public virtual int SendBatch(int count) => throw new NotSupportedException();

    /// <summary>Receives up to <paramref name="count"/> messages in one call; how many.</summary>
    public virtual int ReceiveBatch(int count) => throw new NotSupportedException();

    public abstract void Dispose();
}

/// <summary>A pipe each way, by .NET's streams without a buffer. A peer opens them through /proc, so they have no names to clean up.</summary>
internal sealed class MqBenchPipe(Stream output, Stream input) : MqBenchTransport
{
    /// <summary>Makes both pipes; <paramref name="address"/> is for the peer.</summary>
    public static MqBenchPipe Create(out string address)
    {
        AnonymousPipeServerStream there = new(PipeDirection.Out);
        AnonymousPipeServerStream back = new(PipeDirection.In);
        address = $"{PathOf(there.ClientSafePipeHandle)},{PathOf(back.ClientSafePipeHandle)}";
        return new MqBenchPipe(there, back);
    }

    public static MqBenchPipe Join(string there, string back) => new(
        new FileStream(back, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0),
        new FileStream(there, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0));

    public override void Send(ReadOnlySpan<byte> message) => output.Write(message);

    // A pipe has no messages: a part may come before the rest.
    public override void Receive(Span<byte> message) => input.ReadExactly(message);

    public override void Dispose()
    {
        output.Dispose();
        input.Dispose();
    }

    private static string PathOf(SafePipeHandle handle) =>
        string.Create(CultureInfo.InvariantCulture, $"/proc/{Environment.ProcessId}/fd/{handle.DangerousGetHandle()}");
}

/// <summary>A pair of AF_UNIX SEQPACKET sockets, by .NET's own socket calls that block. The address is abstract: no file is left behind.</summary>
internal sealed class MqBenchSocket(Socket socket) : MqBenchTransport
{
    public static Socket Listen(out string address)
    {
        address = $"coreio-bench-{Environment.ProcessId}-{Guid.NewGuid():N}";
        Socket listener = new(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint('\0' + address));
        listener.Listen(1);
        return listener;
    }

    public static MqBenchSocket Join(string address)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint('\0' + address));
        return new MqBenchSocket(socket);
    }

    public override void Send(ReadOnlySpan<byte> message) => _ = socket.Send(message);

    public override void Receive(Span<byte> message)
    {
        if (socket.Receive(message) != message.Length)
        {
            throw new EndOfStreamException();
        }
    }

    public override void Dispose() => socket.Dispose();
}
