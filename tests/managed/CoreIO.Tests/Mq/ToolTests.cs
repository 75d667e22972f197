// The machine's own tools on the same queues, both ways: ipcs, ipcmk and ipcrm, Python's sysv_ipc, and libc's mq_ calls from Python.
using System.Globalization;
using CoreIO.Mq;

namespace CoreIO.Tests.Mq;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class ToolTests(string backend)
{
    // The one of Debian, which has Debian's modules.
    private const string Python = "/usr/bin/python3";

    private const string PosixScript = """
        import ctypes, sys
        libc = ctypes.CDLL("libc.so.6", use_errno=True)
        libc.mq_receive.restype = ctypes.c_ssize_t
        queue = libc.mq_open(sys.argv[2].encode(), 2)
        if queue < 0: sys.exit(f"mq_open: errno {ctypes.get_errno()}")
        if sys.argv[1] == "send":
            text = sys.argv[3].encode()
            if libc.mq_send(queue, text, ctypes.c_size_t(len(text)), int(sys.argv[4])) < 0: sys.exit("mq_send")
        else:
            buffer = ctypes.create_string_buffer(65536)
            priority = ctypes.c_uint()
            length = libc.mq_receive(queue, buffer, ctypes.c_size_t(65536), ctypes.byref(priority))
            if length < 0: sys.exit("mq_receive")
            print(buffer.raw[:length].decode(), priority.value)
        """;

    private const string SysVScript = """
        import sys, sysv_ipc
        if sys.argv[1] == "create":
            queue = sysv_ipc.MessageQueue(int(sys.argv[2]), sysv_ipc.IPC_CREX, mode=0o600)
            queue.send(b"from the creator", type=9)
            print(queue.id)
        else:
            queue = sysv_ipc.MessageQueue(int(sys.argv[2]))
            if sys.argv[1] == "send":
                queue.send(sys.argv[3].encode(), type=int(sys.argv[4]))
            elif sys.argv[1] == "receive":
                message, type = queue.receive(type=int(sys.argv[3]))
                print(message.decode(), type)
            else:
                queue.remove()
        """;

    private ICoreBackend _backend = null!;

    [OneTimeSetUp]
    public void TakeBackend() => _backend = Backends.Get(backend);

    [Test]
    public void Ipcs_shows_our_queue_and_ipcrm_removes_it()
    {
        Peer.NeedTool("ipcs");
        Peer.NeedTool("ipcrm");
        int key = Unique.Key();
        SysVMessageQueue queue = SysVMessageQueue.Create(key, Unique.FromOctal("640"), _backend);
        try
        {
            queue.Send("seven b"u8);
            string line = Peer.Tool("ipcs", "-q").Single(l => l.Contains($" {queue.Id} ", StringComparison.Ordinal));
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            Assert.That(words[0], Is.EqualTo($"0x{key:x8}"));
            Assert.That(words[^3..], Is.EqualTo((string[])["640", "7", "1"]));
            Peer.Tool("ipcrm", "-q", Text(queue.Id));
            Assert.That(() => queue.Status, Throws.InstanceOf<MessageQueueException>());
        }
        finally
        {
            _ = _backend.Mq.SysV.Remove(queue.Id);
        }
    }

    [Test]
    public void We_use_and_remove_the_queue_of_ipcmk()
    {
        Peer.NeedTool("ipcmk");
        string said = Peer.Tool("ipcmk", "-Q", "-p", "0600").Single();
        SysVMessageQueue queue = SysVMessageQueue.FromId(int.Parse(said.Split(' ')[^1], CultureInfo.InvariantCulture), _backend);
        try
        {
            Assert.That(SysVMessageQueue.List(_backend).Select(q => q.Id), Does.Contain(queue.Id));
            Assert.That(SysVMessageQueue.Open(queue.Key, backend: _backend).Id, Is.EqualTo(queue.Id));
            queue.Send("x"u8, 4);
            Assert.That(queue.Receive(new byte[1], out long type), Is.EqualTo(1));
            Assert.That(type, Is.EqualTo(4));
        }
        finally
        {
            queue.Remove();
        }

        Assert.That(Peer.Tool("ipcs", "-q"), Has.None.Contains($" {queue.Id} "));
    }

    [Test]
    public void Python_and_we_exchange_System_V_messages()
    {
        NeedPython("sysv_ipc");
        int key = Unique.Key();
        SysVMessageQueue ours = SysVMessageQueue.Create(key, backend: _backend);
        try
        {
            RunPython(SysVScript, "send", Text(key), "größe", "77");
            byte[] buffer = new byte[100];
            int length = ours.Receive(buffer, out long type);
            Assert.That((System.Text.Encoding.UTF8.GetString(buffer, 0, length), type), Is.EqualTo(("größe", 77L)));
            ours.Send("low"u8, 5);
            ours.Send("lower"u8, 3);
            Assert.That(RunPython(SysVScript, "receive", Text(key), "-9"), Is.EqualTo((string[])["lower 3"]));
            Assert.That(RunPython(SysVScript, "receive", Text(key), "0"), Is.EqualTo((string[])["low 5"]));
            RunPython(SysVScript, "remove", Text(key));
            Assert.That(() => ours.Send("x"u8), Throws.InstanceOf<MessageQueueException>());
        }
        finally
        {
            _ = _backend.Mq.SysV.Remove(ours.Id);
        }
    }

    [Test]
    public void We_open_the_queue_that_Python_created()
    {
        NeedPython("sysv_ipc");
        int key = Unique.Key();
        int id = int.Parse(RunPython(SysVScript, "create", Text(key)).Single(), CultureInfo.InvariantCulture);
        try
        {
            SysVMessageQueue queue = SysVMessageQueue.Open(key, backend: _backend);
            Assert.That(queue.Id, Is.EqualTo(id));
            Assert.That(queue.Receive(new byte[100], out long type), Is.EqualTo("from the creator".Length));
            Assert.That(type, Is.EqualTo(9));
        }
        finally
        {
            _ = _backend.Mq.SysV.Remove(id);
        }
    }

    [Test]
    public void Libc_of_Python_and_we_exchange_POSIX_messages()
    {
        NeedPython("ctypes");
        using PosixQueue test = new(backend);
        RunPython(PosixScript, "send", test.Name, "größe", "12");
        byte[] buffer = test.Buffer;
        int length = test.Queue.Receive(buffer, out int priority);
        Assert.That((System.Text.Encoding.UTF8.GetString(buffer, 0, length), priority), Is.EqualTo(("größe", 12)));
        test.Queue.Send("low"u8);
        test.Queue.Send("high"u8, 3);
        Assert.That(RunPython(PosixScript, "receive", test.Name), Is.EqualTo((string[])["high 3"]));
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string[] RunPython(string script, params string[] arguments) => Peer.Tool([Python, "-c", script, .. arguments]);

    private static void NeedPython(string module)
    {
        if (!File.Exists(Python))
        {
            Assert.Ignore($"there is no {Python}");
        }

        string[] found = RunPython("import importlib.util as u, sys; print(u.find_spec(sys.argv[1]) is not None)", module);
        if (found is not ["True"])
        {
            Assert.Ignore($"Python has no {module}; in Debian it is in python3-sysv-ipc");
        }
    }
}
