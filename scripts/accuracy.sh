#!/bin/sh
# accuracy.sh PROGRAM...: runs the programs tests/accuracy_*.c, which print their tables.
status=0
for program; do "$program" || status=1; done
[ $# != 0 ] || echo "there is no program tests/accuracy_*.c"
exit $status
