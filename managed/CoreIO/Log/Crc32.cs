// The checksum of gzip (RFC 1952). The shared framework has none that is public. Decompression alone makes about a gigabyte a second, so a
// checksum as fast as that would double its time: where the machine multiplies without carries, 64 bytes a step are folded (Intel's paper
// "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction"); on ARM an instruction does it; else a table, eight bytes a
// step, which is also what the others are held to.
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Arm = System.Runtime.Intrinsics.Arm;

namespace CoreIO.Log;

internal sealed class Crc32
{
    /// <summary>Bytes folded at a time; fewer are left to the table.</summary>
    private const int FoldBytes = 64;

    private static readonly uint[] Tables = MakeTables();
    private uint _state = uint.MaxValue;

    public uint Value => ~_state;

    public void Reset() => _state = uint.MaxValue;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (Pclmulqdq.IsSupported && BitConverter.IsLittleEndian && bytes.Length >= FoldBytes)
        {
            int whole = bytes.Length & -Vector128<byte>.Count;
            _state = Fold(_state, bytes[..whole]);
            bytes = bytes[whole..];
        }

        _state = Arm.Crc32.Arm64.IsSupported ? Instruction(_state, bytes) : Table(_state, bytes);
    }

    /// <summary>The state after more bytes, by the table.</summary>
    internal static uint Table(uint state, ReadOnlySpan<byte> bytes)
    {
        uint[] t = Tables;
        while (bytes.Length >= 8)
        {
            uint low = BinaryPrimitives.ReadUInt32LittleEndian(bytes) ^ state;
            uint high = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
            state = t[0x700 + (low & 0xFF)] ^ t[0x600 + ((low >> 8) & 0xFF)] ^ t[0x500 + ((low >> 16) & 0xFF)] ^ t[0x400 + (low >> 24)]
                ^ t[0x300 + (high & 0xFF)] ^ t[0x200 + ((high >> 8) & 0xFF)] ^ t[0x100 + ((high >> 16) & 0xFF)] ^ t[high >> 24];
            bytes = bytes[8..];
        }

        foreach (byte b in bytes)
        {
            state = t[(state ^ b) & 0xFF] ^ (state >> 8);
        }

        return state;
    }

    private static uint Instruction(uint state, ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (ulong word in words)
        {
            state = Arm.Crc32.Arm64.ComputeCrc32(state, word);
        }

        foreach (byte b in bytes[(words.Length * sizeof(ulong))..])
        {
            state = Arm.Crc32.ComputeCrc32(state, b);
        }

        return state;
    }

    // A multiple of 16 bytes, at least 64. What is left in the end are 16 bytes with the same remainder as all of them.
    private static uint Fold(uint state, ReadOnlySpan<byte> bytes)
    {
        // x to the power of 512 + 32 and 512 - 32, then of 128 + 32 and 128 - 32, modulo the polynomial, bits reflected.
        Vector128<ulong> by512 = Vector128.Create(0x0154442bd4UL, 0x01c6e41596UL);
        Vector128<ulong> by128 = Vector128.Create(0x01751997d0UL, 0x00ccaa009eUL);
        ReadOnlySpan<Vector128<ulong>> words = MemoryMarshal.Cast<byte, Vector128<ulong>>(bytes);
        Vector128<ulong> a = words[0] ^ Vector128.CreateScalar((ulong)state);
        Vector128<ulong> b = words[1];
        Vector128<ulong> c = words[2];
        Vector128<ulong> d = words[3];
        words = words[4..];
        while (words.Length >= 4)
        {
            a = Step(a, by512) ^ words[0];
            b = Step(b, by512) ^ words[1];
            c = Step(c, by512) ^ words[2];
            d = Step(d, by512) ^ words[3];
            words = words[4..];
        }

        a = Step(a, by128) ^ b;
        a = Step(a, by128) ^ c;
        a = Step(a, by128) ^ d;
        foreach (Vector128<ulong> word in words)
        {
            a = Step(a, by128) ^ word;
        }

        return Table(0, MemoryMarshal.AsBytes(new ReadOnlySpan<Vector128<ulong>>(in a)));
    }

    private static Vector128<ulong> Step(Vector128<ulong> value, Vector128<ulong> by) =>
        Pclmulqdq.CarrylessMultiply(value, by, 0x00) ^ Pclmulqdq.CarrylessMultiply(value, by, 0x11);

    private static uint[] MakeTables()
    {
        uint[] tables = new uint[8 * 256];
        for (uint i = 0; i < 256; i++)
        {
            uint value = i;
            for (int bit = 0; bit < 8; bit++)
            {
                value = (value >> 1) ^ ((value & 1) * 0xEDB88320);
            }

            tables[i] = value;
        }

        for (int i = 256; i < tables.Length; i++)
        {
            uint before = tables[i - 256];
            tables[i] = (before >> 8) ^ tables[before & 0xFF];
        }

        return tables;
    }
}
