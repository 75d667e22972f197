using System.Runtime.CompilerServices;

// Every parameter of the bindings is a number or a pointer, so nothing is left to convert at a call.
[assembly: DisableRuntimeMarshalling]
