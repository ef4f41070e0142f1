#!/bin/sh
# What README.md says is true: every C program in it compiles by the command that follows it and prints the output that follows
# that; every C fragment compiles; the files, make targets and options that it names exist; it has at most 150 lines.
. tests/check.sh

cp ad.h ad_simd.h "$dir"
# block N.c, N.sh, N.text: the fenced blocks in order, by language
awk -v dir="$dir" '/^```/ { if (inside) { inside = 0; close(file) } else { inside = 1; file = dir "/" ++n "." substr($0, 4); printf "" > file } next } inside { print > file }' README.md
sleef=
echo '#include <sleef.h>' | $CC -E -x c - >/dev/null 2>&1 && [ -z "${AD_NO_SLEEF:-}" ] && sleef=-lsleef

# program SOURCE COMMANDS: the commands begin with a compiler's, which names the source file and the program
program() {
  file=$(grep -o '[a-z0-9_]*\.cc\? ' "$2" | head -n 1 | tr -d ' ')
  cp "$1" "$dir/$file"
  opt=-O2
  if grep -q AD_IMPLEMENTATION "$1"; then opt=-Og; fi # in half the time
  sed -e "s/^cc /$CC -Wall -Wextra -Werror ${AD_NO_SLEEF:+-DAD_NO_SLEEF} /; s/^c++ /$CXX -Wall -Wextra -Werror ${AD_NO_SLEEF:+-DAD_NO_SLEEF} /; s/ -lsleef/ $sleef/; s/ -O2 / $opt /" "$2" >"$dir/commands"
  (cd "$dir" && sh -e ./commands) >"$dir/out"
}
prints() { diff "$1" "$dir/out"; }
fragment() { { echo '#include "ad.h"' && cat "$1"; } >"$dir/fragment.c" && $CC -std=c11 -Wall -Wextra -Werror -Wno-unused -I. -fsyntax-only "$dir/fragment.c"; }

n=1
while ls "$dir/$n".* >/dev/null 2>&1; do
  source=$(ls "$dir/$n".c "$dir/$n".c++ 2>/dev/null | head -n 1)
  if [ -n "$source" ]; then
    title=$(sed -n '1p' "$source")
    if grep -q 'int main' "$source"; then
      check "program $n compiles and runs: $title" program "$source" "$dir/$((n + 1)).sh"
      if [ -f "$dir/$((n + 2)).text" ]; then check "program $n prints what README shows" prints "$dir/$((n + 2)).text"; fi
    else
      check "fragment $n compiles: $title" fragment "$source"
    fi
  fi
  n=$((n + 1))
done
targets() { for target in $(grep -o '`*make [a-z][a-z-]*' README.md CONTRIBUTING.md | sed 's/.*make //' | sort -u); do grep -q "^$target:" Makefile || { echo "no target $target" && return 1; }; done; }
check "its make targets exist" targets
files() {
  for file in $(grep -o '\](\([A-Za-z_./0-9-]*\))' README.md CONTRIBUTING.md | sed 's/.*(\(.*\))/\1/' | sort -u) $(grep -o '`[a-z]*/[A-Za-z_./0-9]*`' README.md CONTRIBUTING.md | sed 's/.*`\(.*\)`/\1/' | grep -v -e NAME -e NN | sort -u); do
    [ -e "$file" ] || { echo "no file $file" && return 1; }
  done
}
check "its files exist" files
names() { for name in $(grep -o '`ad_[a-z0-9_]*' README.md | tr -d '`' | sort -u); do grep -q "$name" ad.h ad_simd.h || { echo "no $name in the headers" && return 1; }; done; }
check "the names it uses are in the headers" names
options() { for name in $(grep -o '`AD_[A-Z0-9_]*' README.md | tr -d '`' | sort -u); do grep -q "$name" ad.h ad_simd.h Makefile scripts/* || { echo "no $name" && return 1; }; done; }
check "the options it names exist" options
short() { [ "$(wc -l <README.md)" -le 150 ]; }
check "it has at most 150 lines" short
early() { [ "$(grep -n '^```c' README.md | head -n 1 | cut -d: -f1)" -le 8 ]; }
check "its first program begins by line 8" early
finish
