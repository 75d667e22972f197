// The other process: `peer BACKEND VERB ARGUMENT...`. Prints a line for each thing it did: what it got, or the errno's name.
//
// A verb that is going to block says `ready` before.
using System.Globalization;
using CoreIO;
using CoreIO.Mq;
using CoreIO.Mq.Peer;

ICoreBackend backend = CoreBackends.Get(args[0]);
switch (args[1])
{
    case "posix-open":
        Show(() => PosixMessageQueue.Open(args[2], new PosixQueueOptions { Flags = (PosixQueueFlags)Number(3) }, backend).Dispose());
        break;
    case "posix-unlink":
        Show(() => PosixMessageQueue.Unlink(args[2], backend));
        break;
    case "posix-create":
        CreatePosix(args[2], Number(3), Number(4));
        break;
    case "posix-create-many":
        CreateManyPosix(args[2]);
        break;
    case "posix-send":
        SendPosix(args[2], Number(3), Number(4));
        break;
    case "posix-receive":
        ReceivePosix(args[2], Number(3));
        break;
    case "posix-open-why":
        ShowWhy(() => PosixMessageQueue.Open(args[2], null, backend).Dispose());
        break;
    case "posix-make":
        Show(() => PosixMessageQueue.Create(args[2], new PosixQueueOptions { MaxMessages = 1, MessageSize = 8 }, backend).Dispose());
        break;
    case "posix-list":
        ListPosix(args.ElementAtOrDefault(2));
        break;
    case "posix-notify-list":
        NotifyAndList(args[2]);
        break;
    case "posix-block-receive":
        BlockPosix(args[2], queue => queue.Receive(new byte[queue.MessageSize], out _));
        break;
    case "posix-block-send":
        BlockPosix(args[2], queue => queue.Send("late"u8));
        break;
    case "sysv-open":
        Show(() => SysVMessageQueue.Open(Number(2), backend: backend));
        break;
    case "sysv-get":
        Console.WriteLine(Status(backend.Mq.SysV.Get(Number(2), (SysVQueueFlags)Number(3), Number(4))));
        break;
    case "sysv-create":
        CreateSysV();
        break;
    case "sysv-create-many":
        CreateManySysV();
        break;
    case "sysv-use":
        UseSysV(SysVMessageQueue.FromId(Number(2), backend));
        break;
    case "sysv-send":
        SendSysV(SysVMessageQueue.FromId(Number(2), backend), Number(3), Number(4));
        break;
    case "sysv-receive":
        ReceiveSysV(SysVMessageQueue.FromId(Number(2), backend), Number(3));
        break;
    case "sysv-block-receive":
        BlockSysV(queue => queue.Receive(new byte[8192], out _));
        break;
    case "sysv-block-send":
        BlockSysV(queue => queue.Send(new byte[8192]));
        break;
    default:
        return 64;
}

return 0;

int Number(int index) => int.Parse(args[index], CultureInfo.InvariantCulture);

string Status(int status) => status < 0 ? StatusCode.Symbol(status) : "ok";

void CreateSysV()
{
    SysVMessageQueue queue = SysVMessageQueue.CreatePrivate(backend: backend);
    Console.WriteLine(queue.Id);
    queue.Remove();
}

void Show(Action action)
{
    try
    {
        action();
        Console.WriteLine("ok");
    }
    catch (MessageQueueException e)
    {
        Console.WriteLine(e.ErrnoName);
    }
}

void ShowWhy(Action action)
{
    try
    {
        action();
        Console.WriteLine("ok");
    }
    catch (MessageQueueException e)
    {
        Console.WriteLine(e.Message);
    }
}

// With a queue of its own, when it is given a name, and one that has none any more.
void ListPosix(string? name)
{
    using PosixMessageQueue? own = name is null
        ? null : PosixMessageQueue.Create(name, new PosixQueueOptions { MaxMessages = 1, MessageSize = 8 }, backend);
    using PosixMessageQueue? unlinked = name is null
        ? null : PosixMessageQueue.Create(name + "-unlinked", new PosixQueueOptions { MaxMessages = 1, MessageSize = 8 }, backend);
    if (unlinked is not null)
    {
        PosixMessageQueue.Unlink(unlinked.Name, backend);
    }

    PosixQueueListing listing = PosixQueues.List(backend);
    if (name is not null)
    {
        PosixMessageQueue.Unlink(name, backend);
    }

    Console.WriteLine(listing.Source);
    Console.WriteLine(listing.Advice ?? "no advice");
    foreach (PosixQueueEntry queue in listing.Queues)
    {
        Console.WriteLine(queue.Name);
    }
}

