#!/bin/sh
# make install puts the two headers and ad.pc where PREFIX and DESTDIR say, and a program finds them through pkg-config.
. tests/check.sh

install() { AD_CONFIGURED= make --no-print-directory install B="$dir/build" PREFIX="$dir/usr" >/dev/null; }
check "make install" install
check "ad.h is installed" cmp ad.h "$dir/usr/include/ad.h"
check "ad_simd.h is installed" cmp ad_simd.h "$dir/usr/include/ad_simd.h"
staged() { AD_CONFIGURED= make --no-print-directory install B="$dir/build" PREFIX=/usr DESTDIR="$dir/stage" >/dev/null && [ -f "$dir/stage/usr/include/ad.h" ] && grep -q '^prefix=/usr$' "$dir/stage/usr/lib/pkgconfig/ad.pc"; }
check "DESTDIR stages" staged
if have pkg-config; then
  printf '#define AD_IMPLEMENTATION\n#include <ad.h>\n#include <ad_simd.h>\nint main(void) { return ad_v64_sum(ad_v64_exp(ad_v64_k(0))) < 1; }\n' >"$dir/program.c"
  use() { PKG_CONFIG_PATH="$dir/usr/lib/pkgconfig" && export PKG_CONFIG_PATH && $CC ${AD_NO_SLEEF:+-DAD_NO_SLEEF} "$dir/program.c" -o "$dir/program" $(pkg-config --cflags --libs ad) && "$dir/program"; }
  check "a program compiles with pkg-config" use
  version() { PKG_CONFIG_PATH="$dir/usr/lib/pkgconfig" pkg-config --modversion ad | grep -q '^[0-9]'; }
  check "pkg-config knows the version" version
else
  skip "pkg-config" "not installed"
fi
finish
