// Reads which symbols a 64-bit shared library defines for others: the defined global and weak entries of its .dynsym.
//
// Version definitions (the names of the nodes of exports.map) are absolute symbols there, not functions; they are left out.
using System.Buffers.Binary;
using System.Text;

namespace CoreIO.Interop.Tests;

internal static class ElfExports
{
    private const int SectionHeader = 64;
    private const int SymbolBytes = 24;
    private const int DynamicSymbols = 11;
    private const ushort Undefined = 0;
    private const ushort Absolute = 0xfff1;
    private const int Local = 0;

    internal static SortedSet<string> Read(string path)
    {
        ReadOnlySpan<byte> file = File.ReadAllBytes(path);
        Assert.That(file[..6].SequenceEqual("\u007fELF\u0002\u0001"u8), $"{path} is no little-endian 64-bit ELF file");
        SortedSet<string> names = new(StringComparer.Ordinal);
        int sections = (int)BinaryPrimitives.ReadInt64LittleEndian(file[0x28..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(file[0x3c..]);
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> section = file.Slice(sections + (i * SectionHeader), SectionHeader);
            if (BinaryPrimitives.ReadInt32LittleEndian(section[4..]) == DynamicSymbols)
            {
                int strings = BinaryPrimitives.ReadInt32LittleEndian(section[0x28..]);
                AddSymbols(names, Content(file, section), Content(file, file.Slice(sections + (strings * SectionHeader), SectionHeader)));
            }
        }

        return names;
    }

    private static ReadOnlySpan<byte> Content(ReadOnlySpan<byte> file, ReadOnlySpan<byte> section) => file.Slice(
        (int)BinaryPrimitives.ReadInt64LittleEndian(section[0x18..]), (int)BinaryPrimitives.ReadInt64LittleEndian(section[0x20..]));

    private static void AddSymbols(SortedSet<string> names, ReadOnlySpan<byte> symbols, ReadOnlySpan<byte> strings)
    {
        for (; symbols.Length >= SymbolBytes; symbols = symbols[SymbolBytes..])
        {
            int binding = symbols[4] >> 4;
            ushort section = BinaryPrimitives.ReadUInt16LittleEndian(symbols[6..]);
            if (binding != Local && section is not (Undefined or Absolute))
            {
                ReadOnlySpan<byte> name = strings[BinaryPrimitives.ReadInt32LittleEndian(symbols)..];
                names.Add(Encoding.ASCII.GetString(name[..name.IndexOf((byte)0)]));
            }
        }
    }
}
