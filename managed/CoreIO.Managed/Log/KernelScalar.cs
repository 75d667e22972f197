// The kernel in plain C#: one table lookup a byte.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CoreIO.Managed.Log;

internal sealed class KernelScalar : Kernel
{
    internal override string Name => "scalar";

    internal override bool IsSupported => true;

    internal override int Index(
        ref byte text, int start, int end, ByteClass bytes, ref int positions, ref int lines, out int lineCount)
    {
        ref bool table = ref MemoryMarshal.GetArrayDataReference(bytes.Table);
        int count = 0;
        int newlines = 0;
        for (int i = start; i < end; i++)
        {
            byte b = Unsafe.Add(ref text, i);
            if (Unsafe.Add(ref table, b))
            {
                if (b == (byte)'\n')
                {
                    Unsafe.Add(ref lines, newlines++) = count;
                }

                Unsafe.Add(ref positions, count++) = i;
            }
        }

        lineCount = newlines;
        return count;
    }
}
