namespace CoreIO.Mq;

/// <summary>What a batch owes the bytes beside it; C is not told how many there are, so both backends look here first.</summary>
public static class MqBatch
{
    /// <summary>Whether each message lies in <paramref name="length"/> bytes, with <paramref name="head"/> bytes of room before it.</summary>
    public static bool Fits(ReadOnlySpan<MqMessage> messages, int length, int head)
    {
        foreach (ref readonly MqMessage message in messages)
        {
            if (message.Offset < head || message.Length < 0 || message.Offset > length || message.Length > length - message.Offset)
            {
                return false;
            }
        }

        return true;
    }
}
