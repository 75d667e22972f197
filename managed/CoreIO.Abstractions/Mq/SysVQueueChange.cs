namespace CoreIO.Mq;

/// <summary>What <c>IPC_SET</c> changes of a System V queue.</summary>
/// <param name="Uid">New owner.</param>
/// <param name="Gid">New group.</param>
/// <param name="Mode">Nine bits of permissions.</param>
/// <param name="MaxBytes">Bytes it may hold; above <c>msgmnb</c> only with CAP_SYS_RESOURCE.</param>
public readonly record struct SysVQueueChange(uint Uid, uint Gid, int Mode, long MaxBytes);
