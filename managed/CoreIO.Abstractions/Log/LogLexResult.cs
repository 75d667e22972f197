namespace CoreIO.Log;

/// <summary>What one call of <see cref="ILogLexer.Feed"/> did.</summary>
/// <param name="Consumed">Bytes of text that the records cover, line ends included.</param>
/// <param name="Records">Records written.</param>
/// <param name="Fields">Fields written.</param>
/// <param name="NeededFields">
/// When nothing was written because the first line alone has more fields than there was room for: how many it has; else 0.
/// </param>
public readonly record struct LogLexResult(int Consumed, int Records, int Fields, int NeededFields);
