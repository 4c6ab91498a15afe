#!/bin/sh
# What packaging/ holds fits the program: each command of the units and each of its options exists, the config file is read, and systemd finds no
# fault where it is installed.
#
#   check.sh REPOSITORY BUILD_DIR SCRATCH_DIR
set -eu
root=$1 build=$2 scratch=$3
rm -rf "$scratch"
mkdir -p "$scratch"

commands=0
for unit in "$root"/packaging/systemd/*.service; do
  sed "s|/usr/bin/quarry|$build/quarry|" "$unit" >"$scratch/${unit##*/}"
  sed -n 's|^Exec[A-Za-z]*=/usr/bin/quarry ||p' "$unit" >"$scratch/commands"
  while read -r command; do
    # --help is answered after the rest has been parsed: a word or an option that is not known fails.
    # shellcheck disable=SC2086
    "$build/quarry" $command --help >/dev/null || { echo "${unit##*/}: quarry $command is not understood" >&2; exit 1; }
    for option in $(printf "%s\n" "$command" | grep -o -e "--[a-z-]*"); do
      # shellcheck disable=SC2086
      "$build/quarry" ${command%% *} --help | grep -q -e "$option" || { echo "${unit##*/}: there is no option $option" >&2; exit 1; }
    done
    commands=$((commands + 1))
  done <"$scratch/commands"
done
[ "$commands" -ge 3 ] || { echo "only $commands commands were found in the units" >&2; exit 1; }

"$build/quarry" config show --effective --config-file "$root/packaging/quarry.toml" | grep -q '/etc/quarry\|/var/lib/quarry'

if command -v systemd-analyze >/dev/null 2>&1; then
  cp "$root"/packaging/systemd/*.timer "$scratch"
  for unit in "$scratch"/*.service "$scratch"/*.timer; do systemd-analyze verify --man=no "$unit"; done
fi
rm -rf "$scratch"
echo "$commands commands of the units are understood"
