// A port of the loopback for a program that has to be told one, or for a server that goes and comes back: below those that the kernel gives
// to whoever asks for any, so that no connection of another test takes it meanwhile.
using System.Net;
using System.Net.Sockets;

namespace CoreIO.Testing;

internal static class FreePort
{
    private const int Lowest = 15000;

    // Where the kernel's own begin, unless it was told otherwise, and below which nothing well known is.
    private const int End = 32768;

    // Test runs beside each other begin apart.
    private static int s_next = Random.Shared.Next(End - Lowest);

    /// <summary>Returns a port that nobody has, another one each time.</summary>
    public static int Take()
    {
        for (int i = 0; i < End - Lowest; i++)
        {
            int port = Lowest + (int)((uint)Interlocked.Increment(ref s_next) % (End - Lowest));
            using Socket probe = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                probe.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // Somebody has it: the next one.
            }
        }

        throw new InvalidOperationException($"no port from {Lowest} to {End - 1} is free");
    }
}
