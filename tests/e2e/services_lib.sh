# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What the tests of brski-ca and brski-masa share: a folder, daemons on ports of their own, "ok" and "not ok". Sourced; no root needed.

# shellcheck source=tests/lab/ports.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lab/ports.sh"
BUILD=$(realpath -m "${BUILD:-$(dirname "${BASH_SOURCE[0]}")/../../build}")
export no_proxy='*' NO_PROXY='*'
PASSED=0
FAILED=0
declare -A PID=() PORTS=()

ok() {
	PASSED=$((PASSED + 1))
	echo "ok - $*"
}

not_ok() {
	FAILED=$((FAILED + 1))
	echo "not ok - $*"
}

check() { # DESCRIPTION COMMAND...
	local what=$1
	shift
	if "$@" > "$T/out" 2>&1; then ok "$what"; else
		not_ok "$what"
		tail -n 5 "$T/out" | sed 's/^/#   /'
	fi
}

fails() { # COMMAND...
	! "$@"
}

begin() {
	T=$(mktemp -d "${TMPDIR:-/tmp}/brski-services.XXXXXX")
	trap end EXIT
	trap 'exit 130' INT TERM
}

end() {
	local status=$?
	trap - EXIT
	for name in "${!PID[@]}"; do kill "${PID[$name]}" 2> /dev/null || true; done
	wait
	rm -rf "$T"
	exit "$status"
}

finish() {
	echo "$(basename "$0"): $PASSED passed, $FAILED failed"
	[ "$FAILED" -eq 0 ] && [ "$PASSED" -gt 0 ]
	exit
}

# Starts a daemon at the port of this name, which PORT gets. Its log is $T/NAME.log.
start() { # NAME PROGRAM [OPTIONS] serve
	local name=$1
	shift
	[ -n "${PORTS[$name]:-}" ] || lab_port "PORTS[$name]"
	PORT=${PORTS[$name]}
	: > "$T/$name.log"
	"$@" --listen "127.0.0.1:$PORT" --log "$T/$name.log" &
	PID[$name]=$!
	for _ in $(seq 500); do
		! grep -q "listening on https*://127.0.0.1:$PORT" "$T/$name.log" || return 0
		kill -0 "${PID[$name]}" 2> /dev/null || break
		sleep 0.02
	done
	echo "$name did not start:" >&2
	cat "$T/$name.log" >&2
	exit 1
}

# The daemon ends by itself, with status 0, when it is told to.
stop() { # NAME
	kill "${PID[$1]}"
	wait "${PID[$1]}" || return 1
	unset "PID[$1]"
}

# As if the power failed.
crash() { # NAME
	kill -KILL "${PID[$1]}"
	wait "${PID[$1]}" 2> /dev/null || true
	unset "PID[$1]"
}
