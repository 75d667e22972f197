// A compiled format: the fields by name and the walker that cuts a line into them. Immutable.
using CoreIO.Log;

namespace CoreIO.Managed.Log;

internal enum Layout
{
    Delimited,
    Template,
    Edge,
}

/// <summary>A variable of a template, or a named field of <c>edge</c>.</summary>
/// <param name="Name">nginx's name.</param>
/// <param name="Kind">What it is when it is typed.</param>
/// <param name="IsList">Whether it holds one entry for each upstream attempt.</param>
/// <param name="IsFree">Whether nothing is known of the name.</param>
internal sealed record Variable(string Name, LogKind Kind, bool IsList, bool IsFree);

internal sealed class CompiledFormat : ILogFormat
{
    internal CompiledFormat(string text, Layout layout, Variable[] variables, Walker walker)
    {
        Text = text;
        Layout = layout;
        Variables = variables;
        Walker = walker;
        Fields = [.. variables.Select(variable => new LogFieldInfo(variable.Name, variable.Kind, variable.IsList))];
    }

    public string Text { get; }

    public IReadOnlyList<LogFieldInfo> Fields { get; }

    internal Layout Layout { get; }

    internal Variable[] Variables { get; }

    internal Walker Walker { get; }

    /// <summary>Index of the first variable of a name, or -1.</summary>
    internal int IndexOf(string name) => Array.FindIndex(Variables, variable => variable.Name == name);

    public void Dispose()
    {
        // Nothing but memory is held.
    }
}
