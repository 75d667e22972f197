namespace CoreIO;

/// <summary><c>libcoreio.so</c> cannot be used: it is not found, does not load, or is of another ABI.</summary>
public sealed class CoreIOLibraryException : CoreIOException
{
    internal CoreIOLibraryException(int status, string message, Exception? inner = null)
        : base(status, message, inner)
    {
    }
}
