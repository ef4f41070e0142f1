#!/bin/sh
# The headers bring nothing but names that begin with ad_ or AD_ into a program; ad.h alone stays light; -ffast-math is refused.
. tests/check.sh
. tests/headers.sh

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
  $CC -I. -Og -c "$dir/unit/implementation.c" -o "$dir/implementation.o" || return 1
  ! nm -g --defined-only "$dir/implementation.o" | awk '$3 !~ /^ad_/ { print; found = 1 } END { exit !found }'
}
check "no symbol but ad_ is defined" symbol_names
finish
