#!/bin/sh
# bench.sh PROGRAM...: runs Google Benchmark programs one after the other on one core, keeps their JSON beside them, prints each as
# a table and draws it (where gnuplot is there). BENCH_FILTER is a regular expression of names; BENCH_TIME seconds per measurement.
# The median of three is taken. Two settings that would hold OpenBLAS back are removed.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
pin=
command -v taskset >/dev/null 2>&1 && taskset -c "$(($(nproc) - 1))" true 2>/dev/null && pin="taskset -c $(($(nproc) - 1))"
status=0
for program; do
  echo "== $program"
  $pin "$program" --benchmark_filter="${BENCH_FILTER:-.}" --benchmark_min_time="${BENCH_TIME:-0.03}" --benchmark_repetitions=3 \
    --benchmark_enable_random_interleaving=true --benchmark_display_aggregates_only=true \
    --benchmark_out_format=json --benchmark_out="$program.json" >"$program.out" 2>&1 || { cat "$program.out" && status=1 && continue; }
  awk -v data="$program.dat" -f scripts/bench.awk "$program.json" || status=1
  [ -s "$program.dat" ] && command -v gnuplot >/dev/null 2>&1 || continue
  gnuplot -e "data='$program.dat'; picture='$program.png'; what='$(basename "$program")'" scripts/bench.gnuplot && echo "picture: $program.png"
done
exit $status
