// The first lines of the input that each reason applies to, by input and offset, so that it does not matter who worked on them.
using CoreIO.Log;

namespace CoreIO.Managed.Log;

internal sealed class RejectSamples
{
    private readonly List<Sample>[] _samples = new List<Sample>[Limits.Reasons];

    internal RejectSamples()
    {
        for (int i = 0; i < _samples.Length; i++)
        {
            _samples[i] = new List<Sample>(Limits.Samples + 1);
        }
    }

    /// <summary>Keeps a line if it is among the first of its reason; allocates only then.</summary>
    internal void Offer(LogReason reason, int input, long offset, ReadOnlySpan<byte> line)
    {
        List<Sample> samples = _samples[(int)reason];
        if (samples.Count == Limits.Samples && (input, offset).CompareTo((samples[^1].Input, samples[^1].Offset)) > 0)
        {
            return;
        }

        Keep(samples, new Sample(input, offset, line[..Math.Min(line.Length, Limits.SampleBytes)].ToArray()));
    }

    internal void Merge(RejectSamples other)
    {
        for (int i = 0; i < _samples.Length; i++)
        {
            foreach (Sample sample in other._samples[i])
            {
                Keep(_samples[i], sample);
            }
        }
    }

    internal IReadOnlyList<byte[]> Of(LogReason reason) => [.. _samples[(int)reason].Select(sample => sample.Line)];

    private static void Keep(List<Sample> samples, Sample sample)
    {
        int at = samples.Count;
        while (at > 0 && (sample.Input, sample.Offset).CompareTo((samples[at - 1].Input, samples[at - 1].Offset)) < 0)
        {
            at--;
        }

        samples.Insert(at, sample);
        if (samples.Count > Limits.Samples)
        {
            samples.RemoveAt(Limits.Samples);
        }
    }

    private sealed record Sample(int Input, long Offset, byte[] Line);
}
