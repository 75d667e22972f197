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
}
