#!/bin/sh
# Each header compiles alone, without a warning, under every standard, compiler and backend that is here; it can be included in any
# order and any number of times; it brings nothing but names that begin with ad_ or AD_ into a program; ad.h alone stays light.
. tests/check.sh

warn="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wdouble-promotion -Wundef -Werror"
mkdir "$dir/unit"
echo '#include "ad_simd.h"' >"$dir/unit/ad_simd.c"
echo '#include "ad.h"' >"$dir/unit/ad.c"
printf '#define AD_IMPLEMENTATION\n#include "ad.h"\n' >"$dir/unit/implementation.c"
printf '#define AD_STATIC\n#include "ad.h"\n' >"$dir/unit/static.c"
printf '#include "ad.h"\n#include "ad_simd.h"\n#include "ad.h"\n#include "ad_simd.h"\n' >"$dir/unit/declarations_first.c"
printf '#include "ad_simd.h"\n#include "ad.h"\n#include "ad.h"\n#include "ad_simd.h"\n' >"$dir/unit/lanes_first.c"
printf '#include "ad.h"\n#include "ad_simd.h"\n#define AD_IMPLEMENTATION\n#include "ad.h"\n' >"$dir/unit/implementation_last.c"
printf '#define AD_SIMD_SCALARS_ONLY\n#include "ad_simd.h"\nad_f64 f(ad_f64 x);\nad_f64 f(ad_f64 x) { return ad_f64_add(x, x); }\n' >"$dir/unit/scalars_only.c"
alone="ad_simd ad implementation static"
orders="declarations_first lanes_first implementation_last scalars_only"

# compile COMPILER FLAGS -- UNIT...: each unit, syntax and warnings only
compile() {
  command=
  while [ "$1" != -- ]; do command="$command $1" && shift; done
  shift
  status=0
  for unit; do $command $warn -O1 -I. -fsyntax-only "$dir/unit/$unit.c" || status=1; done
  return $status
}
backends() { # COMPILER: flags of the backends that it can compile, one a line
  echo "-DAD_SIMD=AD_SIMD_SCALAR"
  for flags in "-mavx2 -mfma" "-mavx512f -mavx2 -mfma"; do
    builds $1 $flags && echo "$flags"
  done
}
seen=
new() { # COMPILER: is it here, and not one that was used already under another name?
  have ${1%% *} || { skip "compile with $1" "not installed" && return 1; }
  version=$($1 --version | sed '1!d; s/^[^ ]* //')
  case $seen in *"<$version>"*) return 1 ;; esac
  seen="$seen<$version>"
}
for compiler in "$CC" gcc clang; do
  new "$compiler" || continue
  for std in c11 c17 c2x; do
    backends "$compiler" >"$dir/backends"
    [ $std = c11 ] || sed -n '$p' "$dir/backends" >"$dir/last" && mv "$dir/last" "$dir/backends"
    while read -r flags; do check "$compiler -std=$std $flags" compile $compiler -std=$std $flags -Wstrict-prototypes -- $alone; done <"$dir/backends"
  done
  check "$compiler includes in every order" compile $compiler -std=c11 -Wstrict-prototypes -- $orders
  check "$compiler -std=gnu11" compile $compiler -std=gnu11 -Wstrict-prototypes -- $alone
done
seen=
for compiler in "$CXX" g++ clang++; do
  new "$compiler" || continue
  backends "$compiler" >"$dir/backends"
  while read -r flags; do check "$compiler -std=c++17 $flags" compile $compiler -x c++ -std=c++17 $flags -- $alone; done <"$dir/backends"
  check "$compiler includes in every order" compile $compiler -x c++ -std=c++17 -- $orders
done
arm=aarch64-linux-gnu-gcc
if have $arm; then check "$arm -std=c11" compile $arm -std=c11 -Wstrict-prototypes -- $alone $orders; else skip "$arm" "not installed"; fi

# some warnings of gcc come only where code is made
if builds $CXX -mavx512f; then
  made() { for unit in $alone; do $CXX $warn -x c++ -std=c++17 -O2 -mavx512f -mavx2 -mfma -I. -c "$dir/unit/$unit.c" -o "$dir/made.o" || return 1; done; }
  check "$CXX -std=c++17 -O2 -mavx512f makes code without warnings" made
fi
if have tcc; then
  with_tcc() { for unit in $alone $orders; do tcc -Wall -Werror -I. -DAD_SIMD=AD_SIMD_SCALAR -c "$dir/unit/$unit.c" -o "$dir/tcc.o" || return 1; done; }
  check "tcc, scalar" with_tcc
else
  skip "compile with tcc" "not installed"
fi
refused() { ! $CC "$@" -I. -fsyntax-only "$dir/unit/ad.c" && $CC "$@" -DAD_ALLOW_FAST_MATH -I. -fsyntax-only "$dir/unit/ad.c"; }
check "-ffast-math is refused" refused -ffast-math

light() { ! $CC -I. -E "$dir/unit/ad.c" | grep -E '^# 1 .*/(immintrin|arm_neon|sleef)\.h'; }
check "ad.h alone includes neither intrinsics nor <sleef.h>" light

# names: every macro that is not there with the system's headers alone, and every symbol that an object defines or wants to
sed -n 's/^ *# *include <\(.*\)>.*/\1/p' ad.h ad_simd.h | sort -u | grep -v -e sleef -e arm_neon -e cblas -e omp |
  while read -r header; do echo "#include <$header>"; done >"$dir/unit/system.c"
macros() { $CC -I. -mavx2 -mfma -dM -E "$dir/unit/$1.c" | awk '{ sub(/\(.*/, "", $2); print $2 }' | sort -u; }
macro_names() {
  macros system >"$dir/system"
  for unit in $alone; do macros $unit | grep -v -E '^(AD_|ad_|_|SLEEF_|Sleef_)' | grep -v -x -F -f "$dir/system" && return 1; done
  return 0
}
if builds $CC -mavx2; then check "no macro but AD_ and SLEEF_ is left behind" macro_names; fi
symbol_names() {
  $CC -I. -O1 -c "$dir/unit/implementation.c" -o "$dir/implementation.o" || return 1
  ! nm -g --defined-only "$dir/implementation.o" | awk '$3 !~ /^ad_/ { print; found = 1 } END { exit !found }'
}
check "no symbol but ad_ is defined" symbol_names
finish