void CreatePosix(string name, int messages, int size) => Show(() =>
{
    using PosixMessageQueue queue = PosixMessageQueue.Create(
        name, new PosixQueueOptions { MaxMessages = messages, MessageSize = size }, backend);
    PosixMessageQueue.Unlink(name, backend);
    byte[] message = new byte[size];
    for (int i = 0; i < messages; i++)
    {
        Payload.Write(message, 1, i);
        queue.Send(message, i);
    }

    for (int i = messages - 1; i >= 0; i--)
    {
        int length = queue.Receive(message, out int priority);
        Console.WriteLine($"{length} {priority} {Payload.Read(message).Sequence}");
    }
});

void CreateManyPosix(string name)
{
    List<PosixMessageQueue> queues = [];
    try
    {
        while (true)
        {
            queues.Add(PosixMessageQueue.Create($"{name}-{queues.Count}", backend: backend));
            PosixMessageQueue.Unlink(queues[^1].Name, backend);
        }
    }
    catch (MessageQueueException e)
    {
        Console.WriteLine($"{queues.Count} {e.ErrnoName}");
        Console.WriteLine(e.Message);
    }
}

void NotifyAndList(string name)
{
    using PosixMessageQueue queue = PosixMessageQueue.Create(name, new PosixQueueOptions { MaxMessages = 3, MessageSize = 50 }, backend);
    try
    {
        using PosixQueueNotification notification = queue.Notify();
        PosixQueueEntry? entry = PosixQueues.List(backend).Queues.SingleOrDefault(listed => listed.Name == name);
        Console.WriteLine(notification.Wait(MqWait.None) ? "ended" : $"seen {entry?.MaxMessages} {entry?.MessageSize}");
        queue.Send("x"u8);
        Console.WriteLine(notification.Wait(new MqWait(TimeSpan.FromSeconds(10))) ? "told" : "not told");
    }
    finally
    {
        PosixMessageQueue.Unlink(name, backend);
    }
}

void SendPosix(string name, int sender, int count)
{
    using PosixMessageQueue queue = PosixMessageQueue.Open(name, new PosixQueueOptions { Flags = PosixQueueFlags.Send }, backend);
    byte[] buffer = new byte[queue.MessageSize];
    for (int i = 0; i < count; i++)
    {
        Span<byte> message = buffer.AsSpan(0, Payload.Length(sender, i, Math.Min(queue.MessageSize, 512)));
        Payload.Write(message, sender, i);
        queue.Send(message);
    }

    Console.WriteLine("ok");
}

void ReceivePosix(string name, int count)
{
    using PosixMessageQueue queue = PosixMessageQueue.Open(name, new PosixQueueOptions { Flags = PosixQueueFlags.Receive }, backend);
    byte[] buffer = new byte[queue.MessageSize];
    for (int i = 0; i < count; i++)
    {
        int length = queue.Receive(buffer, out _);
        (int sender, int sequence) = Payload.Read(buffer.AsSpan(0, length));
        Console.WriteLine($"{sender} {sequence}");
    }
}

void BlockPosix(string name, Action<PosixMessageQueue> call)
{
    using PosixMessageQueue queue = PosixMessageQueue.Open(name, backend: backend);
    Console.WriteLine("ready");
    Show(() => call(queue));
}

void CreateManySysV()
{
    List<SysVMessageQueue> queues = [];
    try
    {
        while (true)
        {
            queues.Add(SysVMessageQueue.CreatePrivate(backend: backend));
        }
    }
    catch (MessageQueueException e)
    {
        Console.WriteLine($"{queues.Count} {e.ErrnoName}");
        Console.WriteLine(e.Message);
    }
    finally
    {
        queues.ForEach(queue => queue.Remove());
    }
}

// Everything that permissions may forbid.
void UseSysV(SysVMessageQueue queue)
{
    Show(() => queue.Send("x"u8, 1, SysVQueueFlags.NoWait));
    Show(() => queue.Receive(new byte[100], out _, 0, SysVQueueFlags.NoWait));
    Show(() => _ = queue.Status);
    Show(() => queue.Change(new SysVQueueChange(65534, 65534, 0x1B6, 100)));
    Show(queue.Remove);
}

void SendSysV(SysVMessageQueue queue, int sender, int count)
{
    byte[] buffer = new byte[512];
    for (int i = 0; i < count; i++)
    {
        Span<byte> message = buffer.AsSpan(0, Payload.Length(sender, i, buffer.Length));
        Payload.Write(message, sender, i);
        queue.Send(message, sender + 1);
    }

    Console.WriteLine("ok");
}

void ReceiveSysV(SysVMessageQueue queue, int count)
{
    byte[] buffer = new byte[8192];
    for (int i = 0; i < count; i++)
    {
        int length = queue.Receive(buffer, out long type);
        (int sender, int sequence) = Payload.Read(buffer.AsSpan(0, length));
        Console.WriteLine($"{(type == sender + 1 ? sender : -1)} {sequence}");
    }
}

void BlockSysV(Action<SysVMessageQueue> call)
{
    SysVMessageQueue queue = SysVMessageQueue.FromId(Number(2), backend);
    Console.WriteLine("ready");
    Show(() => call(queue));
}
