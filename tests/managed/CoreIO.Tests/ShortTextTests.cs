using System.Text;

namespace CoreIO.Tests;

public sealed class ShortTextTests
{
    [Test]
    public void ItIsWhatUtf8Says([Values(0, 1, 15, 255, 256, 257, 1000)] int length, [Values("ascii", "letters", "bytes")] string kind)
    {
        Random random = new(length);
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++)
        {
            bytes[i] = kind == "bytes" ? (byte)random.Next(256) : (byte)random.Next(128);
        }

        if (kind == "letters" && length > 1)
        {
            Encoding.UTF8.GetBytes("é").CopyTo(bytes, length - 2);
        }

        Assert.That(ShortText.Of(bytes), Is.EqualTo(Encoding.UTF8.GetString(bytes)));
    }

    [Test]
    public void ItsBytesAreThoseOfUtf8([Values(0, 1, 20, 8192, 8193)] int length, [Values(0x80, 0x801, 0xD801, 0xE001, 0x10000)] int above)
    {
        Random random = new(length);
        // A few letters of two units, or halves of one, now and then; the highest of each length always.
        string text = string.Concat(Enumerable.Range(0, length).Select(i => (char)random.Next(i == 0 ? above - 1 : 0, above)));
        Assert.That(ShortText.BytesOf(text), Is.EqualTo(Encoding.UTF8.GetBytes(text)));
    }
}
