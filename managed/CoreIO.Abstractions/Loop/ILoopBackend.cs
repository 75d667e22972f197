namespace CoreIO.Loop;

/// <summary>Event loops on epoll(7). May be used from any thread.</summary>
public interface ILoopBackend
{
    /// <summary>Makes a loop; the status is 0 or -errno, and then there is none.</summary>
    int Create(LoopOptions options, out IEventLoop? loop);
}
