// Where a listing reads the names of POSIX queues: what is mounted on /dev/mqueue may be that of another IPC namespace. Each case is a process in
// mounts of its own, so root alone can make them.
using CoreIO.Mq;

namespace CoreIO.Tests.Mq;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class QueueFolderTests(string backend)
{
    private const string MountAndRun = "mount -t mqueue none /dev/mqueue && exec \"$@\"";

    private static readonly string[] Mounted = ["unshare", "-m", "sh", "-c", MountAndRun, "sh"];
    private static readonly string[] Elsewhere = ["unshare", "-i"];

    private bool _made;

    [OneTimeSetUp]
    public void MakeMountPoint()
    {
        Peer.NeedRoot();
        Peer.NeedTool("unshare");
        Peer.NeedTool("setpriv");
        _ = Backends.Get(backend);
        _made = !Directory.Exists(PosixQueues.MountPoint);
        _ = Directory.CreateDirectory(PosixQueues.MountPoint);
        if (!Peer.Works([.. Mounted, "true"]))
        {
            Assert.Ignore("mounting is not allowed here");
        }
    }

    [OneTimeTearDown]
    public void RemoveMountPoint()
    {
        if (_made && Directory.Exists(PosixQueues.MountPoint))
        {
            Directory.Delete(PosixQueues.MountPoint);
        }
    }

    [Test]
    public void A_mount_of_this_namespace_is_believed()
    {
        using PosixQueue test = new(backend);
        string[] lines = List([.. Mounted, .. Peer.NoMounting]);
        Assert.That(lines[..2], Is.EqualTo((string[])["Mounted", "no advice"]));
        Assert.That(lines, Does.Contain(test.Name));
    }

    // The name is unknown here; or it is that of another queue.
    [Test]
    public void A_mount_of_another_namespace_is_not([Values] bool sameName)
    {
        using PosixQueue test = new(backend);
        string own = sameName ? test.Name : Unique.Name();
        string[] lines = List([.. Mounted, .. Elsewhere, .. Peer.NoMounting], own);
        Assert.That(lines[0], Is.EqualTo("OwnDescriptors"));
        Assert.That(lines[1], Does.Contain("what is mounted on /dev/mqueue belongs to another IPC namespace"));
        Assert.That(lines[2..], Is.EqualTo((string[])[own]));
    }

    [Test]
    public void A_private_mount_comes_first()
    {
        using PosixQueue test = new(backend);
        string own = Unique.Name();
        Assert.That(
            List([.. Mounted, .. Elsewhere], own), Is.EqualTo((string[])["PrivateMount", "no advice", own]));
    }

    [Test]
    public void A_mount_that_nothing_tells_of_is_listed_and_that_is_said()
    {
        string[] lines = List([.. Elsewhere, .. Mounted, .. Peer.NoMounting]);
        Assert.That(lines[0], Is.EqualTo("Mounted"));
        Assert.That(lines[1], Does.Contain("whether it belongs to this IPC namespace is not known"));
        Assert.That(lines, Has.Length.EqualTo(2));
    }

    [Test]
    public void An_own_notification_tells_of_a_mount_and_stays()
    {
        string name = Unique.Name();
        Assert.That(
            Peer.Run(backend, ["posix-notify-list", name], [.. Elsewhere, .. Mounted, .. Peer.NoMounting]),
            Is.EqualTo((string[])["seen 3 50", "told"]));
        using PosixQueue test = new(backend, messages: 1, size: 8);
        Assert.That(
            Peer.Run(backend, ["posix-notify-list", test.Name], [.. Mounted, .. Elsewhere, .. Peer.NoMounting]),
            Is.EqualTo((string[])["seen 3 50", "told"]), "its own, not the one that is mounted");
    }

    // The kernel shows `NAME (deleted)` for one that was unlinked, which may as well be a name.
    [Test]
    public void Own_queues_are_those_that_have_a_name([Values("", " (deleted)")] string end)
    {
        string own = Unique.Name() + end;
        Assert.That(List([.. Elsewhere, .. Peer.NoMounting], own)[2..], Is.EqualTo((string[])[own]));
    }

    // Who owns a queue that may not be opened is read in the same place, and no more is said than is known.
    [Test]
    public void Whose_a_queue_is_comes_from_this_namespace()
    {
        string name = Unique.Name();
        string make = $"setpriv --reuid=65533 --regid=65533 --clear-groups dotnet \"$PEER\" {backend} posix-make {name} > /dev/null && exec \"$@\"";
        string[] inside = ["env", "PEER=" + Peer.Program, "unshare", "-i", "sh", "-c", make, "sh"];
        if (!Peer.Works([.. inside, "true"]))
        {
            Assert.Ignore("somebody else may not run this build");
        }

        string[] open = ["posix-open-why", name];
        string[] blind = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
        Assert.That(Peer.Run(backend, open, [.. inside, .. blind])[0], Does.Contain("(EACCES): it belongs to user 65533 with mode 0600"));
        blind = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-sys_admin"];
        Assert.That(
            Peer.Run(backend, open, [.. inside, .. Mounted, .. blind])[0],
            Does.Contain("(EACCES): if /dev/mqueue is of this IPC namespace, it belongs to user 65533"));
        Assert.That(Peer.Run(backend, open, [.. inside, .. blind])[0], Does.Contain("(EACCES): its owner and mode keep this user out"));
    }

    private string[] List(string[] launcher, params string[] own) => Peer.Run(backend, ["posix-list", .. own], launcher);
}
