using System.Runtime.CompilerServices;
using CoreIO.Cpu;
using CoreIO.Interop;
using CoreIO.Log;
using CoreIO.Loop;
using CoreIO.Mq;

namespace CoreIO.Native.Tests;

/// <summary>The values of Abstractions that the library writes, or whose numbers it uses, are those of the bindings.</summary>
public sealed unsafe class LayoutTests
{
    [Test]
    public void Structures_have_the_size_of_the_C_ones() => Assert.Multiple(() =>
    {
        Assert.That(sizeof(LogRecord), Is.EqualTo(sizeof(coreio_log_record)));
        Assert.That(sizeof(LogField), Is.EqualTo(sizeof(coreio_log_field)));
        Assert.That(sizeof(LogGroup), Is.EqualTo(sizeof(coreio_log_group)));
        Assert.That(sizeof(LogCell), Is.EqualTo(sizeof(coreio_log_cell)));
        Assert.That(sizeof(MqMessage), Is.EqualTo(sizeof(coreio_mq_message)));
        Assert.That(sizeof(LoopEvent), Is.EqualTo(sizeof(coreio_loop_event)));
        Assert.That(sizeof(LoopCounters), Is.EqualTo(sizeof(coreio_loop_counters)));
    });

    [Test]
    public void A_record_is_read_as_it_is_written()
    {
        coreio_log_record c = new() { offset = 1, length = 2, first_field = 3, field_count = 4, reason = 5 };
        LogRecord record = Unsafe.As<coreio_log_record, LogRecord>(ref c);
        Assert.That(
            (record.Offset, record.Length, record.FirstField, record.FieldCount, record.Reason),
            Is.EqualTo((1u, 2u, 3u, 4u, LogReason.NotATime)));
    }

    [Test]
    public void A_field_is_read_as_it_is_written()
    {
        coreio_log_field c = new() { offset = 1, length = 2 };
        LogField field = Unsafe.As<coreio_log_field, LogField>(ref c);
        Assert.That((field.Offset, field.Length), Is.EqualTo((1u, 2u)));
    }

    [Test]
    public void A_group_is_read_as_it_is_written()
    {
        coreio_log_group c = new() { count = -1, key_offset = 2, key_length = 3, first_cell = 4, other = 1 };
        LogGroup group = Unsafe.As<coreio_log_group, LogGroup>(ref c);
        Assert.That((group.Count, group.KeyOffset, group.KeyLength, group.FirstCell, group.IsOther), Is.EqualTo((-1L, 2u, 3u, 4u, true)));
    }

    [Test]
    public void A_cell_is_read_as_it_is_written()
    {
        coreio_log_cell c = new() { low = ulong.MaxValue, high = -2, count = 3 };
        LogCell cell = Unsafe.As<coreio_log_cell, LogCell>(ref c);
        Assert.That((cell.Value, cell.Count), Is.EqualTo((-(Int128.One << 64) - 1, 3L)));
    }

    [Test]
    public void A_message_of_a_batch_is_read_as_it_is_written()
    {
        coreio_mq_message c = new() { offset = 1, length = 2, type = -3 };
        Assert.That(Unsafe.As<coreio_mq_message, MqMessage>(ref c), Is.EqualTo(new MqMessage(1, 2, -3)));
    }

    [Test]
    public void An_event_of_a_loop_is_read_as_it_is_written()
    {
        coreio_loop_event c = new() { id = 1, data = ulong.MaxValue, events = 4, kind = 2, status = -5 };
        Assert.That(
            Unsafe.As<coreio_loop_event, LoopEvent>(ref c), Is.EqualTo(new LoopEvent(1, -1, LoopInterest.Write, LoopEventKind.Timer, -5)));
    }

