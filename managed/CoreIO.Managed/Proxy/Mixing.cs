namespace CoreIO.Managed.Proxy;

internal static class Mixing
{
    /// <summary>Mixes a number so that each bit depends on all: the finalizer of SplitMix64 (Steele, Lea, Flood 2014).</summary>
    internal static ulong Mix(ulong value)
    {
        value ^= value >> 30;
        value *= 0xbf58476d1ce4e5b9;
        value ^= value >> 27;
        value *= 0x94d049bb133111eb;
        return value ^ (value >> 31);
    }

    /// <summary>FNV-1a (Fowler, Noll, Vo), mixed: the same in every process and every order.</summary>
    internal static ulong Hash(ReadOnlySpan<byte> bytes)
    {
        ulong hash = 0xcbf29ce484222325;
        foreach (byte one in bytes)
        {
            hash = (hash ^ one) * 0x100000001b3;
        }

        return Mix(hash);
    }
}
