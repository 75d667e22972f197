using CoreIO.Native.Log;

namespace CoreIO.Native.Tests;

/// <summary>Times of a question, as the library takes them: whole microseconds.</summary>
public sealed class NativeLogQueryTests
{
    [TestCase(0, -1, TestName = "The instant 0 is a bound, not none")]
    [TestCase(10, 1)]
    [TestCase(11, 2, TestName = "A part of a microsecond is rounded up: no line lies between")]
    [TestCase(-10, -1)]
    [TestCase(-11, -1)]
    [TestCase(-19, -1)]
    [TestCase(-20, -2)]
    [TestCase(16774700051234567, 1677470005123457)]
    public void A_bound_is_the_first_microsecond_not_before_it(long ticks, long microseconds) =>
        Assert.That(NativeLogQuery.Bound(DateTimeOffset.UnixEpoch.AddTicks(ticks)), Is.EqualTo(microseconds));

    [Test]
    public void A_bound_does_not_depend_on_the_offset_from_UTC() => Assert.That(
        NativeLogQuery.Bound(new DateTimeOffset(2023, 2, 27, 11, 53, 25, TimeSpan.FromHours(8))), Is.EqualTo(1677470005000000));

    [Test]
    public void No_bound_is_zero() => Assert.That(NativeLogQuery.Bound(null), Is.Zero);

    [Test]
    public void An_interval_is_exact() => Assert.Multiple(() =>
    {
        Assert.That(NativeLogQuery.Microseconds(TimeSpan.FromSeconds(10)), Is.EqualTo(10_000_000));
        Assert.That(() => NativeLogQuery.Microseconds(new TimeSpan(11)), Throws.ArgumentException);
        Assert.That(() => NativeLogQuery.Microseconds(TimeSpan.FromSeconds(-1)), Throws.ArgumentException);
    });
}
