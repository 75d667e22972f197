// A descriptor that an asynchronous loop watches for all who wait on it. Used by the loop's thread alone.
namespace CoreIO.Loop;

internal sealed class LoopWatch
{
    private readonly List<LoopOperation> _waiting = [];

    /// <summary>The number of the descriptor.</summary>
    internal int Descriptor { get; set; }

    /// <summary>The identifier in the loop.</summary>
    internal long Id { get; set; }

    /// <summary>Its place in the table of watches.</summary>
    internal int Slot { get; set; }

    /// <summary>What the loop was asked for, and has not told yet.</summary>
    internal LoopInterest Armed { get; set; }

    /// <summary>How many keep it between waits.</summary>
    internal int Pins { get; set; }

    /// <summary>Whether the loop has it no more.</summary>
    internal bool IsGone { get; set; }

    /// <summary>Whether nobody wants it.</summary>
    internal bool IsIdle => _waiting.Count == 0 && Pins == 0;

    /// <summary>What is waited for by all.</summary>
    internal LoopInterest Wanted
    {
        get
        {
            LoopInterest wanted = LoopInterest.None;
            foreach (LoopOperation operation in _waiting)
            {
                wanted |= operation.Interest;
            }

            return wanted;
        }
    }

    /// <summary>Lets an operation wait.</summary>
    internal void Add(LoopOperation operation)
    {
        operation.Watch = this;
        _waiting.Add(operation);
    }

    /// <summary>Takes an operation out.</summary>
    internal void Remove(LoopOperation operation) => _waiting.Remove(operation);

    /// <summary>Moves those whom <paramref name="ready"/> concerns, in the order they came, to the end of a list.</summary>
    internal void TakeReady(LoopInterest ready, List<LoopOperation> into)
    {
        int left = 0;
        for (int i = 0; i < _waiting.Count; i++)
        {
            LoopOperation operation = _waiting[i];
            if ((ready & Concerning(operation)) != 0)
            {
                into.Add(operation);
            }
            else
            {
                _waiting[left++] = operation;
            }
        }

        _waiting.RemoveRange(left, _waiting.Count - left);
    }

    /// <summary>The events that end an operation: what it waits for, and what comes unasked.</summary>
    internal static LoopInterest Concerning(LoopOperation operation) =>
        operation.Interest | LoopInterest.Error | LoopInterest.HangUp;
}

/// <summary>Keeps a watch; set and ended by the loop's thread.</summary>
internal sealed class LoopPin
{
    internal LoopWatch? Watch { get; set; }
}
