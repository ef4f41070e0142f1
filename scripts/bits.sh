#!/bin/sh
# bits.sh MAKE: the hashes of tests/test_bits.c over BITS_POINTS (1e6) outputs of every row, from every backend with fma: one line each, and
# the exit status 1 where two differ.
points=${BITS_POINTS:-1000000} status=0 first=
mkdir -p build/bits
if [ -f "$AD_DATA/mnist/train10k-images-idx3-ubyte.gz" ]; then          # MNIST: 500 steps of a network, the final weights
  gzip -dc "$AD_DATA/mnist/train10k-images-idx3-ubyte.gz" >build/bits/images && gzip -dc "$AD_DATA/mnist/train10k-labels-idx1-ubyte.gz" >build/bits/labels
  export AD_BITS_DIGITS=build/bits
else echo "left out: training on MNIST (not in AD_DATA)"
fi
$1 $(for b in avx2 avx512 neon; do grep -q "^CC_$b " build/config.mk && echo build/$b/test_bits; done) || exit 1
cc=${CC:-cc}
if grep -qw -m1 fma /proc/cpuinfo 2>/dev/null; then
  mkdir -p build/scalar-fma
  $cc -std=c11 -D_GNU_SOURCE -w -O1 -mfma -DAD_SIMD=1 -I. tests/test_bits.c tests/implementation.c -o build/scalar-fma/test_bits -lcmocka -lsleef -lm || exit 1
fi
for b in scalar-fma avx2 avx512 neon; do
  [ -x build/$b/test_bits ] || { echo "left out: $b" && continue; }
  run=$(sed -n "s/^RUN_$b = *//p" build/config.mk)
  AD_PRINT_BITS=1 AD_BITS_POINTS=$points $run build/$b/test_bits 2>/dev/null | grep UINT64 >build/bits/$b
  [ -n "$first" ] || first=$b
  if cmp -s build/bits/$first build/bits/$b; then same="the same as $first"; else same="OTHER than $first" && status=1; fi
  echo "$b: $(wc -l <build/bits/$b) hashes over $points points, $same"
done
exit $status
