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
# cppcheck cannot expand the table: it reads what the preprocessor made of it
${CC:-cc} -std=c11 -I. -DAD_SIMD=1 -DAD_NO_SLEEF -E build/analyze/unit.c -o build/analyze/unit.i.c
tool cppcheck cppcheck --quiet --std=c11 --enable=warning,portability --error-exitcode=1 '--suppress=*:/usr/*' --suppress=invalidPointerCast build/analyze/unit.i.c
tool gcc gcc -std=c11 -O1 -Wall -Wextra -fanalyzer -Werror -I. -c build/analyze/unit.c -o build/analyze/unit.o
tool clang-tidy clang-tidy --quiet --warnings-as-errors='*' --header-filter='ad.*\.h' \
  --checks='-*,bugprone-*,cert-*,clang-analyzer-*,performance-*,portability-*,-bugprone-easily-swappable-parameters,-bugprone-reserved-identifier,-cert-dcl37-c,-cert-dcl51-cpp,-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling,-bugprone-narrowing-conversions,-bugprone-macro-parentheses' \
  build/analyze/unit.c -- -std=c11 -I.
exit $status
