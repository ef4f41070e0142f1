#!/bin/sh
# sanitize.sh MAKE: the tests of the backends of this processor under ASan and UBSan, those that use threads under TSan, functions with OpenMP.
status=0
inline="-DAD_INLINE='static inline __attribute__((unused))'" # all words inlined into all others, with checks, would compile for many minutes
backends=$(sed -n 's/^BACKENDS *= *//p' build/config.mk | tr ' ' '\n' | grep -v -e neon -e libm | tr '\n' ' ')
case $(uname -m) in aarch64) backends="scalar neon" ;; esac
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
echo "== address and undefined behaviour: $backends"
AD_CONFIGURED= $1 test B=build/asan BACKENDS="$backends" CHECKS= OPT="-O0 -g1 $inline -fsanitize=address,undefined -fno-sanitize-recover=all" WARN= || status=1
threaded=$(grep -l -e pthread.h -e threads.h tests/test_*.c tests/test_*.cc 2>/dev/null | tr '\n' ' ')
if [ -n "${threaded% }" ]; then
  echo "== threads: $threaded"
  AD_CONFIGURED= $1 test B=build/tsan BACKENDS="$backends" TESTS="$threaded" CHECKS= OPT="-O0 -g1 $inline -fsanitize=thread" WARN= || status=1
else
  echo "== threads: no test uses them"
fi
if echo 'int main(void) { return 0; }' | ${CC:-cc} -fopenmp -x c - -o build/asan/openmp 2>/dev/null; then
  echo "== OpenMP, address and undefined behaviour: many points on several threads"
  OMP_NUM_THREADS=3 AD_CONFIGURED= $1 test B=build/openmp BACKENDS="$backends" TESTS="tests/test_function.c tests/test_custom.c" CHECKS= WARN= \
    OPT="-O0 -g1 $inline -fopenmp -DAD_USE_OPENMP -fsanitize=address,undefined -fno-sanitize-recover=all" || status=1
else
  echo "== OpenMP: ${CC:-cc} has none"
fi
exit $status
