# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# For the tests of the checks: each breaks a copy of the tree once and sees what the check says of it. A check that cannot fail proves nothing.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
failures=0
tried=0

# A copy of these files and folders of the tree, at $temp/tree.
copy_tree() {
	mkdir "$temp/tree"
	(cd "$root" && cp -R --parents "$@" "$temp/tree")
	tree=$temp/tree
}

fail() {
	echo "FAILED: $*"
	failures=$((failures + 1))
}

# expect_same WHAT WANTED GOT
expect_same() {
	tried=$((tried + 1))
	[ "$2" = "$3" ] || fail "$1: wanted \"$2\", got \"$3\""
}

# expect_words WHAT WORDS TEXT: exactly one line, and WORDS in it
expect_words() {
	tried=$((tried + 1))
	[ "$(grep -c . <<<"$3")" -eq 1 ] && grep -qF -- "$2" <<<"$3" || fail "$1: wanted one line with \"$2\", got \"$3\""
}

finish() {
	echo "$(basename "$0"): $tried tried, $failures failed"
	[ "$failures" -eq 0 ] && [ "$tried" -gt 0 ]
}
