#!/bin/sh
# Installs the build into a folder of its own and builds the consumer against it, by CMake and by pkg-config.
#
#   check.sh BUILD_DIR CONSUMER_DIR LIBDIR CXX SCRATCH_DIR
set -eu

build=$1 consumer=$2 libdir=$3 cxx=$4 scratch=$5

expect_greeting() {
  said=$("$1")
  [ "$said" = 'hello, quarry' ] || { echo "$1 said '$said'" >&2; exit 1; }
}

rm -rf "$scratch"
mkdir -p "$scratch"
prefix=$scratch/prefix
cmake --install "$build" --prefix "$prefix" >"$scratch/install.log"
# The installed README names the pages beside it.
[ -f "$prefix/share/doc/quarry/docs/operations.md" ] || { echo 'the documentation is not installed' >&2; exit 1; }

# An absolute path of ours in what is installed would work here and nowhere else.
if grep -rlF -- "$build" "$prefix/include" "$prefix/$libdir/cmake" "$prefix/$libdir/pkgconfig"; then
  echo 'these installed files name the build folder' >&2
  exit 1
fi

cmake -S "$consumer" -B "$scratch/by-cmake" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_BUILD_TYPE=Debug >"$scratch/configure.log"
cmake --build "$scratch/by-cmake" >"$scratch/build.log" || { cat "$scratch/build.log" >&2; exit 1; }
expect_greeting "$scratch/by-cmake/consumer"

# The prefix in the .pc file is the one of the configuration; pkg-config can move it.
export PKG_CONFIG_PATH="$prefix/$libdir/pkgconfig"
for static in '' --static; do
  # shellcheck disable=SC2046,SC2086  # flags are words
  "$cxx" -std=c++20 -o "$scratch/by-pkg-config$static" "$consumer/main.cpp" \
    $(pkg-config --define-variable=prefix="$prefix" $static --cflags --libs quarry)
  expect_greeting "$scratch/by-pkg-config$static"
done

# The page of the README that shows C++ compiles: its includes on top, the rest in a function.
awk '
  /^```cpp$/ { inside = 1; next }
  /^```$/ { inside = 0 }
  inside && /^#include/ { print; next }
  inside { body = body $0 "\n" }
  END { printf "void shown() {\n%s(void)job;\n}\n", body }
' "$consumer/../../../README.md" >"$scratch/readme.cpp"
# shellcheck disable=SC2046  # flags are words
"$cxx" -std=c++20 -Wall -Wextra -fsyntax-only "$scratch/readme.cpp" $(pkg-config --define-variable=prefix="$prefix" --cflags quarry)

if [ -e "$build/quarry" ]; then
  "$prefix/bin/quarry" --version
fi
rm -rf "$scratch"
