#!/bin/sh
# have-peer.sh FILE: is the header of the FILE's line  NEEDS: HEADER PACKAGE  here? If not, says what to install and fails. Of each
# line  WITH: HEADER PACKAGE...  the file goes without what is not here, and that is said too.
has() { echo "#include <$1>" | ${CXX:-c++} -std=c++17 ${PEER_INCLUDES:-} -E -x c++ - >/dev/null 2>&1; }
sed -n 's/.*\(NEEDS\|WITH\): *//p' "$1" | {
  first=yes
  while read -r header packages; do
    if ! has "$header"; then
      [ $first ] && echo "left out: $1 (needs <$header>; apt-get install $packages)" && exit 1
      echo "left out of $1: <$header> (apt-get install $packages)"
    fi
    first=
  done
  exit 0
}
