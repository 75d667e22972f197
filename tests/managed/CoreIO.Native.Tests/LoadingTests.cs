using CoreIO.Interop;

namespace CoreIO.Native.Tests;

/// <summary>Where the library is looked for, and what is said when it is not usable.</summary>
[NonParallelizable]
public sealed class LoadingTests
{
    [Test]
    public void The_library_is_found_and_has_our_ABI()
    {
        CoreIONativeLibraryInfo info = CoreIONativeLibrary.Load();
        Assert.Multiple(() =>
        {
            Assert.That(info.Path, Does.Exist);
            Assert.That(info.Abi, Is.EqualTo(CoreIONativeLibrary.Abi));
            Assert.That(
                info.Version,
                Is.EqualTo(new Version(LibCoreIO.COREIO_VERSION_MAJOR, LibCoreIO.COREIO_VERSION_MINOR, LibCoreIO.COREIO_VERSION_PATCH)));
        });
    }

    [Test]
    public void A_path_to_nothing_says_which_path_and_what_to_do()
    {
        CoreIOException e = Fails(new IsolatedInterop("/nowhere/libcoreio.so"));
        Assert.Multiple(() =>
        {
            Assert.That(e.Status, Is.EqualTo(StatusCode.NoEntry));
            Assert.That(e.Message, Does.StartWith("cannot load libcoreio.so from /nowhere/libcoreio.so: no such file; "));
            Assert.That(e.Message, Does.Contain("set CoreIONativeLibrary.Path").And.Contain("managed backend"));
        });
    }

    [Test]
    public void The_setting_of_the_application_is_a_path_too()
    {
        AppContext.SetData(CoreIONativeLibrary.PathSetting, "/configured/libcoreio.so");
        try
        {
            Assert.That(Fails(new IsolatedInterop(null)).Message, Does.Contain("from /configured/libcoreio.so: no such file"));
        }
        finally
        {
            AppContext.SetData(CoreIONativeLibrary.PathSetting, null);
        }
    }

    [Test]
    public void A_file_that_is_no_library_says_so_in_the_linkers_words()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "no library");
            string message = Fails(new IsolatedInterop(file)).Message;
            Assert.That(message, Does.StartWith($"cannot load libcoreio.so from {file}: ").And.Contain("file too short"));
            Assert.That(message, Does.Not.Contain("\n"));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Test]
    public void Another_ABI_is_refused_and_both_numbers_are_named()
    {
        using FakeLibrary fake = new("", abi: 77);
        CoreIOException e = Fails(new IsolatedInterop(fake.Path));
        Assert.Multiple(() =>
        {
            Assert.That(e.Status, Is.EqualTo(StatusCode.Abi));
            Assert.That(e.Message, Does.StartWith($"{fake.Path} has ABI 77, this build of CoreIO needs ABI {CoreIONativeLibrary.Abi}"));
        });
    }

    [Test]
    public void Another_library_is_refused()
    {
        using FakeLibrary fake = new("int32_t something(void) { return 0; }", abi: null);
        Assert.That(Fails(new IsolatedInterop(fake.Path)).Message, Does.StartWith($"{fake.Path} is no libcoreio: it has no coreio_abi"));
    }

    [Test]
    public void An_extern_called_first_fails_with_the_same_words()
    {
        IsolatedInterop interop = new("/nowhere/libcoreio.so");
        Assert.That(
            () => interop.CallExtern("coreio_version"),
            Throws.InstanceOf<CoreIOException>().With.Message.StartsWith("cannot load libcoreio.so from /nowhere/libcoreio.so"));
    }

    [Test]
    public void After_a_failure_another_path_may_be_tried_and_after_a_success_not()
    {
        IsolatedInterop interop = new("/nowhere/libcoreio.so");
        Fails(interop);
        interop.SetPath(CoreIONativeLibrary.Load().Path);
        Assert.Multiple(() =>
        {
            Assert.That(interop.CallExtern("coreio_abi"), Is.EqualTo(CoreIONativeLibrary.Abi));
            Assert.That(() => interop.SetPath("/elsewhere/libcoreio.so"), Throws.InvalidOperationException);
        });
    }

    private static CoreIOException Fails(IsolatedInterop interop)
    {
        CoreIOException? failure = Assert.Catch<CoreIOException>(() => interop.Load());
        return failure!;
    }
}
