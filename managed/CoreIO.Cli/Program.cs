// The process: chooses the verb, turns what goes wrong into one sentence and an exit code. What a verb does stands in Commands.
using CoreIO;
using CoreIO.Cli;
using CoreIO.Cli.Shell;

try
{
    return Cli.Run(args);
}
catch (UsageException e)
{
    return Cli.Say("coreio", e.Message, ExitCode.Usage);
}
catch (ClosedPipeException)
{
    return ExitCode.Done;
}
catch (OutputException e)
{
    return Cli.Say("coreio", e.Message, ExitCode.Failure);
}