    [Test]
    public void The_counters_of_a_loop_are_read_as_they_are_written()
    {
        coreio_loop_counters c = new()
        {
            waits = 1,
            polls = 2,
            events = 3,
            wakes = 4,
            stale = 5,
            changes = 6,
            kernel_calls = 7,
            timers_fired = 8,
            again = 9,
            descriptors = 10,
            timers = 11,
            timers_behind = 12,
        };
        LoopCounters counters = Unsafe.As<coreio_loop_counters, LoopCounters>(ref c);
        Assert.That(
            (long[])[
                counters.Waits, counters.Polls, counters.Events, counters.Wakes, counters.Stale, counters.Changes, counters.KernelCalls,
                counters.TimersFired, counters.Again, counters.Descriptors, counters.Timers, counters.TimersBehind,
            ],
            Is.EqualTo(Enumerable.Range(1, 12)));
    }

    [Test]
    public void Enums_have_the_numbers_of_C() => Assert.Multiple(() =>
    {
        AssertSame<LogReason, coreio_log_reason>("COREIO_LOG_", except: "COREIO_LOG_REASONS");
        AssertSame<LogFault, coreio_log_fault_reason>("COREIO_LOG_FAULT_");
        AssertSame<LogKind, coreio_log_kind>("COREIO_LOG_");
        AssertSame<LogStatKind, coreio_log_stat_kind>("COREIO_LOG_");
        AssertSame<LoopEventKind, coreio_loop_kind>("COREIO_LOOP_");
        AssertSame<PosixNotifyKind, coreio_mq_notify_kind>("COREIO_MQ_NOTIFY_");
        AssertSame<SysVInfoKind, coreio_mq_sysv_info_kind>("COREIO_MQ_SYSV_");
        Assert.That(
            Enum.GetValues<SysVStatKind>().Select(k => (int)k), Is.EqualTo(Enum.GetValues<coreio_mq_sysv_stat_kind>().Select(k => (int)k)));
        Assert.That(ISysVQueues.HeadBytes, Is.EqualTo(LibCoreIO.COREIO_MQ_SYSV_HEAD));
    });

    [Test]
    public void Status_codes_have_the_numbers_of_C() => Assert.That(
        new[] { StatusCode.Abi, StatusCode.Format, StatusCode.Cpu, StatusCode.Closed, StatusCode.Capacity, StatusCode.Truncated },
        Is.EqualTo(Enum.GetValues<coreio_status>().Select(s => (int)s).Where(s => s < 0).OrderDescending()));

    [Test]
    public void Cpu_features_have_the_bits_of_C() => Assert.That(
        Enum.GetValues<CpuFeatures>().Where(f => f != CpuFeatures.None).Select(f => (f.ToString().ToUpperInvariant(), (ulong)f)),
        Is.EqualTo(new (string, ulong)[]
        {
            ("SSE2", LibCoreIO.COREIO_CPU_SSE2),
            ("SSE42", LibCoreIO.COREIO_CPU_SSE42),
            ("PCLMUL", LibCoreIO.COREIO_CPU_PCLMUL),
            ("AVX2", LibCoreIO.COREIO_CPU_AVX2),
            ("BMI2", LibCoreIO.COREIO_CPU_BMI2),
            ("AVX512BW", LibCoreIO.COREIO_CPU_AVX512BW),
            ("AVX512VBMI2", LibCoreIO.COREIO_CPU_AVX512VBMI2),
            ("NEON", LibCoreIO.COREIO_CPU_NEON),
        }));

    // COREIO_LOG_FAULT_BAD_NUMBER = 12 is LogFault.BadNumber = 12, and so on for all of both.
    private static void AssertSame<TManaged, TNative>(string prefix, string? except = null)
        where TManaged : struct, Enum
        where TNative : struct, Enum
    {
        IEnumerable<(string, int)> native = Enum.GetValues<TNative>()
            .Where(v => v.ToString() != except)
            .Select(v => (v.ToString()[prefix.Length..].Replace("_", "", StringComparison.Ordinal), Convert.ToInt32(v, null)));
        IEnumerable<(string, int)> managed = Enum.GetValues<TManaged>()
            .Select(v => (v.ToString().ToUpperInvariant(), Convert.ToInt32(v, null)));
        Assert.That(managed, Is.EqualTo(native), typeof(TManaged).Name);
    }
}
