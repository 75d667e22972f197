namespace CoreIO.Mq;

/// <summary>Limits or usage, as <c>struct msginfo</c>.</summary>
/// <param name="Pool">With <see cref="SysVInfoKind.Usage"/>, queues there are.</param>
/// <param name="Map">With <see cref="SysVInfoKind.Usage"/>, messages in all queues.</param>
/// <param name="Max"><c>msgmax</c>: bytes of one message.</param>
/// <param name="Mnb"><c>msgmnb</c>: bytes of one queue, to begin with.</param>
/// <param name="Mni"><c>msgmni</c>: queues.</param>
/// <param name="Ssz">Size of a segment, which Linux does not use.</param>
/// <param name="Tql">With <see cref="SysVInfoKind.Usage"/>, bytes in all queues.</param>
/// <param name="Seg">Segments, which Linux does not use.</param>
public readonly record struct SysVInfo(int Pool, int Map, int Max, int Mnb, int Mni, int Ssz, int Tql, int Seg);
