#!/bin/sh
# Runs the commands of a Markdown page, as its reader would: each block that is marked ```sh, in the order of the page, each in a shell of its own with
# -eu, all in one scratch folder from which the repository looks as it does from its root, with the built programs on PATH and a PostgreSQL server
# within reach of libpq's environment variables.
#
#   run-page.sh PAGE BUILD_DIR SCRATCH_DIR
#
# A block marked ```sh skip-reason=... is not run, and says so. A block that is still running after two minutes has failed.
set -eu

page=$1 build=$2 scratch=$3
root=$(cd "$(dirname "$0")/../.." && pwd)

rm -rf "$scratch"
mkdir -p "$scratch/home"
cd "$scratch"
for entry in "$root"/*; do
  case ${entry##*/} in build | data) ;; *) ln -s "$entry" . ;; esac
done

# Blocks become files named by the line they begin on.
awk -v page="$page" '
  /^```sh *$/ { file = sprintf("block-%05d.sh", NR + 1); printf "" >file; next }
  /^```sh / { printf "%s:%d: skipped: %s\n", page, NR, substr($0, 7); next }
  /^```/ { if (file) close(file); file = ""; next }
  file { print >file }
' "$root/$page"

export PATH="$build:$PATH" HOME="$scratch/home"
# A PostgreSQL server, as on a machine that has one: `createdb x` and postgresql:///x reach it.
if [ -f "$build/test-cluster" ]; then
  url=$(sed -n 2p "$build/test-cluster")
  PGHOST=$(printf '%s' "$url" | sed -n 's/.*[?&]host=\([^&]*\).*/\1/p') PGUSER=$(printf '%s' "$url" | sed -n 's/.*[?&]user=\([^&]*\).*/\1/p')
  export PGHOST PGUSER
fi
ran=0
for block in block-*.sh; do
  [ -e "$block" ] || break
  line=$(echo "$block" | tr -dc 0-9 | sed 's/^0*//')
  status=0
  timeout 120 sh -eu "$block" >"$block.out" 2>&1 </dev/null || status=$?
  if [ "$status" -ne 0 ]; then
    echo "$page:$line: this block ended with $status:"
    cat "$block"
    echo "--- what it said:"
    cat "$block.out"
    exit 1
  fi
  ran=$((ran + 1))
done
echo "$page: $ran blocks ran"
cd /
rm -rf "$scratch"
