# A thin face over the commands that .ci/run and README use; each of them works alone, too.
#
#   ./build.ps1 -Task build|test|bindings|format [-Preset release|dev|asan|tsan]
#
# Without -Preset, test runs everything through .NET; with it, the C tests of that preset.
param(
    [ValidateSet('build', 'test', 'bindings', 'format')] [string] $Task = 'build',
    [ValidateSet('', 'release', 'dev', 'asan', 'tsan')] [string] $Preset = ''
)
$ErrorActionPreference = 'Stop'
Set-Location $PSScriptRoot

# Runs one command line and stops at the first that fails.
function Invoke-Step([string] $Program, [string[]] $Arguments) {
    & $Program @Arguments
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
}

switch ($Task) {
    'build' {
        if ($Preset) {
            Invoke-Step cmake @('--preset', $Preset)
            Invoke-Step cmake @('--build', '--preset', $Preset)
        } else {
            Invoke-Step dotnet @('build', 'CoreIO.sln', '-c', 'Release')
        }
    }
    'test' {
        if ($Preset) {
            Invoke-Step cmake @('--preset', $Preset)
            Invoke-Step cmake @('--build', '--preset', $Preset)
            Invoke-Step ctest @('--preset', $Preset)
        } else {
            Invoke-Step dotnet @('test', 'CoreIO.sln', '-c', 'Release')
        }
    }
    'bindings' {
        # The only task that needs ClangSharp: dotnet tool install --global ClangSharpPInvokeGenerator
        foreach ($word in 'base', 'cpu', 'log', 'loop', 'mq', 'proxy') {
            Invoke-Step ClangSharpPInvokeGenerator @("@interop/$word.rsp")
        }
    }
    'format' {
        Invoke-Step clang-format (@('-i') + @(git ls-files '*.c' '*.h'))
        Invoke-Step dotnet @('format', 'CoreIO.sln', '--exclude', 'interop/CoreIO.Interop/Generated')
    }
}
