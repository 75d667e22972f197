using CoreIO.Interop;
using CoreIO.Mq;

namespace CoreIO.Native.Mq;

/// <summary>The floors of <c>coreio/mq.h</c>; a run is one crossing.</summary>
internal sealed unsafe class NativeMqFloors : IMqFloors
{
    public int Run(MqFloorWork work, MqFamily family, int messageBytes, int count, int cpu, int peerCpu, out MqFloorResult result)
    {
        coreio_mq_floor_result found;
        int status = LibCoreIO.coreio_mq_floor((int)work, (int)family, messageBytes, count, cpu, peerCpu, &found);
        result = status < 0
            ? default
            : new MqFloorResult(found.count, found.elapsed_ns, found.min_ns, found.median_ns, found.p99_ns, found.max_ns);
        return status;
    }
}
