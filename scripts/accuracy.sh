#!/bin/sh
# accuracy.sh PROGRAM...: runs the programs tests/accuracy_*.c, which print their tables, and collects them in docs/ACCURACY.md.
# Limits that are exceeded go to stderr and make the exit status 1. ACCURACY_POINTS (2000), DAG_GRAPHS (100000), F32_STEP (1021) set how
# long it looks: 1000000 points (5 to 60 s a row, half an hour in all) and step 1 (half a minute a row) are for releases.
[ $# != 0 ] || { echo "there is no program tests/accuracy_*.c"; exit 1; }
status=0
mkdir -p docs
{
  cat <<'TEXT'
# Accuracy

Largest errors measured, in units of the last place (ULP); made by `make accuracy`. On AVX2, AVX-512, NEON and the scalar backend with
fma the results are the same bits, so one column stands for all (v64, v32: registers of double and float, with SLEEF). f64 and f32 are
the scalar systems, whose elementary functions are those of the machine's libm. Limits are in `tests/accuracy_ops_limits.h` and
`tests/f32.h`; a row over its limit makes `make accuracy` fail, and `make test` asserts those of float over 2^22 numbers a row.

Near a root in the middle of a domain (silu' at -1.28, gelu' at -0.75, 1 + log x at 1/e) no formula in x keeps relative accuracy: there errors count in
units of the row's floor. Partials made of a subnormal value are not counted.

With `-DAD_SIMD_ULP=35` registers use SLEEF's faster functions where it has them (exp2, exp10, log, log2, sin, cos, tan, asin, acos, atan,
tanh, cbrt, atan2, sinh, cosh, hypot): values of these words are within 3.5 ULP instead of 1.1 (over floats tan is the worst, 3.14), rows made
of them within 6.4 (logcosh), derivatives within 5 (cbrt 4.97, tan 4.86). The tables, limits and stored bits are those of the default, 10.

Promises are for rounding to nearest. In the other modes rows in their domain stay within 256 ULP with libm; with SLEEF 3.5.1 within 123 ULP
on AVX-512 and 22 on NEON, but cbrt can be off by a factor of 2 and on AVX2 sin and cos by 1e-8 (tests/test_environment.c); `ad_selfcheck`
names the mode.

The largest run so far looked at a million points of double a row, at 20000 of them for derivatives, and at all within 4096 ULP of 48
special points (`build/native/accuracy_ops 1000000 exp log`), for all rows but tetragamma and polygamma, whose judges take minutes. Values of
SLEEF's words over doubles are within 1.0 ULP there, erfc within 1.13. More than 2000 points find: silu 2.9, mish 4.0, logcosh 3.4 and mish_gate_slope 6.8,
whose limits follow; and second derivatives of powi of which x^(n-2) is subnormal. Over all 2^32 floats exp and its derivative are within 0.99 (`build/native/accuracy_f32 1 exp`).
TEXT
  for program; do
    arguments=
    case $program in
    *accuracy_ops) arguments=${ACCURACY_POINTS:-2000} ;;
    *accuracy_dag) arguments=${DAG_GRAPHS:-100000} ;;
    *accuracy_f32) arguments=${F32_STEP:-1021} ;;
    esac
    echo
    "$program" $arguments || status=1
  done
} > docs/ACCURACY.md
cat docs/ACCURACY.md
exit $status
