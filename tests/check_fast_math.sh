#!/bin/sh
# Flags that break NaN, infinity, the sign of zero or the order of sums are refused with a clear #error, or found by ad_selfcheck.
. tests/check.sh
cat >"$dir/self.c" <<'TEXT'
#include "ad.h"
int main(void) { const char *said = ad_selfcheck(); if (said) puts(said); return said != NULL; }
TEXT
refuses() { # COMPILER FLAG
  if "$1" -std=c11 -O2 "$2" -I. -fsyntax-only "$dir/self.c" 2>"$dir/said"; then echo "compiles" && return 1; fi
  grep -q '#error.*"\{0,1\}ad: -ffast-math breaks NaN\|error: "ad: -ffast-math breaks NaN' "$dir/said" || { cat "$dir/said" && return 1; }
}
refuses_or_says() { # COMPILER FLAGS...: #error, or ad_selfcheck says what is wrong
  compiler=$1
  shift
  refuses "$compiler" "$1" && return 0
  "$compiler" -std=c11 -O2 "$@" -I. "$dir/self.c" -o "$dir/self" -lm || return 1
  if "$dir/self" >"$dir/said"; then echo "ad_selfcheck says nothing" && return 1; fi
  grep 'compiled with' "$dir/said"
}
passes() { "$@" -I. "$dir/self.c" -o "$dir/self" -lm && "$dir/self"; }

for compiler in gcc clang; do
  have $compiler || { skip "flags of $compiler" "not installed" && continue; }
  for flag in -ffast-math -Ofast -ffinite-math-only; do check "$compiler $flag is refused" refuses $compiler $flag; done
  check "$compiler -ffast-math with AD_ALLOW_FAST_MATH compiles" $compiler -std=c11 -O2 -ffast-math -DAD_ALLOW_FAST_MATH -I. -fsyntax-only "$dir/self.c"
  check "$compiler -funsafe-math-optimizations is refused or found" refuses_or_says $compiler -funsafe-math-optimizations
  check "$compiler -fassociative-math is refused or found" refuses_or_says $compiler -fassociative-math -fno-signed-zeros -fno-trapping-math
  for flag in -O0 -O2 -O3 "-O2 -ffp-contract=fast" "-O2 -fno-math-errno" "-O2 -fno-trapping-math"; do check "$compiler $flag: ad_selfcheck finds nothing" passes $compiler -std=c11 $flag; done
done
finish
