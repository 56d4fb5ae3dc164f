# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What the benchmarks share. Sourced. Figures go to $FIGURES, one "name value" a line; tests/bench/run makes the JSON of them.
#
# On a machine with two cores or more the server has the first one for itself and everything else the second: what is measured then
# is the server, as long as it is the busier of the two. The core's use is measured too.
# SPREAD=1: no such thing.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"

FIGURES=${FIGURES:-/dev/null}
if [ "$(nproc)" -ge 2 ] && [ -z "${SPREAD:-}" ]; then
	RADIUS_WRAPPER="taskset -c 0"
	taskset -pc 1 $$ > /dev/null
fi

figure() { # NAME VALUE
	printf '%s %s\n' "$1" "$2" >> "$FIGURES"
}

calculate() { # EXPRESSION [FORMAT]
	awk "BEGIN { printf \"${2:-%.2f}\", $1 }"
}

# COUNT devices that everybody knows: $LAB/NAME/NAME-n.pem and .key, as the driver wants them.
bench_crowd() { # NAME COUNT
	mkdir -p "$LAB/$1"
	for i in $(seq -w "$2"); do
		pki_idevid acme "$1-$i"
		lab_masa_device "$1-$i"
		mv "$PKI/idevid-$1-$i.pem" "$LAB/$1/$1-$i.pem"
		mv "$PKI/idevid-$1-$i.key" "$LAB/$1/$1-$i.key"
		echo "$1-$i"
	done | brskictl device add acme --file - > /dev/null
}

# The driver with a crowd; their state is fresh with every STATE.
bench_drive() { # NAME STATE [options of radius-pledge]
	local name=$1 state=$2
	shift 2
	"$BUILD/tests/radius-pledge" --server "127.0.0.1:$RADIUS_PORT" --secret testing123 --idevid-dir "$LAB/$name" \
		--state-dir "$LAB/$state" --masa-ca "$PKI/acme-ca.pem" --summary "$LAB/$state.json" --timeout 1000 "$@" \
		> "$LAB/$state.log" 2>&1
}

# Processor time that a process has had, in ticks.
bench_ticks() { # NAME
	awk '{ print $14 + $15 }' "/proc/${LAB_PID[$1]}/stat"
}
