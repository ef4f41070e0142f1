#!/bin/sh
# deps.sh GOAL...: installs with apt what the goals need and this machine lacks. Does nothing, and asks no network, where all
# is there. Where it cannot install it says what to install and returns 0: the goals go on with what is there.
set -u
: "${CC:=cc}" "${CXX:=c++}"
have() { command -v "$1" >/dev/null 2>&1; }
links() { # COMPILER LIBRARY HEADER
  printf '#include <stdarg.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <setjmp.h>\n#include <%s>\nint main(void) { return 0; }\n' "$3" |
    $1 -x c - -x none -o /dev/null "$2" >/dev/null 2>&1
}
need= foreign=
want() { need="$need $1"; }
x86=
[ "$(uname -m)" = x86_64 ] && x86=yes

for goal; do
  case $goal in
  demo | test | bench) [ -n "${AD_NO_SLEEF:-}" ] || links "$CC" -lsleef sleef.h || want libsleef-dev ;;
  esac
  case $goal in
  demo | test) links "$CC" -lz zlib.h || want zlib1g-dev ;;
  esac
  case $goal in
  test)
    links "$CC" -lcmocka cmocka.h || want libcmocka-dev
    have "$CXX" || want g++
    have pkg-config || want pkg-config
    if [ -n "$x86" ]; then
      arm=aarch64-linux-gnu-gcc
      have $arm || want "gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
      have qemu-aarch64-static || want qemu-user-static
      { have $arm && links $arm -lcmocka cmocka.h; } || foreign="$foreign libcmocka-dev:arm64"
      [ -n "${AD_NO_SLEEF:-}" ] || { have $arm && links $arm -lsleef sleef.h; } || foreign="$foreign libsleef-dev:arm64"
    fi
    ;;
  bench)
    have gnuplot || want gnuplot-nox
    printf '#include <benchmark/benchmark.h>\nint main() { return 0; }\n' | $CXX -x c++ - -x none -o /dev/null -lbenchmark >/dev/null 2>&1 || want libbenchmark-dev
    have "$CXX" || want g++
    ;;
  esac
done
# each once
need=$(printf '%s\n' $need | sort -u | tr '\n' ' ')
foreign=$(printf '%s\n' $foreign | sort -u | tr '\n' ' ')
[ -n "${need% }${foreign% }" ] || exit 0

cannot() {
  echo "deps: $1; to have all parts, run as root:"
  [ -z "${foreign% }" ] || echo "  dpkg --add-architecture arm64"
  echo "  apt-get update && apt-get install --no-install-recommends $need$foreign"
  exit 0
}
have apt-get && have dpkg || cannot "no apt on this machine"
[ "$(id -u)" = 0 ] || cannot "not root"

echo "deps: installing $need$foreign"
log=$(mktemp) && trap 'rm -f "$log"' EXIT
apt() { DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" >"$log" 2>&1 || { echo "deps: apt-get $* failed:" && tail -n 15 "$log" && return 1; }; }
if [ -n "${foreign% }" ] && ! dpkg --print-foreign-architectures | grep -qx arm64; then
  dpkg --add-architecture arm64 || cannot "dpkg --add-architecture failed"
fi
apt update || cannot "the package lists could not be fetched"
[ -z "${need% }" ] || apt install --no-install-recommends $need || cannot "the packages could not be installed"
[ -z "${foreign% }" ] || apt install --no-install-recommends $foreign || cannot "the packages for arm64 could not be installed"
