namespace CoreIO.Managed.Log;

/// <summary>A field of a line as a number.</summary>
internal struct Number
{
    internal long Value;
    internal bool IsNull;
}
