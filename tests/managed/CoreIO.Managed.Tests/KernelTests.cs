using System.Runtime.InteropServices;
using CoreIO.Managed.Log;

namespace CoreIO.Managed.Tests;

/// <summary>Every kernel writes what the definition of a class says, for any bytes, class, place and length.</summary>
public sealed class KernelTests
{
    private const int Sentinel = -7;
    private const byte Untouched = 0x77;

    private static IEnumerable<string> Supported => Kernel.List.Where(kernel => kernel.Supported).Select(kernel => kernel.Name);

    [Test]
    public void Kernels_are_those_of_the_processor() =>
        Assert.That(string.Join(',', Kernel.List.Select(kernel => kernel.Name)), Is.EqualTo(
            RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "scalar,neon" : "scalar,sse42,avx2,avx512"));

    [TestCaseSource(nameof(Supported))]
    public void Kernel_agrees_with_the_definition(string name)
    {
        Kernel kernel = Kernel.Pick(name);
        Random random = new(20230227);
        for (int round = 0; round < 3000; round++)
        {
            byte[] members = new byte[random.Next(0, 24)];
            random.NextBytes(members);
            ByteClass bytes = new(members);
            byte[] text = new byte[random.Next(0, 400)];
            random.NextBytes(text);
            if (round % 3 == 0)
            {
                // Dense text, where nearly every byte is structural.
                for (int i = 0; i < text.Length; i++)
                {
                    text[i] = random.Next(4) == 0 || members.Length == 0 ? (byte)'\n' : members[random.Next(members.Length)];
                }
            }

            int start = random.Next(0, text.Length + 1);
            int end = random.Next(start, text.Length + 1);
            Check(kernel, bytes, text, start, end, $"{name}, round {round}");
        }
    }

    [Test]
    public void Marks_agree_with_the_definition()
    {
        IFrameCutter[] cutters = [.. Supported.Select(Kernel.Pick).OfType<IFrameCutter>()];
        if (cutters.Length == 0)
        {
            Assert.Ignore("no kernel here cuts lines by their frames");
        }

        Random random = new(20261128);
        foreach (string template in (string[])["$a \"$b\" [$c] $d", "$a|$b|\"$c\"", "$a, $b; $c", "$a"])
        {
            Frame frame = FormatCompiler.Compile(template).Walker.Frame ?? throw new InvalidOperationException($"{template} has no frame");
            byte[] dense = "\"\"\\\n []|,;x\u00a0\u0000"u8.ToArray();
            for (int round = 0; round < 2000; round++)
            {
                // Some texts have few backslashes and newlines, so that many steps follow each other without.
                byte[] text = new byte[random.Next(0, 700)];
                int one = random.Next(1, 60);
                for (int i = 0; i < text.Length; i++)
                {
                    text[i] = random.Next(one) == 0 ? dense[random.Next(dense.Length)] : (byte)random.Next('a', 'z' + 1);
                }

                foreach (IFrameCutter cutter in cutters)
                {
                    CheckMarks(cutter, frame, text, $"{cutter}, {template}, round {round}");
                }
            }
        }
    }

    [Test]
    public void A_class_holds_all_its_members_and_the_newline()
    {
        byte[] members = [.. Enumerable.Range(0, 256).Where(b => b % 17 == 3).Select(b => (byte)b)];
        ByteClass bytes = new(members);
        Assert.That(members.All(member => bytes.Table[member] != 0), Is.True);
        Assert.That(bytes.Table['\n'], Is.EqualTo(1));
    }

    [Test]
    public void An_unknown_kernel_is_refused()
    {
        CoreIOException? e = Assert.Throws<CoreIOException>(() => Kernel.Pick("fastest"));
        Assert.That(e!.Status, Is.EqualTo(StatusCode.Cpu));
    }

    private static void CheckMarks(IFrameCutter cutter, Frame frame, byte[] text, string what)
    {
        List<int> wanted = [];
        bool inside = false;
        for (int i = 0; i < text.Length; i++)
        {
            bool escaped = text[..i].Reverse().TakeWhile(b => b == (byte)'\\').Count() % 2 == 1;
            bool quote = text[i] == (byte)'"' && !escaped;
            inside = text[i] != (byte)'\n' && inside != quote;
            if (quote || text[i] == (byte)'\n' || (!inside && text[i] != (byte)'"' && frame.IsMember[text[i]]))
            {
                wanted.Add(i);
            }
        }

        // Exactly the room that is promised, then what must stay as it is.
        int room = text.Length + Limits.PositionSlack;
        ushort[] positions = new ushort[room + 8];
        byte[] values = new byte[room + 8];
        Array.Fill<ushort>(positions, Untouched);
        Array.Fill(values, Untouched);
        int count = cutter.Mark(frame, ref MemoryMarshal.GetArrayDataReference(text), text.Length, ref positions[0], ref values[0]);
        Assert.That(positions[..count], Is.EqualTo(wanted), what);
        Assert.That(values[..count], Is.EqualTo(wanted.Select(i => text[i])), what);
        Assert.That(positions[room..], Is.All.EqualTo(Untouched), what);
        Assert.That(values[room..], Is.All.EqualTo(Untouched), what);
    }

    private static void Check(Kernel kernel, ByteClass bytes, byte[] text, int start, int end, string what)
    {
        List<int> wanted = [];
        for (int i = start; i < end; i++)
        {
            if (bytes.Table[text[i]] != 0)
            {
                wanted.Add(i);
            }
        }

        // Exactly the room that is promised, then bytes that must stay as they are.
        int[] positions = new int[end - start + Limits.PositionSlack + 8];
        Array.Fill(positions, Sentinel);
        int count = kernel.Index(ref MemoryMarshal.GetArrayDataReference(text), start, end, bytes, ref positions[0]);
        Assert.That(positions[..count], Is.EqualTo(wanted), what);
        Assert.That(positions[^8..], Is.All.EqualTo(Sentinel), what);
    }
}
