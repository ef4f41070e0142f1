#!/bin/sh
# configure.sh FILE [GOAL...]: finds out what this machine has, writes it to FILE as make variables (only if it changed),
# and says what the goals go without.
set -u
out=$1
shift
goals=" $* "
mkdir -p "$(dirname "$out")"
dir=$(dirname "$out")
: "${CC:=cc}" "${CXX:=c++}"
arch=$(uname -m)

have() { command -v "$1" >/dev/null 2>&1; }
# try 'PROGRAM' COMPILER FLAGS...: can the program be built?
try() {
  program=$1
  shift
  printf '%s\n' "$program" | "$@" >/dev/null 2>&1
}
# without WHAT WHY: said once, for the goals that would use it
without() { case $goals in *" test "* | *" demo "*) echo "left out: $1 ($2)" ;; esac; }

sleef='#include <sleef.h>
int main(void) { return (int)Sleef_fabs(0.0); }'
cmocka='#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
int main(void) { return cmocka_run_group_tests_name("", (const struct CMUnitTest *)0, NULL, NULL) * 0; }'
probe="$dir/probe"

sleef_libs() { # COMPILER: the libraries to link
  if [ -z "${AD_NO_SLEEF:-}" ] && try "$sleef" "$@" -x c - -x none -o "$probe" -lsleef; then echo "-lsleef -lm"; else echo "-lm"; fi
}
cpu() { # FEATURE...: does this processor have all of them?
  for f; do grep -qw -m1 "$f" /proc/cpuinfo 2>/dev/null || return 1; done
}

libs=$(sleef_libs $CC)
no_sleef=${AD_NO_SLEEF:+-DAD_NO_SLEEF}
avx2="-mavx2 -mfma"
avx512="-mavx512f -mavx512dq -mavx512vl -mavx512bw -mavx2 -mfma"
cxx=
try 'int main() { return 0; }' $CXX -x c++ - -o "$probe" && cxx=$CXX
test_cmocka=yes
try "$cmocka" $CC -x c - -x none -o "$probe" -lcmocka || test_cmocka=

{
  backends= native=
  backend() { # NAME COMPILER C++COMPILER FLAGS RUNNER LIBS
    backends="$backends $1"
    printf 'CC_%s = %s\nCXX_%s = %s\nFLAGS_%s = %s\nRUN_%s = %s\nLIBS_%s = %s\n' "$1" "$2" "$1" "$3" "$1" "$4" "$1" "$5" "$1" "$6"
  }
  if [ -n "$test_cmocka" ]; then
    backend scalar "$CC" "$cxx" "-DAD_SIMD=AD_SIMD_SCALAR $no_sleef -DAD_EXPECTED_SIMD=AD_SIMD_SCALAR" "" "$libs"
    if [ "$arch" = x86_64 ]; then
      cpu avx2 fma && native=avx2 && backend avx2 "$CC" "$cxx" "$avx2 $no_sleef -DAD_EXPECTED_SIMD=AD_SIMD_AVX2" "" "$libs"
      cpu avx512f avx512dq avx512vl avx512bw && native=avx512 && backend avx512 "$CC" "$cxx" "$avx512 $no_sleef -DAD_EXPECTED_SIMD=AD_SIMD_AVX512" "" "$libs"
      arm=aarch64-linux-gnu-gcc
      if have $arm && have qemu-aarch64-static && try "$cmocka" $arm -x c - -x none -o "$probe" -lcmocka && qemu-aarch64-static "$probe" >/dev/null 2>&1; then
        backend neon $arm "" "$no_sleef -DAD_EXPECTED_SIMD=AD_SIMD_NEON" qemu-aarch64-static "$(sleef_libs $arm)"
      fi
    elif [ "$arch" = aarch64 ]; then
      native=neon && backend neon "$CC" "$cxx" "$no_sleef -DAD_EXPECTED_SIMD=AD_SIMD_NEON" "" "$libs"
    fi
    if [ "$libs" != "-lm" ]; then
      backend scalar-libm "$CC" "" "-DAD_SIMD=AD_SIMD_SCALAR -DAD_NO_SLEEF" "" -lm
      case $native in
      avx2) backend avx2-libm "$CC" "" "$avx2 -DAD_NO_SLEEF" "" -lm ;;
      avx512) backend avx512-libm "$CC" "" "$avx512 -DAD_NO_SLEEF" "" -lm ;;
      neon) backend neon-libm "$CC" "" -DAD_NO_SLEEF "" -lm ;;
      esac
    fi
  fi
  echo "BACKENDS =$backends"
  echo "OPT_${native:-scalar} = -O1"
  echo "LIBS = $libs"
  native_flag=
  try 'int main(void) { return 0; }' $CC -march=native -x c - -o "$probe" && native_flag=-march=native
  echo "FLAGS_native = $native_flag $no_sleef"
  variants="novec scalar"
  printf 'BENCH_FLAGS_novec = %s -DAD_SIMD=AD_SIMD_SCALAR -fno-tree-vectorize -fno-tree-slp-vectorize\n' "$native_flag $no_sleef"
  printf 'BENCH_FLAGS_scalar = %s -DAD_SIMD=AD_SIMD_SCALAR\n' "$native_flag $no_sleef"
  if [ "$arch" = x86_64 ]; then
    cpu avx2 fma && variants="$variants avx2" && echo "BENCH_FLAGS_avx2 = $native_flag -mno-avx512f $no_sleef -DAD_SIMD=AD_SIMD_AVX2"
    cpu avx512f avx512dq avx512vl avx512bw && variants="$variants avx512" && echo "BENCH_FLAGS_avx512 = $native_flag $no_sleef"
  elif [ "$arch" = aarch64 ]; then
    variants="$variants neon" && echo "BENCH_FLAGS_neon = $native_flag $no_sleef"
  fi
  echo "BENCH_VARIANTS = $variants"
} >"$out.new"
rm -f "$probe"

why="no <sleef.h> and -lsleef"
[ -z "${AD_NO_SLEEF:-}" ] || why="AD_NO_SLEEF is set"
case $libs in -lm) without SLEEF "$why: math from libm" ;; esac
case $goals in
*" test "*)
  [ -n "$test_cmocka" ] || without "every C test" "no cmocka"
  [ -n "$cxx" ] || without "C++ tests" "no $CXX"
  if [ "$arch" = x86_64 ]; then
    grep -q '^CC_avx2 ' "$out.new" || without "the AVX2 run" "this processor lacks it"
    grep -q '^CC_avx512 ' "$out.new" || without "the AVX-512 run" "this processor lacks it"
    grep -q '^CC_neon ' "$out.new" || without "the NEON run" "needs aarch64-linux-gnu-gcc, qemu-aarch64-static and cmocka for arm64"
  fi
  ;;
esac
if cmp -s "$out.new" "$out"; then rm "$out.new"; else mv "$out.new" "$out"; fi
