#!/bin/sh
# accuracy.sh PROGRAM...: runs the programs tests/accuracy_*.c, which print their tables, and collects them in docs/ACCURACY.md.
# Limits that are exceeded go to stderr and make the exit status 1.
[ $# != 0 ] || { echo "there is no program tests/accuracy_*.c"; exit 1; }
status=0
mkdir -p docs
{
  cat <<'TEXT'
# Accuracy

Largest errors measured, in units of the last place (ULP); made by `make accuracy`. On AVX2, AVX-512, NEON and the scalar backend with
fma the results are the same bits, so one column stands for all (v64, v32: registers of double and float, with SLEEF). f64 and f32 are
the scalar systems, whose elementary functions are those of the machine's libm. Limits are in the programs, `tests/accuracy_*.c`.

Near a root in the middle of a domain (silu' at -1.28, gelu' at -0.75) no formula in x keeps relative accuracy: there errors count in
units of the row's floor. Partials made of a subnormal value are not counted.
TEXT
  for program; do echo; "$program" || status=1; done
} > docs/ACCURACY.md
cat docs/ACCURACY.md
exit $status
