#!/bin/sh
# docs/OPERATIONS.md and docs/REFERENCE.md are what make docs writes from the headers.
. tests/check.sh

every_function_is_there() {
  missing=
  for f in $(sed -n 's/^AD_API [^(=]*[ *]\(ad_[a-z0-9][a-z0-9_]*\)(.*/\1/p' ad.h | grep -v __ | sort -u); do
    grep -q "[ *]$f(" docs/REFERENCE.md || missing="$missing $f"
  done
  [ -z "$missing" ] || { echo "not in docs/REFERENCE.md:$missing"; return 1; }
}
check "the documents are up to date (make docs)" scripts/docs.sh --check
check "every public function is in docs/REFERENCE.md" every_function_is_there
finish
