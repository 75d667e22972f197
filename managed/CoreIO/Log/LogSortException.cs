namespace CoreIO.Log;

/// <summary>A sort names neither a key nor a statistic of the table.</summary>
public sealed class LogSortException : CoreIOException
{
    internal LogSortException(string name, IEnumerable<string> names)
        : base(StatusCode.Format,
            $"--sort: '{name}' is no column of the report; it has {string.Join(", ", names.Append("count").Distinct())}", null)
    {
    }
}
