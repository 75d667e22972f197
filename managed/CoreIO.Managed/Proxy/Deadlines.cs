// When connections are looked at for their limits of time: one wheel for all, which the thread that accepts turns. A connection is in it
// once or not at all; setting and clearing take the same short time however many there are, and those without limits are in no list.
//
// Any thread sets and clears; one thread sleeps until there is something due, and is woken when that comes earlier.
using CoreIO.Managed.Loop;

namespace CoreIO.Managed.Proxy;

internal sealed class Deadlines(Action wake)
{
    private readonly Lock _gate = new();
    private readonly TimerWheel _wheel = new(Clock.Now);

    // By the index of their timers.
    private Connection?[] _owners = new Connection?[64];

    // The time the thread sleeps until; below every time while it is awake.
    private long _asleepUntil = long.MinValue;

    // A time it was to sleep until and has not reached, though what was due then may be gone.
    private long _horizon;

    /// <summary>Sets the deadline of a connection in place of the one it has; <see cref="long.MaxValue"/> for none. False without memory.</summary>
    internal bool Set(Connection connection, long deadline)
    {
        bool early;
        lock (_gate)
        {
            if (deadline == long.MaxValue)
            {
                Remove(connection);
                return true;
            }

            if (connection.Timer >= 0)
            {
                _wheel.Move(connection.Timer, deadline);
            }
            else if (!Add(connection, deadline))
            {
                return false;
            }

            early = _wheel.Next < _asleepUntil;
            _asleepUntil = early ? long.MinValue : _asleepUntil;
        }

        if (early)
        {
            wake();
        }

        return true;
    }

    /// <summary>
    /// The time until which the thread may sleep; from here on it is woken for what is earlier. It wakes once for a time that nobody waits for any
    /// more: of many short connections each would have a first deadline otherwise, and wake it.
    /// </summary>
    internal long Sleep()
    {
        lock (_gate)
        {
            if (_wheel.Next < _horizon || _horizon <= Clock.Now)
            {
                _horizon = _wheel.Next;
            }

            return _asleepUntil = _horizon;
        }
    }

    /// <summary>The thread is awake, and looks itself at what is set.</summary>
    internal void Awake()
    {
        lock (_gate)
        {
            _asleepUntil = long.MinValue;
        }
    }

    /// <summary>Takes a connection out whose time has come; null for none. The thread is awake.</summary>
    internal Connection? TakeDue()
    {
        lock (_gate)
        {
            _wheel.Advance(Clock.Now);
            if (_wheel.Due < 0)
            {
                return null;
            }

            Connection due = _owners[_wheel.Due]!;
            Remove(due);
            return due;
        }
    }

    private bool Add(Connection connection, long deadline)
    {
        int index = _wheel.Add(deadline, period: 0, data: 0);
        if (index < 0)
        {
            return false;
        }

        if (index >= _owners.Length)
        {
            Array.Resize(ref _owners, Math.Max(2 * _owners.Length, index + 1));
        }

        _owners[index] = connection;
        connection.Timer = index;
        return true;
    }

    private void Remove(Connection connection)
    {
        if (connection.Timer >= 0)
        {
            _wheel.Remove(connection.Timer);
            _owners[connection.Timer] = null;
            connection.Timer = -1;
        }
    }
}
