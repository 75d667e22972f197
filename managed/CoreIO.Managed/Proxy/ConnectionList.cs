// The connections that live, so that all of them can be ended. A list through themselves: nothing is allocated for one.
namespace CoreIO.Managed.Proxy;

internal sealed class ConnectionList
{
    private readonly Lock _gate = new();
    private Connection? _first;
    private int _count;

    internal void Add(Connection connection)
    {
        lock (_gate)
        {
            connection.Next = _first;
            if (_first is not null)
            {
                _first.Previous = connection;
            }

            _first = connection;
            _count++;
        }
    }

    internal void Remove(Connection connection)
    {
        lock (_gate)
        {
            if (connection.Previous is null)
            {
                _first = connection.Next;
            }
            else
            {
                connection.Previous.Next = connection.Next;
            }

            if (connection.Next is not null)
            {
                connection.Next.Previous = connection.Previous;
            }

            connection.Next = null;
            connection.Previous = null;
            _count--;
        }
    }

    /// <summary>Those that live at this moment.</summary>
    internal Connection[] All()
    {
        lock (_gate)
        {
            Connection[] all = new Connection[_count];
            int count = 0;
            for (Connection? one = _first; one is not null; one = one.Next)
            {
                all[count++] = one;
            }

            return all;
        }
    }
}
