# Read by the checks tests/check_*.sh: runs commands as named tests and reports in the words of cmocka, which summary.sh adds up.
set -u
: "${CC:=cc}" "${CXX:=c++}"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
check_passed=0 check_failed=0 check_skipped=0

# check NAME COMMAND...: the test NAME passes if COMMAND succeeds; its output is shown if it does not
check() {
  check_name=$1
  shift
  if "$@" >"$dir/check.out" 2>&1; then
    echo "[       OK ] $check_name"
    check_passed=$((check_passed + 1))
  else
    head -n 30 "$dir/check.out"
    echo "[  FAILED  ] $check_name"
    check_failed=$((check_failed + 1))
  fi
}
# skip NAME WHY
skip() {
  echo "[  SKIPPED ] $1: $2"
  check_skipped=$((check_skipped + 1))
}
finish() {
  [ $check_skipped = 0 ] || echo "[  SKIPPED ] $check_skipped test(s)."
  [ $check_passed = 0 ] || echo "[  PASSED  ] $check_passed test(s)."
  [ $check_failed = 0 ] || echo "[  FAILED  ] $check_failed test(s)."
  [ $check_failed = 0 ]
}
have() { command -v "$1" >/dev/null 2>&1; }
# builds COMPILER FLAGS...: does the compiler take the flags?
builds() { echo 'int main(void) { return 0; }' | "$@" -x c -o "$dir/builds" - >/dev/null 2>&1; }
