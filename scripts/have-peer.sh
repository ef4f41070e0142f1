#!/bin/sh
# have-peer.sh FILE: is the header of the FILE's line  NEEDS: HEADER PACKAGE  here? If not, says what to install.
needs=$(sed -n 's/.*NEEDS: *//p' "$1" | head -n 1)
header=${needs%% *}
[ -z "$header" ] && exit 0
echo "#include <$header>" | ${CXX:-c++} -std=c++17 -isystem /usr/include/eigen3 -E -x c++ - >/dev/null 2>&1 && exit 0
package=${needs#* }
echo "left out: $1 (needs <$header>; apt-get install ${package%% *})"
exit 1
