#!/bin/sh
# Builds one target of one CMake preset: native/build.sh PRESET TARGET. The .NET build runs it on every build.
#
# The tree is configured when it is new, when CMakePresets.json changed, or when it was copied from elsewhere;
# CMake itself sees every other change. Builds of the same checkout wait for each other. Nothing is printed
# unless it fails. Exit codes that interop/NativeLibrary.targets turns into a sentence:
#   41 no cmake   42 no C compiler, or one without the headers of libc   43 no make and no ninja   44 cmake is too old
set -eu
preset=$1
target=$2
root=$(cd "$(dirname "$0")/.." && pwd)
tree=$root/build/$preset
cache=$tree/CMakeCache.txt

command -v cmake >/dev/null 2>&1 || exit 41
compiler=
for candidate in ${CC:+"$CC"} cc gcc clang; do
    if command -v "${candidate%% *}" >/dev/null 2>&1; then
        compiler=$candidate
        break
    fi
done
[ -n "$compiler" ] || exit 42

mkdir -p "$tree"
# A machine without flock(1) builds all the same, only two builds at once may disturb each other.
if command -v flock >/dev/null 2>&1; then
    exec 9>"$root/build/.lock"
    flock 9
fi

if [ -f "$cache" ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$cache"; then
    rm -rf "$tree"
    mkdir -p "$tree"
fi

log=$tree/build.log
run() {
    if ! "$@" >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        exit 1
    fi
}

cd "$root"
if [ ! -f "$cache" ] || [ ! -f "$tree/configured" ] || [ CMakePresets.json -nt "$tree/configured" ]; then
    # The unquoted compiler may be a command with options, as in CC="ccache gcc".
    echo '#include <pthread.h>' | $compiler -x c -fsyntax-only - 2>/dev/null || exit 42
    [ "$(printf '3.25\n%s\n' "$(cmake --version | sed -n 's/^cmake version //p')" | sort -V | head -n 1)" = 3.25 ] || exit 44
    generator=
    if [ ! -f "$cache" ]; then
        if command -v ninja >/dev/null 2>&1; then
            generator=-GNinja
        else
            command -v make >/dev/null 2>&1 || exit 43
        fi
    fi
    run cmake --preset "$preset" $generator
    touch "$tree/configured"
fi
run cmake --build "$tree" --target "$target" --parallel "$(nproc)"
