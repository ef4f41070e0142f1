#!/bin/sh
# The bits that AVX2, AVX-512 and NEON give are those of the scalar backend too, where the processor has fma: the test of the
# table and its stored bits, and the test of bits, once more in that configuration, which is none of the backends of `make test`.
. tests/check.sh
name="bits of the scalar backend with fma"
if [ -n "${AD_NO_SLEEF:-}" ] || ! echo '#include <sleef.h>' | $CC -E -x c - >/dev/null 2>&1; then skip "$name" "no SLEEF"
elif ! grep -q ' fma ' /proc/cpuinfo 2>/dev/null; then skip "$name" "this processor has no fma"
else
  check "$name: builds" $CC -std=c11 -D_GNU_SOURCE -O1 -w -mfma -DAD_SIMD=1 -I. tests/test_ops.c -o "$dir/bits" -lcmocka -lsleef -lm
  check "$name" "$dir/bits"
  flags="-std=c11 -D_GNU_SOURCE -w -mfma -DAD_SIMD=1 -I."
  check "$name: engines build" $CC $flags -O0 tests/test_bits.c tests/implementation.c -o "$dir/engines" -lcmocka -lsleef -lm
  check "$name: engines" "$dir/engines"
fi
finish
