#!/bin/sh
# analyze.sh: static analysis of the headers as C11, implementation included; says which tools are missing.
status=0
mkdir -p build/analyze
printf '#define AD_IMPLEMENTATION\n#include "ad.h"\n' >build/analyze/unit.c
tool() { # NAME COMMAND...
  name=$1
  shift
  command -v "$name" >/dev/null 2>&1 || { echo "left out: $name (not installed)" && return; }
  if "$@" >"build/analyze/$name.log" 2>&1; then result="no finding"; else result="findings" && status=1; fi
  echo "$name: $result, build/analyze/$name.log"
  [ "$result" = "no finding" ] || grep -E 'warning|error' "build/analyze/$name.log" | sort -u | head -n 40
}
# in the system's headers nothing is reported; a word made by the table for one system is not used by another: no unusedFunction
tool cppcheck cppcheck --quiet --std=c11 --enable=warning,portability --inline-suppr --error-exitcode=1 --suppress=missingIncludeSystem -DAD_SIMD=1 \
  -D__GNUC__=12 -D__x86_64__ -UAD_USE_CBLAS -I. build/analyze/unit.c
tool gcc gcc -std=c11 -O1 -Wall -Wextra -fanalyzer -Werror -I. -c build/analyze/unit.c -o build/analyze/unit.o
tool clang-tidy clang-tidy --quiet --warnings-as-errors='*' --header-filter='ad.*\.h' \
  --checks='-*,bugprone-*,cert-*,clang-analyzer-*,performance-*,portability-*,-bugprone-easily-swappable-parameters,-bugprone-reserved-identifier,-cert-dcl37-c,-cert-dcl51-cpp,-bugprone-macro-parentheses' \
  build/analyze/unit.c -- -std=c11 -I.
exit $status
