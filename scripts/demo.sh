#!/bin/sh
# demo.sh PROGRAM...: runs the examples one after the other, the Jacobian also on every file of bundle adjustment in AD_DATA.
status=0
for program; do
  echo "== $program"
  "$program" || status=1
  case $program in
  */02_jacobian)
    for file in "$AD_DATA"/adbench/ba*.txt; do
      [ -f "$file" ] || { echo "== no $AD_DATA/adbench/ba*.txt: only the program's own input was used" && continue; }
      echo "== $program $file"
      "$program" "$file" || status=1
    done
    ;;
  */11_network | */12_convolution)
    m=$AD_DATA/mnist
    if [ -f "$m/t10k-labels-idx1-ubyte.gz" ]; then
      echo "== $program on $m"
      "$program" "$m"/train10k-images-idx3-ubyte.gz "$m"/train10k-labels-idx1-ubyte.gz "$m"/t10k-images-idx3-ubyte.gz "$m"/t10k-labels-idx1-ubyte.gz || status=1
    else
      echo "== no $m: only the program's own digits were used"
    fi
    ;;
  esac
done
[ $# != 0 ] || echo "no example yet"
exit $status
