namespace CoreIO.Log;

/// <summary>A compiled format. Immutable; any thread may use it.</summary>
public interface ILogFormat : IDisposable
{
    /// <summary>The name or template it was compiled from.</summary>
    string Text { get; }

    /// <summary>Its named fields in the order of the line; none for <c>delimited</c>, whose fields are <c>f1</c>, <c>f2</c>, ...</summary>
    IReadOnlyList<LogFieldInfo> Fields { get; }
}
