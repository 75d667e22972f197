// The kernel in plain C#: one table lookup a byte, and no branch that depends on what it says.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CoreIO.Managed.Log;

internal sealed class KernelScalar : Kernel
{
    internal override string Name => "scalar";

    internal override bool IsSupported => true;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal override int Index(ref byte text, int start, int end, ByteClass bytes, ref int positions)
    {
        ref byte table = ref MemoryMarshal.GetArrayDataReference(bytes.Table);
        int count = 0;
        for (int i = start; i < end; i++)
        {
            Unsafe.Add(ref positions, count) = i;
            count += Unsafe.Add(ref table, Unsafe.Add(ref text, i));
        }

        return count;
    }
}
