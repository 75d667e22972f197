using System.Reflection;
using System.Text;
using CoreIO.Log;

namespace CoreIO.Native.Tests;

/// <summary>A table that crosses in several batches is one table: offsets of each batch count from its own buffers.</summary>
public sealed unsafe class NativeLogAnswerTests
{
    // Five groups and the (other) row, two cells each, at most two rows a call; the key of row i is i + 1 bytes of 'a' + i.
    private const string Library = """
        struct summary { int64_t groups, other_lines, key_bytes; int32_t keys, stats; };
        struct group { int64_t count; uint32_t key_offset, key_length, first_cell, other; };
        struct cell { uint64_t low; int64_t high; int64_t count; };
        int32_t coreio_log_scan_table(const void *scan, int32_t table, struct summary *s)
        {
            *s = (struct summary){ 5, 7, 15, 1, 2 };
            return 0;
        }
        int32_t coreio_log_scan_groups(const void *scan, int32_t table, int64_t first, struct group *groups, int32_t capacity,
            struct cell *cells, int32_t cell_capacity, uint8_t *keys, int32_t key_capacity)
        {
            int32_t n = 0;
            uint32_t used = 0;
            for (int64_t row = first; row < LAST && n < 2 && n < capacity; row++, n++) {
                uint32_t length = row == 5 ? 0 : (uint32_t)row + 1;
                if ((int32_t)(used + length) > key_capacity || 2 * n + 2 > cell_capacity)
                    return -5005;
                groups[n] = (struct group){ row * 10, used, length, (uint32_t)(2 * n), row == 5 };
                for (uint32_t i = 0; i < length; i++)
                    keys[used + i] = (uint8_t)('a' + row);
                used += length;
                cells[2 * n] = (struct cell){ (uint64_t)row, 0, 1 };
                cells[2 * n + 1] = (struct cell){ (uint64_t)row + 100, 0, 1 };
            }
            return n;
        }
        """;

    [Test]
    public void Batches_are_joined()
    {
        LogTableAnswer answer = Read("#define LAST 6\n" + Library);
        Assert.Multiple(() =>
        {
            Assert.That(answer.Groups, Has.Length.EqualTo(6));
            Assert.That(Join(answer, g => g.Count), Is.EqualTo("0 10 20 30 40 50"));
            Assert.That(Join(answer, g => Key(answer, g)), Is.EqualTo("a bb ccc dddd eeeee "));
            Assert.That(Join(answer, g => answer.Cell(g, 1).Value), Is.EqualTo("100 101 102 103 104 105"));
            Assert.That(Join(answer, g => g.IsOther ? 1 : 0), Is.EqualTo("0 0 0 0 0 1"));
            Assert.That(answer.OtherLines, Is.EqualTo(7));
        });
    }

    [Test]
    public void A_table_that_ends_too_early_is_an_error_and_not_a_shorter_table() =>
        Assert.That(() => Read("#define LAST 5\n" + Library), Throws.InstanceOf<CoreIOException>());

    private static string Key(LogTableAnswer answer, LogGroup group) =>
        Encoding.ASCII.GetString(answer.KeyBytes, (int)group.KeyOffset, (int)group.KeyLength);

    private static string Join<T>(LogTableAnswer answer, Func<LogGroup, T> value) => string.Join(' ', answer.Groups.Select(value));

    private static LogTableAnswer Read(string source)
    {
        using FakeLibrary fake = new(source, CoreIONativeLibrary.Abi);
        IsolatedInterop interop = new(fake.Path);
        object columns = interop.Make("CoreIO.Native.Log.NativeLogColumns", Array.Empty<LogKeyColumn>(), Array.Empty<LogStatColumn>());
        object scan = Pointer.Box((void*)1, interop.Type("CoreIO.Interop.coreio_log_scan").MakePointerType());
        return (LogTableAnswer)interop.CallNative("CoreIO.Native.Log.NativeLogAnswer", "ReadTable", scan, 0, columns)!;
    }
}
