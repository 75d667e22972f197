namespace CoreIO.Log;

/// <summary>A named field of a format.</summary>
/// <param name="Name">nginx's name of the variable, without the dollar sign.</param>
/// <param name="Kind">What it is when it is typed.</param>
/// <param name="IsList">Whether it holds one entry for each upstream attempt.</param>
public sealed record LogFieldInfo(string Name, LogKind Kind, bool IsList);
