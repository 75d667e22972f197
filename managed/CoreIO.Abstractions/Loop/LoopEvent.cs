using System.Runtime.InteropServices;

namespace CoreIO.Loop;

/// <summary>One event of a batch, as <c>coreio_loop_event</c>.</summary>
/// <param name="Id">Of the descriptor or the timer; 0 for <see cref="LoopEventKind.Woken"/>.</param>
/// <param name="Data">What was given with it.</param>
/// <param name="Ready">For what a descriptor is ready; nothing for other kinds.</param>
/// <param name="Kind">What the event tells of.</param>
/// <param name="Status">Of <see cref="LoopEventKind.Lost"/>, else 0.</param>
[StructLayout(LayoutKind.Sequential, Size = 32)]
public readonly record struct LoopEvent(long Id, long Data, LoopInterest Ready, LoopEventKind Kind, int Status);
