// Describing, changing, removing and listing System V queues.
using System.Globalization;
using CoreIO.Mq;

namespace CoreIO.Tests.Mq;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class SysVControlTests(string backend)
{
    private ICoreBackend _backend = null!;

    [OneTimeSetUp]
    public void TakeBackend() => _backend = Backends.Get(backend);

    [Test]
    public void The_status_tells_all_the_kernel_knows()
    {
        long before = TestLibc.Time(0);
        using SysVQueue test = new(backend, Unique.FromOctal("640"));
        SysVQueueStatus fresh = test.Queue.Status;
        (uint user, uint group) = Ids();
        Assert.Multiple(() =>
        {
            Assert.That((fresh.Id, fresh.Key, fresh.Mode), Is.EqualTo((test.Id, 0, Unique.FromOctal("640"))));
            Assert.That((fresh.Uid, fresh.Gid, fresh.CreatorUid, fresh.CreatorGid), Is.EqualTo((user, group, user, group)));
            Assert.That((fresh.Messages, fresh.Bytes, fresh.MaxBytes), Is.EqualTo((0L, 0L, Limit("msgmnb"))));
            Assert.That((fresh.SendTime, fresh.ReceiveTime, fresh.LastSender, fresh.LastReceiver), Is.EqualTo((0L, 0L, 0, 0)));
            Assert.That(fresh.ChangeTime, Is.InRange(before, before + 60));
        });
        test.Queue.Send("twelve bytes"u8);
        test.Queue.Send("four"u8);
        SysVQueueStatus sent = test.Queue.Status;
        Assert.Multiple(() =>
        {
            Assert.That((sent.Messages, sent.Bytes), Is.EqualTo((2L, 16L)));
            Assert.That((sent.LastSender, sent.LastReceiver), Is.EqualTo((Environment.ProcessId, 0)));
            Assert.That(sent.SendTime, Is.InRange(before, before + 60));
            Assert.That(sent.ReceiveTime, Is.Zero);
        });
        test.Queue.Receive(new byte[20], out _);
        SysVQueueStatus received = test.Queue.Status;
        Assert.Multiple(() =>
        {
            Assert.That((received.Messages, received.Bytes, received.LastReceiver), Is.EqualTo((1L, 4L, Environment.ProcessId)));
            Assert.That(received.ReceiveTime, Is.InRange(before, before + 60));
        });
    }

    [Test]
    public void Mode_and_room_change()
    {
        using SysVQueue test = new(backend);
        SysVQueueStatus before = test.Queue.Status;
        test.Queue.Change(new SysVQueueChange(before.Uid, before.Gid, Unique.FromOctal("644"), 100));
        SysVQueueStatus after = test.Queue.Status;
        Assert.That((after.Mode, after.MaxBytes, after.Uid), Is.EqualTo((Unique.FromOctal("644"), 100L, before.Uid)));
        Assert.That(test.Queue.TrySend(new byte[101]), Is.False);
        Assert.That(test.Queue.TrySend(new byte[100]));
    }

    [Test]
    public void More_room_than_msgmnb_is_for_the_privileged()
    {
        using SysVQueue test = new(backend);
        SysVQueueStatus now = test.Queue.Status;
        int status = test.Calls.Set(test.Id, new SysVQueueChange(now.Uid, now.Gid, now.Mode, Limit("msgmnb") + 1));
        bool privileged = (Capabilities() >> 24 & 1) != 0;
        Assert.That(status, Is.EqualTo(privileged ? 0 : StatusCode.NotPermitted));
        if (!privileged)
        {
            Assert.That(
                () => test.Queue.Change(new SysVQueueChange(now.Uid, now.Gid, now.Mode, Limit("msgmnb") + 1)),
                Throws.InstanceOf<MessageQueueException>().With.Message.Contains("CAP_SYS_RESOURCE"));
        }
    }

    [Test]
    public void A_removed_queue_is_gone_for_all()
    {
        using SysVQueue test = new(backend);
        test.Queue.Remove();
        Assert.Multiple(() =>
        {
            Assert.That(test.Calls.Stat(test.Id, SysVStatKind.Id, out _), Is.EqualTo(StatusCode.InvalidArgument).Or.EqualTo(StatusCode.Removed));
            Assert.That(test.Calls.Remove(test.Id), Is.EqualTo(StatusCode.InvalidArgument).Or.EqualTo(StatusCode.Removed));
            Assert.That(
                () => test.Queue.Send("x"u8),
                Throws.InstanceOf<MessageQueueException>().With.Message.Contains("it was removed, or never was"));
        });
    }

    [Test]
    public void An_identifier_is_not_the_same_twice()
    {
        using SysVQueue first = new(backend);
        first.Queue.Remove();
        using SysVQueue second = new(backend);
        Assert.That(second.Id, Is.Not.EqualTo(first.Id));
        Assert.That(() => first.Queue.Send("x"u8), Throws.InstanceOf<MessageQueueException>());
    }

    [Test]
    public void Limits_are_those_of_proc()
    {
        SysVInfo limits = SysVMessageQueue.Limits(_backend);
        Assert.That((limits.Max, limits.Mnb, limits.Mni), Is.EqualTo(((int)Limit("msgmax"), (int)Limit("msgmnb"), (int)Limit("msgmni"))));
    }

