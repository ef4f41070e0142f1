#!/bin/sh
# docs.sh: writes docs/OPERATIONS.md (the table of operations) and docs/REFERENCE.md (public functions with their comments) from the headers.
# docs.sh --check: says whether they are up to date.
set -eu
cd "$(dirname "$0")/.."
out=docs
if [ "${1:-}" = --check ]; then out=$(mktemp -d); trap 'rm -rf "$out"' EXIT; fi
mkdir -p build "$out"

"${CC:-cc}" -std=c11 -DAD_NO_SLEEF -I. scripts/operations.c -o build/operations -lm
{
  cat <<'END'
# Operations

Written by `make docs` from the table in `ad.h` (>>ops). Each works on `double`, duals, tape scalars and tensors as `ad_NAME`.
x, y, z are the operands, v is the value; formulas are in the words of a number system (`fma(a, b, c)` is a b + c, `select(m, a, b)` is a where
m holds, else b, `number(a, b)` is b, or NaN where a is NaN, `k` makes a constant). *A word* comes from the instruction set, SLEEF or libm.
Errors in ULP are in [ACCURACY.md](ACCURACY.md).

END
  build/operations
} >"$out/OPERATIONS.md"

# A declaration is public when its name has no double underscore; the comment right above it and the one behind it belong to it.
reference() {
  awk '
    function named(s) {   # the templates of ad_simd.h read for double
      while (match(s, /AD_SW\([a-z0-9_]*\)/)) s = substr(s, 1, RSTART - 1) "ad_f64_" substr(s, RSTART + 6, RLENGTH - 7) substr(s, RSTART + RLENGTH)
      gsub(/AD_S /, "double ", s)
      gsub(/AD_N /, "ad_v64 ", s)
      return s
    }
    function emit() {
      sub(/[ \n]*\{.*$/, ";", line)
      sub(/^AD_[A-Z]+ /, "", line)
      line = named(line)
      declared = line
      sub(/;.*$/, "", declared)               # without the comment behind it
      if (declared !~ /__|AD_|=|_polygamma/ && !seen[line]++) {
        if (!open) printf "### %s\n\n```c\n", section
        open = 1
        if (comment != "") print named(comment)
        print line
      }
      comment = ""
    }
    function finish() { if (open) print "```\n"; open = 0 }
    /#endif \/\* AD_H \*\// { exit }
    /^\/\* >>/ { finish(); section = $2; sub(/^>>/, "", section); comment = ""; next }
    /^#if defined\(AD__TEMPLATE\)/ { finish(); section = tolower($NF); sub(/ad__/, "", section); sub(/array_loops/, "arrays", section); next }
    /^\/\*/ { comment = $0; inside = !/\*\//; next }
    inside { comment = comment "\n" $0; if (/\*\//) inside = 0; next }
    more { line = line "\n" $0; if (/[;{]/) { more = 0; emit() } next }
    /^AD_(API|LOCAL|INLINE) [^=]*([ *]ad_[a-z0-9][a-z0-9_]*|AD_SW\([a-z][a-z0-9_]*\))\(/ && !/AD__COLD|ad_v(32|64)_/ {
      line = $0; if (/[;{]/) emit(); else more = 1; next }
    { comment = "" }
    END { finish() }' "$1"
}
{
  printf '# Reference\n\nWritten by `make docs`: the public functions of each section of the headers, with their comments. Operations of the table\n'
  printf '(`ad_add`, `ad_sin`, ...) are in [OPERATIONS.md](OPERATIONS.md); types and macros are in the headers. Functions of `ad_simd.h` over arrays exist for float too, as `ad_f32_...`.\n\n## ad.h\n\n'
  reference ad.h
  printf '## ad_simd.h\n\n'
  reference ad_simd.h
} >"$out/REFERENCE.md"

if [ "$out" != docs ]; then
  for f in OPERATIONS.md REFERENCE.md; do cmp -s "docs/$f" "$out/$f" || { echo "docs/$f is not what the headers say: make docs"; exit 1; }; done
fi
