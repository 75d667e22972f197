// Micro-benchmarks of the boundary: what a crossing costs, and from how many records on it no longer matters. Whole paths are measured by
// `coreio bench log`.
//
//   dotnet run -c Release --project tests/bench/CoreIO.Benchmarks -- --filter '*'
using BenchmarkDotNet.Running;
using CoreIO.Benchmarks;

BenchmarkSwitcher.FromAssembly(typeof(CrossingBenchmarks).Assembly).Run(args);
