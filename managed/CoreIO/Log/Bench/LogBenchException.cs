namespace CoreIO.Log.Bench;

/// <summary>Two backends answered one question differently, so their times say nothing.</summary>
public sealed class LogBenchException : CoreIOException
{
    internal LogBenchException(string question, string who, string other)
        : base(
            StatusCode.InputOutput,
            $"bench: {question}: {who} and {other} answer differently; compare the two with `coreio log report --backend`",
            null)
    {
    }
}
