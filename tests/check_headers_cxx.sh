#!/bin/sh
# The same in C++17.
. tests/check.sh
. tests/headers.sh

for compiler in "$CXX" g++ clang++; do
  new "$compiler" || continue
  backends "$compiler" >"$dir/backends"
  while read -r flags; do check "$compiler -std=c++17 $flags" compile $compiler -x c++ -std=c++17 $flags -- $alone contract; done <"$dir/backends"
  check "$compiler includes in every order" compile $compiler -x c++ -std=c++17 -- $orders static
done
# some warnings of gcc come only where code is made
if builds $CXX -mavx512f; then
  made() { for unit in implementation; do $CXX $warn -x c++ -std=c++17 -Og -mavx512f -mavx2 -mfma -I. -c "$dir/unit/$unit.c" -o "$dir/made.o" || return 1; done; }
  check "$CXX -std=c++17 -mavx512f makes code without warnings" made
fi
finish
