// Names to groups of upstreams; "*.example.com" is kept as ".example.com", which no name can be. The same as native/src/proxy/routes.c.
//
// Hot path: a look-up allocates nothing.
using System.Text;

namespace CoreIO.Managed.Proxy;

internal sealed class RouteTable
{
    private readonly Dictionary<string, int> _groups = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _find;

    internal RouteTable() => _find = _groups.GetAlternateLookup<ReadOnlySpan<char>>();

    internal int Count => _groups.Count;

    internal IEnumerable<int> Groups => _groups.Values;

    /// <summary>Adds a name: 0 or a status.</summary>
    internal int Add(string host, int group)
    {
        if (group < 0)
        {
            return StatusCode.InvalidArgument;
        }

        ReadOnlySpan<byte> name = Encoding.UTF8.GetBytes(host);
        if (name.StartsWith("*."u8))
        {
            name = name[1..];
            if (name.Length < 2)
            {
                return StatusCode.InvalidArgument;
            }
        }
        else if (name.StartsWith("."u8))
        {
            return StatusCode.InvalidArgument;
        }

        if (name.IsEmpty || name.Length > ClientHello.LongestName || name.Contains((byte)'*'))
        {
            return StatusCode.InvalidArgument;
        }

        byte[] lower = new byte[name.Length];
        Lower(name, lower);
        // Bytes as characters, one to one: names are compared as bytes.
        return _groups.TryAdd(Encoding.Latin1.GetString(lower), group) ? 0 : StatusCode.Exists;
    }

    /// <summary>The group of a name in lower case, by the longest route that fits, or -1.</summary>
    internal int Find(ReadOnlySpan<byte> name)
    {
        Span<char> text = stackalloc char[ClientHello.LongestName];
        ReadOnlySpan<char> left = text[..Encoding.Latin1.GetChars(name, text)];
        int group;
        while (!_find.TryGetValue(left, out group))
        {
            // The next dot that has something before it.
            int dot = left.Length > 1 ? left[1..].IndexOf('.') : -1;
            if (dot < 0)
            {
                return -1;
            }

            left = left[(dot + 1)..];
        }

        return group;
    }

    /// <summary>Writes a name with the letters of ASCII in lower case.</summary>
    internal static void Lower(ReadOnlySpan<byte> name, Span<byte> lower)
    {
        for (int i = 0; i < name.Length; i++)
        {
            lower[i] = name[i] is >= (byte)'A' and <= (byte)'Z' ? (byte)(name[i] | 0x20) : name[i];
        }
    }
}
