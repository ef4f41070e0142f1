#!/bin/sh
# 16 nested calls of generic names: text that grows with the depth, and no warning, about shadowing least of all.
. tests/check.sh

nested() { # DEPTH: an expression of that many calls
  e=x
  i=0
  while [ $i -lt "$1" ]; do
    i=$((i + 1))
    if [ $((i % 2)) = 0 ]; then e="ad_sin($e)"; else e="ad_mul(ad_select(ad_lt(x, 1), $e, 2), x)"; fi
  done
  echo "$e"
}
program() { printf '#include "ad.h"\nad_dual f(ad_dual x);\ndouble g(double x);\nad_dual f(ad_dual x) { return %s; }\ndouble g(double x) { return %s; }\n' "$(nested "$1")" "$(nested "$1")"; }
program 16 >"$dir/deep.c"
cp "$dir/deep.c" "$dir/deep.cc"
short() { [ "$($1 -std=c11 -E -P -I. "$dir/deep.c" | grep -o 'return __extension__.*' | wc -c)" -lt 100000 ]; }
for cc in "$CC" clang gcc; do
  command -v "$cc" >/dev/null || { skip "$cc nests 16 generic names" "no $cc" && continue; }
  check "$cc expands 16 nested names to less than 100 kB" short "$cc"
  check "$cc compiles them without a warning" $cc -std=c11 -O2 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -I. -c "$dir/deep.c" -o "$dir/deep.o"
done
command -v "$CXX" >/dev/null && check "$CXX compiles them without a warning" $CXX -std=c++17 -O2 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -I. -c "$dir/deep.cc" -o "$dir/deep.o"
finish
