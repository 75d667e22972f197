// Messages that tell who sent them, in which place, and whether a byte was lost or changed. Shared by the peer and the tests.
using System.Buffers.Binary;

namespace CoreIO.Mq.Peer;

internal static class Payload
{
    /// <summary>Sender, place and sum.</summary>
    public const int Least = 16;

    /// <summary>Writes a message of its length into <paramref name="message"/>; all bytes occur, zero among them.</summary>
    public static void Write(Span<byte> message, int sender, int sequence)
    {
        new Random((sender * 1_000_003) + sequence).NextBytes(message[Least..]);
        BinaryPrimitives.WriteInt32LittleEndian(message, sender);
        BinaryPrimitives.WriteInt32LittleEndian(message[4..], sequence);
        BinaryPrimitives.WriteUInt64LittleEndian(message[8..], Sum(message));
    }

    /// <summary>The length of the message at a place, from <see cref="Least"/> to <paramref name="most"/>.</summary>
    public static int Length(int sender, int sequence, int most) => Least + (((sender * 7919) + (sequence * 104_729)) % (most - Least + 1));

    /// <summary>Who sent a message and in which place; throws when it is not as it was sent.</summary>
    public static (int Sender, int Sequence) Read(ReadOnlySpan<byte> message)
    {
        if (message.Length < Least || BinaryPrimitives.ReadUInt64LittleEndian(message[8..]) != Sum(message))
        {
            throw new InvalidDataException($"a message of {message.Length} bytes is not as it was sent");
        }

        return (BinaryPrimitives.ReadInt32LittleEndian(message), BinaryPrimitives.ReadInt32LittleEndian(message[4..]));
    }

    // FNV-1a of all but the sum itself.
    private static ulong Sum(ReadOnlySpan<byte> message)
    {
        ulong sum = 14_695_981_039_346_656_037;
        for (int i = 0; i < message.Length; i++)
        {
            if (i is < 8 or >= Least)
            {
                sum = (sum ^ message[i]) * 1_099_511_628_211;
            }
        }

        return sum;
    }
}
