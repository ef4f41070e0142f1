#!/bin/sh
# Each example prints what examples/expected/NAME.txt says, on the scalar backend and on this processor's. Words must be equal;
# numbers may differ by 1e-6 of their size, and two below 1e-8 are equal; lines that report a time are left out.
. tests/check.sh

libs=-lm
echo '#include <sleef.h>' | $CC -E -x c - >/dev/null 2>&1 && [ -z "${AD_NO_SLEEF:-}" ] && libs="-lsleef -lm"
define=${AD_NO_SLEEF:+-DAD_NO_SLEEF}
native=
builds $CC -march=native && native=-march=native

cat >"$dir/same.awk" <<'EOF'
function fail() { print "line " FNR ": " $0; print "expected: " want[line]; exit bad = 1 }
/ (ns|us|ms|s|seconds)([ ,.;:\/)]|$)|GFLOP|GB\/s/ { next }
NR == FNR { want[++lines] = $0; next }
{
  n = split(want[++line], w)
  if (n != NF) fail()
  for (i = 1; i <= n; i++) {
    if (w[i] == $i) continue
    a = w[i]; b = $i
    sub(/[,;:)]$/, "", a); sub(/[,;:)]$/, "", b); sub(/^\(/, "", a); sub(/^\(/, "", b)
    if (a !~ /^[-+]?[0-9.]+([eE][-+]?[0-9]+)?$/ || b !~ /^[-+]?[0-9.]+([eE][-+]?[0-9]+)?$/) fail()
    d = a - b; if (d < 0) d = -d
    a = a < 0 ? -a : a + 0; b = b < 0 ? -b : b + 0
    if (d > 1e-6 * (a > b ? a : b) && (a > 1e-8 || b > 1e-8)) fail()
  }
}
END { if (!bad && line != lines) { print "output ends early, expected: " want[line + 1]; exit 1 } if (bad) exit 1 }
EOF
warn="-std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror"
printf '#define AD_IMPLEMENTATION\n#include "ad.h"\n' >"$dir/implementation.c"
# the implementation part is compiled once per backend, for all examples that have it and set no other option
implementation() { # NAME FLAGS...
  name=$1
  shift
  $CC $warn -Og $define "$@" -I. -c "$dir/implementation.c" -o "$dir/$name.o"
}
clean() { $CC $warn $define -O1 -I. -fsyntax-only "$1"; }
compile() { # SOURCE PROGRAM IMPLEMENTATION FLAGS...
  source=$1 program=$2 object= written=
  writer=$(sed -n 's/.*WRITTEN BY: *\([a-z_]*\).*/\1/p' "$source")      # links a C file that a program writes
  if [ "$(grep -c '^#define AD_' "$source")" = 1 ] && grep -q '^#define AD_IMPLEMENTATION' "$source"; then object="$dir/$3.o"; fi
  shift 3
  libraries="$(sed -n 's/.*LIBS: *\(-l[a-z0-9 -]*[a-z0-9]\).*/\1/p' "$source") $libs"
  if [ -n "$writer" ]; then
    written="$dir/written.c"
    $CC $warn -O1 $define -DAD_SIMD=AD_SIMD_SCALAR -I. "examples/$writer.c" -o "$dir/writer" $libs && "$dir/writer" "$written" || return 1
  fi
  if [ -n "$object" ]; then
    sed '/^#define AD_IMPLEMENTATION/d' "$source" >"$dir/source.c"
    $CC $warn -O2 $define "$@" -I. -Iexamples "$dir/source.c" $written "$object" -o "$program" $libraries
  else
    $CC $warn -O2 $define "$@" -I. "$source" $written -o "$program" $libraries
  fi
}
says() { "$1" >"$dir/out" 2>"$dir/err" && [ ! -s "$dir/err" ] && awk -f "$dir/same.awk" "$2" "$dir/out"; }
short() { [ "$(wc -l <"$1")" -le 80 ]; }
# an error is reported, by a sentence and a status; it is not a crash
refuses() { "$@" >/dev/null 2>"$dir/err"; rc=$?; cat "$dir/err"; [ $rc -ge 1 ] && [ $rc -lt 126 ] && [ -s "$dir/err" ]; }

if grep -q '^#define AD_IMPLEMENTATION' examples/[0-9]*.c; then
  check "the implementation part compiles" implementation native $native
  check "the implementation part compiles, scalar" implementation scalar -DAD_SIMD=AD_SIMD_SCALAR
fi
for source in examples/[0-9]*.c; do
  [ -f "$source" ] || { skip "examples" "there is none" && continue; }
  name=$(basename "$source" .c)
  check "$name has at most 80 lines" short "$source"
  check "$name has no warnings" clean "$source"
  check "$name compiles" compile "$source" "$dir/$name" native $native
  [ -x "$dir/$name" ] || continue
  if [ ! -f "examples/expected/$name.txt" ]; then
    check "$name has its output in examples/expected/$name.txt" false
    continue
  fi
  check "$name prints what is expected" says "$dir/$name" "examples/expected/$name.txt"
  check "$name compiles, scalar" compile "$source" "$dir/$name-scalar" scalar -DAD_SIMD=AD_SIMD_SCALAR
  check "$name prints what is expected, scalar" says "$dir/$name-scalar" "examples/expected/$name.txt"
done
if [ -x "$dir/02_jacobian" ]; then
  check "02_jacobian refuses a file that is not there" refuses "$dir/02_jacobian" "$dir/nowhere.txt"
  : >"$dir/empty.txt"
  check "02_jacobian refuses an empty file" refuses "$dir/02_jacobian" "$dir/empty.txt"
  echo "21 11315 36455  0.0 0.1 0.2" >"$dir/short.txt"
  check "02_jacobian refuses a truncated file" refuses "$dir/02_jacobian" "$dir/short.txt"
  awk 'BEGIN { print "1 1 1"; for (i = 0; i < 17; i++) printf "%s ", i == 5 ? "nan" : "0.5"; print "" }' >"$dir/nan.txt"
  check "02_jacobian refuses NaN in the data" refuses "$dir/02_jacobian" "$dir/nan.txt"
  for file in "${AD_DATA:-../shared/data}"/adbench/ba*.txt; do
    if [ -f "$file" ]; then check "02_jacobian reads $(basename "$file")" "$dir/02_jacobian" "$file"; else skip "02_jacobian reads ADBench's files" "AD_DATA has no adbench/ba*.txt"; fi
  done
fi
finish
