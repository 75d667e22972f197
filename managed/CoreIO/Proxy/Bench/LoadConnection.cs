using System.Runtime.InteropServices;

namespace CoreIO.Proxy.Bench;

/// <summary>
/// A place for one connection of a side of the load, used again for another when that has ended: the loop wants a handle, and a new one for
/// each connection would be garbage.
/// </summary>
internal sealed class LoadConnection(int slot) : SafeHandle(-1, ownsHandle: false)
{
    /// <summary>Its place in the table of its side.</summary>
    internal int Slot { get; } = slot;

    /// <summary>The descriptor; -1 for none.</summary>
    internal int Socket => (int)handle;

    /// <summary>The watch of the loop.</summary>
    internal long Watch { get; set; }

    /// <summary>Bytes of the message under way.</summary>
    internal int Part { get; set; }

    /// <summary>Bytes of bulk so far.</summary>
    internal long Bytes { get; set; }

    /// <summary>The byte that comes back with the reply.</summary>
    internal byte Token { get; set; }

    /// <summary>When the request, or the connection, began.</summary>
    internal long BeganAt { get; set; }

    /// <summary>Whether the request is still to be sent.</summary>
    internal bool IsWaitingToSend { get; set; }

    public override bool IsInvalid => handle < 0;

    /// <summary>Takes a socket.</summary>
    internal void Hold(int socket)
    {
        SetHandle(socket);
        Part = 0;
        Bytes = 0;
        IsWaitingToSend = false;
    }

    /// <summary>Is free.</summary>
    internal void Leave() => SetHandle(-1);

    protected override bool ReleaseHandle() => true;
}
