// Which POSIX queues this process is told of.
//
// The kernel ends a registration when the process that has it closes any descriptor of the queue, also one that only looked at it. So who opens
// a queue to look at it asks here first, and holds the gate from asking to closing: nobody registers in between. A queue has one
// registration, so it has one entry, that of the object which asked last with success.
using System.Diagnostics.CodeAnalysis;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Mq;

internal static class OwnNotifications
{
    private static readonly Dictionary<FileId, PosixQueueNotification> Holders = [];

    /// <summary>Held while a queue is open only to be looked at, and while a registration is asked for. Nothing waits under it.</summary>
    internal static Lock Gate { get; } = new();

    /// <summary>The kernel has granted this object the registration for a queue: whose it was before has none any more.</summary>
    internal static void Enter(FileId queue, PosixQueueNotification holder)
    {
        lock (Gate)
        {
            Holders[queue] = holder;
        }
    }

    /// <summary>Takes an object's entry out; false when it has none, or another object has registered since.</summary>
    internal static bool Leave(FileId queue, PosixQueueNotification holder)
    {
        lock (Gate)
        {
            return Holders.TryGetValue(queue, out PosixQueueNotification? current) && current == holder && Holders.Remove(queue);
        }
    }

    /// <summary>Closes a queue that was in use, and with it the registration of this process for it, whichever object has it.</summary>
    internal static void Close(SafeFileHandle queue)
    {
        lock (Gate)
        {
            FileId? file = Holders.Count > 0 ? FileOwner.Of(queue)?.File : null;
            queue.Dispose();
            if (file is FileId closed)
            {
                _ = Holders.Remove(closed);
            }
        }
    }

    /// <summary>The object that is told of a queue.</summary>
    internal static bool TryFind(FileId queue, [NotNullWhen(true)] out PosixQueueNotification? holder)
    {
        lock (Gate)
        {
            return Holders.TryGetValue(queue, out holder) && !Ended(queue, holder);
        }
    }

    /// <summary>The object that is told of the queue that has this name now.</summary>
    internal static bool TryFind(string name, [NotNullWhen(true)] out PosixQueueNotification? holder)
    {
        lock (Gate)
        {
            foreach ((FileId queue, PosixQueueNotification current) in Holders.ToArray())
            {
                if (!Ended(queue, current) && current.IsOf(name))
                {
                    holder = current;
                    return true;
                }
            }
        }

        holder = null;
        return false;
    }

    // One that was told, or whose queue is closed, is no registration any more.
    private static bool Ended(FileId queue, PosixQueueNotification holder) => holder.HasEnded && Holders.Remove(queue);
}
