// Which descriptors a loop watches, and for what. The same as native/src/loop/watch.c.
//
// Adding goes to the kernel at once, so that what it refuses is refused to the caller; a change of interest waits for the next wait, when
// most have come to nothing; removing goes to the kernel unless the descriptor is closed next.
using System.Runtime.InteropServices;
using CoreIO.Loop;

namespace CoreIO.Managed.Loop;

internal sealed partial class ManagedEventLoop
{
    // What the kernel reports besides what was asked for.
    private const LoopInterest Unasked = LoopInterest.Error | LoopInterest.HangUp;

    // EPOLLRDNORM, EPOLLRDBAND, EPOLLWRNORM, EPOLLWRBAND and EPOLLWAKEUP, which have no name here.
    private const LoopInterest Unnamed = (LoopInterest)(0x40 | 0x80 | 0x100 | 0x200 | (1u << 29));

    private const LoopInterest Known = LoopInterest.Read | LoopInterest.Write | LoopInterest.Priority | LoopInterest.ReadHangUp
        | LoopInterest.EdgeTriggered | LoopInterest.OneShot | Unnamed;

    public int Add(SafeHandle descriptor, LoopInterest interest, long data, out long id)
    {
        id = 0;
        bool held = false;
        try
        {
            descriptor.DangerousAddRef(ref held);
            return Add((int)descriptor.DangerousGetHandle(), interest, data, ref id);
        }
        finally
        {
            if (held)
            {
                descriptor.DangerousRelease();
            }
        }
    }

    public int Modify(long id, LoopInterest interest)
    {
        ThrowIfClosed();
        int index = _watches.Find(id);
        if (index < 0)
        {
            return StatusCode.NoEntry;
        }

        ref Watch watch = ref _watches[index];
        if ((interest & ~(Known | Unasked)) != 0 || (watch.Wanted & LoopInterest.Exclusive) != 0)
        {
            return StatusCode.InvalidArgument;
        }

        watch.Wanted = interest & ~Unasked;
        _counts.Changes++;
        if (watch.Wanted != watch.Known)
        {
            _dirty.Add(index);
        }

        if (_timer is not null)
        {
            Flush();
            Arm();
        }

        return 0;
    }

    public int Remove(long id, bool closing)
    {
        ThrowIfClosed();
        int index = _watches.Find(id);
        if (index < 0)
        {
            return StatusCode.NoEntry;
        }

        int descriptor = _watches[index].Descriptor;
        if (descriptor >= 0)
        {
            // A descriptor that is closed already is refused, and gone from the kernel as well.
            if (!closing)
            {
                _ = Control(LoopLibc.Delete, descriptor, LoopInterest.None, 0);
            }

            _byDescriptor[descriptor] = -1;
        }

        _again.Remove(index);
        _dirty.Remove(index);
        _watches.Give(index);
        _counts.Changes++;
        Arm();
        return 0;
    }

    public int Again(long id, LoopInterest ready)
    {
        ThrowIfClosed();
        int index = _watches.Find(id);
        if (index < 0)
        {
            return StatusCode.NoEntry;
        }

        if (ready == LoopInterest.None)
        {
            return StatusCode.InvalidArgument;
        }

        _watches[index].Again |= ready;
        _again.Add(index);
        Arm();
        return 0;
    }

    private int Add(int descriptor, LoopInterest interest, long data, ref long id)
    {
        ThrowIfClosed();
        if ((interest & ~(Known | Unasked | LoopInterest.Exclusive)) != 0)
        {
            return StatusCode.InvalidArgument;
        }

        if (descriptor < 0)
        {
            return StatusCode.BadDescriptor;
        }

        int index = _watches.Take();
        if (index < 0)
        {
            return index;
        }

        // The kernel looks at the descriptor first, so that a wrong number makes no table grow.
        long own = _watches.Id(index);
        int status = Control(LoopLibc.Add, descriptor, interest, own);
        if (status < 0)
        {
            _watches.Give(index);
            return status;
        }

        // What was watched under this number was closed, or the kernel had refused.
        ref int before = ref Slot(descriptor);
        if (before >= 0)
        {
            _watches[before].Descriptor = -1;
        }

        before = index;
        ref Watch watch = ref _watches[index];
        watch.Data = data;
        watch.Descriptor = descriptor;
        watch.Wanted = interest & ~Unasked;
        watch.Known = watch.Wanted;
        _counts.Changes++;
        id = own;
        return 0;
    }

    private int Control(int operation, int descriptor, LoopInterest interest, long id)
    {
        _counts.KernelCalls++;
        return LoopLibc.Control(_epoll, operation, descriptor, (uint)interest, (ulong)id);
    }

    /// <summary>Tells the kernel of the interests that changed. What it refuses is listed to be given out, as lost.</summary>
    private void Flush()
    {
        for (int index = _dirty.First; index >= 0; index = _dirty.First)
        {
            _dirty.Remove(index);
            ref Watch watch = ref _watches[index];
            if (watch.Wanted == watch.Known)
            {
                continue;
            }

            // Without a number: it belongs to another descriptor by now, so the one that was watched is closed.
            int status = watch.Descriptor < 0
                ? StatusCode.BadDescriptor
                : Control(LoopLibc.Modify, watch.Descriptor, watch.Wanted, _watches.Id(index));
            if (status == 0)
            {
                watch.Known = watch.Wanted;
            }
            else
            {
                watch.Lost = status;
                _again.Add(index);
            }
        }
    }

    // The slot of a descriptor in the table, which grows to hold it.
    private ref int Slot(int descriptor)
    {
        int length = _byDescriptor.Length;
        if (descriptor >= length)
        {
            long wanted = Math.Max(length, 64);
            while (wanted <= descriptor)
            {
                wanted *= 2;
            }

            Array.Resize(ref _byDescriptor, (int)Math.Min(wanted, Array.MaxLength));
            _byDescriptor.AsSpan(length).Fill(-1);
        }

        return ref _byDescriptor[descriptor];
    }
}
