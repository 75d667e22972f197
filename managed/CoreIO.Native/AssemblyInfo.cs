using System.Runtime.CompilerServices;

// The externs called here take numbers and pointers only.
[assembly: DisableRuntimeMarshalling]
