#!/bin/sh
# bits.sh MAKE: the hashes of tests/test_bits.c over BITS_POINTS (1e6) points of every row, and of the weights after 500 steps of training
# on MNIST, from every backend with fma: a line for each, and the exit status 1 where two differ. BITS_PART=2/8 does the second of eight
# parts of the rows only. NEON under qemu takes half an hour, the others 10 minutes together.
points=${BITS_POINTS:-1000000} status=0 first=
export AD_BITS_PART=${BITS_PART:-1/1}
mkdir -p build/bits
if [ -f "$AD_DATA/mnist/train10k-images-idx3-ubyte.gz" ]; then
  gzip -dc "$AD_DATA/mnist/train10k-images-idx3-ubyte.gz" >build/bits/images && gzip -dc "$AD_DATA/mnist/train10k-labels-idx1-ubyte.gz" >build/bits/labels
  export AD_BITS_DIGITS=build/bits
else echo "left out: training on MNIST (not in AD_DATA)"
fi
$1 $(for b in avx2 avx512 neon; do grep -q "^CC_$b " build/config.mk && echo build/$b/test_bits; done) || exit 1
if grep -qw -m1 fma /proc/cpuinfo 2>/dev/null; then
  AD_CONFIGURED= $1 B=build/scalar-fma BACKENDS=scalar OPT=-O1 FLAGS_scalar="-mfma -DAD_SIMD=AD_SIMD_SCALAR" build/scalar-fma/scalar/test_bits || exit 1
fi
for b in scalar-fma/scalar avx2 avx512 neon; do
  [ -x build/$b/test_bits ] || { echo "left out: $b" && continue; }
  name=${b%/*}
  run=$(sed -n "s/^RUN_$name = *//p" build/config.mk)
  out=build/bits/$name.$(echo "$AD_BITS_PART" | tr / -)
  AD_PRINT_BITS=1 AD_BITS_POINTS=$points $run build/$b/test_bits 2>/dev/null | grep UINT64 >$out
  [ -n "$first" ] || first=$out
  if [ -s $out ] && cmp -s $first $out; then same="the same as ${first##*/}"; else same="OTHER than ${first##*/}" && status=1; fi
  echo "$name: $(wc -l <$out) hashes over $points points (part $AD_BITS_PART), $same"
done
exit $status
