#!/bin/sh
# Each header compiles alone, without a warning, under every C standard, compiler and backend that is here, and can be included in any
# order and any number of times.
. tests/check.sh
. tests/headers.sh

for compiler in "$CC" gcc clang; do
  new "$compiler" || continue
  for std in c11 c17 c2x; do
    backends "$compiler" >"$dir/backends"
    if [ $std != c11 ]; then tail -n 1 "$dir/backends" >"$dir/last" && mv "$dir/last" "$dir/backends"; fi
    while read -r flags; do check "$compiler -std=$std $flags" compile $compiler -std=$std $flags -Wstrict-prototypes -- $alone contract; done <"$dir/backends"
  done
  check "$compiler includes in every order" compile $compiler -std=c11 -Wstrict-prototypes -- $orders static
  check "$compiler -std=gnu11" compile $compiler -std=gnu11 -Wstrict-prototypes -- $alone contract
done
arm=aarch64-linux-gnu-gcc
if have $arm; then check "$arm -std=c11" compile $arm -std=c11 -Wstrict-prototypes -- $alone contract; else skip "$arm" "not installed"; fi

if have tcc; then
  with_tcc() { for unit in $alone contract $orders; do tcc -Wall -Werror -I. -DAD_SIMD=AD_SIMD_SCALAR -c "$dir/unit/$unit.c" -o "$dir/tcc.o" || return 1; done; }
  check "tcc, scalar" with_tcc
else
  skip "compile with tcc" "not installed"
fi
finish
