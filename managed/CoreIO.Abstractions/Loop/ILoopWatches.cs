using System.Runtime.InteropServices;

namespace CoreIO.Loop;

/// <summary>The descriptors of a loop; each call is the one of <c>coreio/loop.h</c> that bears its name. For the thread that waits.</summary>
public interface ILoopWatches
{
    /// <summary>Watches a descriptor; <paramref name="id"/> is above 0 and never given twice. The handle is held during the call alone.</summary>
    int Add(SafeHandle descriptor, LoopInterest interest, long data, out long id);

    /// <summary>Changes what a descriptor is watched for. The kernel hears of it at the next wait, when something differs then.</summary>
    int Modify(long id, LoopInterest interest);

    /// <summary>Ends a watch; <paramref name="closing"/> when the descriptor has no duplicate and is closed next.</summary>
    int Remove(long id, bool closing);

    /// <summary>Lets <paramref name="ready"/> come again with the next wait, which then does not block.</summary>
    int Again(long id, LoopInterest ready);
}
