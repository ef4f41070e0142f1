#!/bin/sh
# matrix.sh MAKE: runs the tests under one configuration after another, a line for each; the logs stay in build/matrix/.
status=0
here=$(sed -n 's/^BACKENDS *= *//p' build/config.mk)
x86=$(printf '%s\n' $here | grep -v -e neon -e libm | tr '\n' ' ')
row() { # NAME BACKENDS VARIABLES...
  name=$1 backends=$2
  shift 2
  mkdir -p "build/matrix/$name"
  if AD_CONFIGURED= $make test B="build/matrix/$name" BACKENDS="$backends" CHECKS= "$@" >"build/matrix/$name/log" 2>&1; then result=ok; else result=FAILED && status=1; fi
  printf '%-6s  %-28s %-24s %s\n' "$result" "$name" "$(tail -n 1 "build/matrix/$name/log")" "$backends"
}
make=$1
for compiler in gcc clang; do
  command -v $compiler >/dev/null 2>&1 || { echo "left out: $compiler (not installed)" && continue; }
  case $compiler in gcc) cxx=g++ ;; clang) cxx=clang++ ;; esac
  for std in c11 gnu11 c17 c2x; do
    cxxstd=c++17
    [ $std = gnu11 ] && cxxstd=gnu++17
    [ $std = c2x ] && cxxstd=c++20
    row $compiler-$std "$x86" CC=$compiler CXX=$cxx CSTD="-std=$std -D_GNU_SOURCE" CXXSTD="-std=$cxxstd -D_GNU_SOURCE"
  done
  for opt in -O0 -O2 -O3 -Os "-O2 -ffp-contract=off" "-O2 -fno-strict-aliasing" "-O2 -flto" "-O2 -march=native"; do
    row "$compiler$(echo "$opt" | tr -d ' ')" "$x86" CC=$compiler CXX=$cxx OPT="$opt"
  done
done
case " $here " in *" neon "*)
  for opt in -O0 -O2 -O3; do row "neon$opt" neon OPT="$opt"; done
  row neon-gnu11 neon CSTD="-std=gnu11 -D_GNU_SOURCE"
  ;;
esac
# other architectures, on the scalar backend, where a cross compiler, an emulator and cmocka are installed. i686 computes in x87's 80 bits
# (FLT_EVAL_METHOD 2), s390x in ISO C in double (1): there the tests assert bounds where elsewhere they assert bits
for pair in i686:i386 i686-sse2:i386 arm-linux-gnueabihf:arm s390x:s390x powerpc64le:ppc64le riscv64:riscv64 mips64el:mips64el; do
  name=${pair%%:*} emulator=qemu-${pair#*:}-static flags=
  triple=${name%-sse2}
  case $name in i686) flags="-mfpmath=387" ;; i686-sse2) flags="-msse2 -mfpmath=sse" ;; esac
  case $triple in arm-*) ;; mips64el) triple=mips64el-linux-gnuabi64 ;; *) triple=$triple-linux-gnu ;; esac
  if command -v $triple-gcc >/dev/null 2>&1 && command -v $emulator >/dev/null 2>&1 && echo | $triple-gcc -x c - -shared -lcmocka -o /dev/null 2>/dev/null; then
    row $name scalar CC_scalar=$triple-gcc CXX_scalar= RUN_scalar=$emulator FLAGS_scalar="$flags -DAD_SIMD=AD_SIMD_SCALAR -DAD_NO_SLEEF" LIBS_scalar=-lm
  else
    echo "left out: $name (needs $triple-gcc, $emulator and cmocka for it)"
  fi
done
exit $status
