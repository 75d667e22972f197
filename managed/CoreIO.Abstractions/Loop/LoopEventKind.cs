namespace CoreIO.Loop;

/// <summary>What an event tells of, as <c>coreio_loop_kind</c>.</summary>
public enum LoopEventKind
{
    /// <summary>A descriptor is ready.</summary>
    Descriptor = 1,

    /// <summary>A timer fired.</summary>
    Timer = 2,

    /// <summary>The loop was woken, once or more.</summary>
    Woken = 3,

    /// <summary>A change of interest was refused with the event's status: the descriptor was closed.</summary>
    Lost = 4,
}
