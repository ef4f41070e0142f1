#!/bin/sh
# docs/OPERATIONS.md and docs/REFERENCE.md are what make docs writes from the headers.
. tests/check.sh

check "the documents are up to date (make docs)" scripts/docs.sh --check
finish
