# Read by tests/check_headers_*.sh after check.sh: units that include the headers in different ways, and how to compile them.
warn="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wdouble-promotion -Wundef -Werror"
mkdir "$dir/unit"
echo '#include "ad_simd.h"' >"$dir/unit/ad_simd.c"
echo '#include "ad.h"' >"$dir/unit/ad.c"
printf '#define AD_IMPLEMENTATION\n#include "ad.h"\n' >"$dir/unit/implementation.c"
printf '#define AD_STATIC\n#include "ad.h"\n' >"$dir/unit/static.c"
printf '#include "ad.h"\n#include "ad_simd.h"\n#include "ad.h"\n#include "ad_simd.h"\n' >"$dir/unit/declarations_first.c"
printf '#include "ad_simd.h"\n#include "ad.h"\n#include "ad.h"\n#include "ad_simd.h"\n' >"$dir/unit/lanes_first.c"
printf '#include "ad.h"\n#include "ad_simd.h"\n#define AD_IMPLEMENTATION\n#include "ad.h"\n' >"$dir/unit/implementation_last.c"
printf '#define AD_SIMD_SCALARS_ONLY\n#include "ad_simd.h"\nad_f64 f(ad_f64 x);\nad_f64 f(ad_f64 x) { return ad_f64_add(x, x); }\n' >"$dir/unit/scalars_only.c"
cp tests/contract.c "$dir/unit/contract.c"
alone="ad_simd ad implementation"
orders="declarations_first lanes_first implementation_last scalars_only"

# compile COMPILER FLAGS -- UNIT...: each unit, syntax and warnings only
compile() {
  command=
  while [ "$1" != -- ]; do command="$command $1" && shift; done
  shift
  status=0
  for unit; do $command $warn -O1 -I. -fsyntax-only "$dir/unit/$unit.c" || status=1; done
  return $status
}
backends() { # COMPILER: flags of the backends that it can compile, one a line
  echo "-DAD_SIMD=AD_SIMD_SCALAR"
  for flags in "-mavx2 -mfma" "-mavx512f -mavx2 -mfma"; do
    builds $1 $flags && echo "$flags"
  done
}
seen=
new() { # COMPILER: is it here, and not one that was used already under another name?
  have ${1%% *} || { skip "compile with $1" "not installed" && return 1; }
  version=$($1 --version | sed '1!d; s/^[^ ]* //')
  case $seen in *"<$version>"*) return 1 ;; esac
  seen="$seen<$version>"
}
