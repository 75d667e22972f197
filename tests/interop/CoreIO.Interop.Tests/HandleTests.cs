using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CoreIO.Log;

namespace CoreIO.Interop.Tests;

/// <summary>Handles give back what they own: on Dispose, on the finalizer, and when creation fails.</summary>
[NonParallelizable]
public sealed partial class HandleTests
{
    private const int Scalar = (int)coreio_log_kernel_id.COREIO_LOG_KERNEL_SCALAR;
    private const string Template = "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent";
    private const int Rounds = 5_000;

    // Each object takes hundreds of bytes at least, all of them together megabytes; the runtime's own allocations stay far below this.
    private const long Noise = 256 * 1024;

    [Test]
    public void Disposed_handles_leave_no_memory() => Assert.That(
        Growth(static () =>
        {
            using LogFormatHandle format = LogFormatHandle.Create(Template);
            using LogLexerHandle lexer = LogLexerHandle.Create(format, Scalar);
        }),
        Is.LessThan(Noise));

    [Test]
    public void Disposed_loops_leave_no_memory() => Assert.That(
        Growth(static () =>
        {
            Assert.That(EventLoopHandle.Create(0, out EventLoopHandle? loop), Is.Zero);
            using LoopDescriptorHandle descriptor = new(loop!, 0);
            loop!.Dispose();
        }),
        Is.LessThan(Noise));

    [Test]
    public void A_loop_that_cannot_be_made_is_none()
    {
        Assert.That(EventLoopHandle.Create(1u << 31, out EventLoopHandle? loop), Is.EqualTo(StatusCode.InvalidArgument));
        Assert.That(loop, Is.Null);
    }

    [Test]
    public void Formats_that_do_not_compile_leave_no_memory() => Assert.That(
        Growth(static () => Assert.Throws<LogSyntaxException>(static () => LogFormatHandle.Create("$a$b"))),
        Is.LessThan(Noise));

    [Test]
    public void Forgotten_handles_are_finalized() => Assert.That(Growth(Forget), Is.LessThan(Noise));

    [Test]
    public void A_lexer_outlives_its_format()
    {
        LogLexerHandle lexer;
        using (LogFormatHandle format = LogFormatHandle.Create(Template))
        {
            lexer = LogLexerHandle.Create(format, Scalar);
        }

        lexer.Dispose();
        Assert.That(() => new Borrowed(lexer).Dispose(), Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public void A_borrowed_object_lives_until_it_is_given_back()
    {
        LogFormatHandle format = LogFormatHandle.Create(Template);
        using (Borrowed borrowed = new(format))
        {
            format.Dispose();
            Assert.That(CountFields(format), Is.EqualTo(6));
        }

        Assert.That(format.IsClosed);
    }

    private static unsafe int CountFields(LogFormatHandle format)
    {
        int nameBytes;
        return LibCoreIO.coreio_log_format_fields(format.Pointer, null, 0, null, 0, &nameBytes);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Forget() => LogFormatHandle.Create(Template);

    // Bytes in use by malloc after many rounds, less those before. The JIT takes some for a while when it compiles hot code again, so the
    // least of several measurements counts: what is not given back shows in each.
    private static long Growth(Action round)
    {
        Repeat(round, Rounds / 10);
        long least = long.MaxValue;
        for (int i = 0; i < 4; i++)
        {
            long before = Used();
            Repeat(round, Rounds);
            least = Math.Min(least, Used() - before);
        }

        return least;
    }

    private static void Repeat(Action round, int times)
    {
        for (int i = 0; i < times; i++)
        {
            round();
        }

        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    private static long Used()
    {
        Mallinfo info = Mallinfo2();
        return (long)(info.InUse + info.Mapped);
    }

    [LibraryImport("libc", EntryPoint = "mallinfo2")]
    private static partial Mallinfo Mallinfo2();

    // struct mallinfo2 of <malloc.h>: ten size_t, of which hblkhd and uordblks are the bytes in use.
    [StructLayout(LayoutKind.Sequential)]
    private struct Mallinfo
    {
        public nuint Arena;
        public nuint FreeBlocks;
        public nuint FastBlocks;
        public nuint MappedBlocks;
        public nuint Mapped;
        public nuint MaxUsed;
        public nuint FastBytes;
        public nuint InUse;
        public nuint Free;
        public nuint Releasable;
    }
}
