namespace CoreIO.Log;

/// <summary>Runs floors: what a measured figure is held against. Any thread.</summary>
public interface ILogFloors
{
    /// <summary>Reads a file on the calling thread, in one crossing, and does the work with its bytes.</summary>
    /// <param name="work">What is done.</param>
    /// <param name="path">The file.</param>
    /// <param name="format">How lines are cut, where they are; the format is one of the same backend.</param>
    /// <param name="kernel">Forces a kernel by name; null for the best of this machine.</param>
    /// <exception cref="CoreIOException">The file cannot be read, or there is no such kernel here.</exception>
    LogFloorResult Run(LogFloor work, string path, ILogFormat? format = null, string? kernel = null);
}