    [Test]
    public void Usage_and_the_list_are_those_of_proc()
    {
        using SysVQueue test = new(backend, 0);
        Assert.That(test.Calls.Set(test.Id, new SysVQueueChange(0, 0, Unique.FromOctal("600"), 1000)), Is.Zero);
        test.Queue.Send("sixteen bytes .."u8);
        int index = test.Calls.Info(SysVInfoKind.Usage, out SysVInfo usage);
        Assert.That(index, Is.GreaterThanOrEqualTo(0));
        Assert.That(usage.Pool, Is.GreaterThanOrEqualTo(1));
        Assert.That(usage.Map, Is.GreaterThanOrEqualTo(1));
        Assert.That(usage.Tql, Is.GreaterThanOrEqualTo(16));
        SysVQueueStatus listed = SysVMessageQueue.List(_backend).Single(queue => queue.Id == test.Id);
        Assert.That(listed, Is.EqualTo(test.Queue.Status));
        string[] line = Proc(test.Id);
        Assert.That(
            line[..10],
            Is.EqualTo(new[]
            {
                Text(listed.Key), Text(listed.Id), Convert.ToString(listed.Mode, 8), Text(listed.Bytes), Text(listed.Messages),
                Text(listed.LastSender), Text(listed.LastReceiver), Text(listed.Uid), Text(listed.Gid), Text(listed.CreatorUid),
            }));
    }

    [Test]
    public void By_index_and_by_id_the_kernel_tells_the_same()
    {
        using SysVQueue test = new(backend);
        int last = test.Calls.Info(SysVInfoKind.Usage, out _);
        int found = Enumerable.Range(0, last + 1).Single(
            i => test.Calls.Stat(i, SysVStatKind.Index, out SysVQueueStatus status) == test.Id && status == test.Queue.Status);
        Assert.That(test.Calls.Stat(found, SysVStatKind.AnyIndex, out SysVQueueStatus any), Is.EqualTo(test.Id));
        Assert.That(any, Is.EqualTo(test.Queue.Status));
        Assert.That(test.Calls.Stat(-1, SysVStatKind.Index, out _), Is.EqualTo(StatusCode.InvalidArgument));
        Assert.That(test.Calls.Stat(test.Id, (SysVStatKind)9, out _), Is.EqualTo(StatusCode.InvalidArgument));
        Assert.That(test.Calls.Info((SysVInfoKind)9, out _), Is.EqualTo(StatusCode.InvalidArgument));
    }

    [Test]
    public void Nobody_uses_a_queue_with_mode_0600()
    {
        Peer.NeedNobody(backend);
        int key = Unique.Key();
        SysVMessageQueue queue = SysVMessageQueue.Create(key, backend: _backend);
        try
        {
            string[] use = ["sysv-use", Text(queue.Id)];
            // Key 0 asks for no right; the bits of the mode do.
            Assert.That(Peer.Run(backend, use, Peer.Nobody), Is.EqualTo((string[])["EACCES", "EACCES", "EACCES", "EPERM", "EPERM"]));
            Assert.That(queue.Status.Messages, Is.Zero);
            // With bits of a mode, msgget(2) asks whether they are had.
            Assert.That(Peer.Run(backend, ["sysv-get", Text(key), "0", "384"], Peer.Nobody), Is.EqualTo((string[])["EACCES"]));
            Assert.That(Peer.Run(backend, ["sysv-get", Text(key), "512", "384"], Peer.Nobody), Is.EqualTo((string[])["EACCES"]));
            Assert.That(Peer.Run(backend, ["sysv-get", Text(key), "1536", "384"], Peer.Nobody), Is.EqualTo((string[])["EEXIST"]));
            Assert.That(Peer.Run(backend, use), Is.EqualTo((string[])["ok", "ok", "ok", "ok", "ok"]));
        }
        finally
        {
            _ = _backend.Mq.SysV.Remove(queue.Id);
        }
    }

    [Test]
    public void A_namespace_with_too_few_queues_says_how_many()
    {
        string[] lines = Peer.InNamespace(backend, ["sysv-create-many"], "kernel/msgmni=3");
        Assert.That(lines[0], Is.EqualTo("3 ENOSPC"));
        Assert.That(lines[1], Does.Contain("msgmni of 3 queues"));
    }

    [Test]
    public void The_next_identifier_may_be_chosen()
    {
        if (!File.Exists("/proc/sys/kernel/msg_next_id"))
        {
            Assert.Ignore("this kernel has no msg_next_id");
        }

        Assert.That(Peer.InNamespace(backend, ["sysv-create"], "kernel/msg_next_id=7777"), Is.EqualTo((string[])["7777"]));
    }

    [Test]
    public void A_namespace_does_not_see_the_queues_of_another()
    {
        int key = Unique.Key();
        SysVMessageQueue queue = SysVMessageQueue.Create(key, backend: _backend);
        try
        {
            Assert.That(Peer.InNamespace(backend, ["sysv-open", Text(key)]), Is.EqualTo((string[])["ENOENT"]));
            Assert.That(Peer.Run(backend, ["sysv-open", Text(key)]), Is.EqualTo((string[])["ok"]));
        }
        finally
        {
            queue.Remove();
        }
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static long Limit(string name) => long.Parse(File.ReadAllText($"/proc/sys/kernel/{name}"), CultureInfo.InvariantCulture);

    private static string[] Proc(int id) => File.ReadLines("/proc/sysvipc/msg")
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Single(line => line[1] == Text(id));

    private static string[] Status(string name) =>
        File.ReadLines("/proc/self/status").Single(line => line.StartsWith(name, StringComparison.Ordinal)).Split('\t');

    private static (uint User, uint Group) Ids() =>
        (uint.Parse(Status("Uid:")[2], CultureInfo.InvariantCulture), uint.Parse(Status("Gid:")[2], CultureInfo.InvariantCulture));

    private static ulong Capabilities() => Convert.ToUInt64(Status("CapEff:")[1], 16);
}
