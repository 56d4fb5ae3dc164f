# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What the benchmarks share. Sourced. Figures go to $FIGURES, one "name value" a line; tests/bench/run makes the JSON of them.
#
# On a machine with two cores or more the server has the first one for itself and everything else the second: what is measured then
# is the server, as long as it is the busier of the two. The core's use is measured too.
# SPREAD=1: no such thing.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"
# shellcheck source=tests/e2e/load_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/load_lib.sh"

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

# ---- Logins of ordinary users ----

# Before lab_pki: the server's certificate is RSA-3072, as costly for it as such certificates often are, so that the client is not what is
# measured.
bench_user_key() {
	pki_key "$PKI/home-radius.key" RSA-3072
}

bench_logins_begin() {
	pki_user home alice
	printf '%-10s %12s %12s %12s %11s %14s %12s\n' "" "logins/s" "median ms" "95th ms" "server" "CPU ms/login" "gap ms"
}

# Logins at $PLACES places for a while, a line for people, and one in $LAB/COLUMN.rounds: logins a second, median, 95th percentile, use of the
# server's core in percent, processor milliseconds of the server for each, longest time without any.
bench_logins() { # COLUMN SECONDS
	local ticks n ms median p95 gap rate use cost
	ticks=$(bench_ticks radius)
	"$BUILD/tests/eap-tls-load" 127.0.0.1 "$RADIUS_PORT" testing123 "$PKI/user-alice.pem" "$PKI/user-alice.key" \
		"$PKI/home-ca.pem" "$2" "${PLACES:-4}" > "$LAB/load" || [ -s "$LAB/load" ] || lab_die "no logins"
	ticks=$(($(bench_ticks radius) - ticks))
	read -r n _ ms median p95 gap < "$LAB/load"
	rate=$(calculate "$n * 1000 / $ms")
	use=$(calculate "$ticks * 10 * 100 / $ms" %.0f)
	cost=$(calculate "$ticks * 10 / ($n > 0 ? $n : 1)")
	printf '%-10s %12s %12s %12s %10s%% %14s %12s\n' "$1" "$rate" "$median" "$p95" "$use" "$cost" "$gap"
	echo "$rate $median $p95 $use $cost $gap" >> "$LAB/$1.rounds"
}

bench_mean() { # COLUMN FIELD
	awk -v c="$2" '{ s += $c; n++ } END { printf "%.2f", s / n }' "$LAB/$1.rounds"
}

bench_most() { # COLUMN FIELD
	awk -v c="$2" '$c > m { m = $c } END { printf "%d", m }' "$LAB/$1.rounds"
}

bench_login_figures() { # BENCHMARK COLUMN
	figure "$1.$2.logins_per_second" "$(bench_mean "$2" 1)"
	figure "$1.$2.median_ms" "$(bench_mean "$2" 2)"
	figure "$1.$2.p95_ms" "$(bench_mean "$2" 3)"
	figure "$1.$2.server_core_percent" "$(bench_mean "$2" 4)"
	figure "$1.$2.cpu_ms_per_login" "$(bench_mean "$2" 5)"
	figure "$1.$2.longest_gap_ms" "$(bench_most "$2" 6)"
}

# FreeRADIUS's settings as Debian ships them, for lab_radius.
bench_debian_radius() {
	# shellcheck disable=SC2034
	RADIUS_MAX_REQUESTS=${RADIUS_MAX_REQUESTS:-16384} RADIUS_LOG_AUTH=no RADIUS_REJECT_DELAY=1 RADIUS_THREADS="start_servers = 5
		  max_servers = 32
		  min_spare_servers = 3
		  max_spare_servers = 10"
}

# A number that the driver's summary has under a name, of several the first.
bench_summary() { # FILE NAME
	grep -m1 "\"$2\":" "$1" | tr -dc 0-9
}

# Processor time that a process has had, in ticks.
bench_ticks() { # NAME
	awk '{ print $14 + $15 }' "/proc/${LAB_PID[$1]}/stat"
}

# How many requests for vouchers wait.
bench_waiting() {
	brskictl queue | grep -c '[[:space:]]voucher[[:space:]]' || true
}

# ---- brski-registrar ----

# It shares the server's core with FreeRADIUS.
bench_registrar() {
	if [ -n "${RADIUS_WRAPPER:-}" ]; then
		printf '#!/bin/sh\nexec taskset -c 0 "%s" "$@"\n' "$(realpath "$BUILD/brski-registrar")" > "$LAB/registrar"
		chmod 755 "$LAB/registrar"
		# shellcheck disable=SC2034 # for lab_registrar
		REGISTRAR_PROGRAM=$LAB/registrar
	fi
	lab_registrar
}

# The devices of a manufacturer in $LAB/NAME come to it, from many addresses. Their state is fresh with every STATE. Each has a thread, and many
# nice threads are together as much as one that is not: it is the session of the process that is nice to others here.
bench_drive_https() { # NAME STATE MANUFACTURER [options of https-pledge]
	local name=$1 state=$2 manufacturer=$3
	shift 3
	# shellcheck disable=SC2016 # for that shell
	setsid -w bash -c 'if [ "$0" != 0 ]; then echo "$0" > /proc/self/autogroup || true; fi; exec nice -n "$0" "$@"' "${NICE:-19}" \
		"$BUILD/tests/https-pledge" --server "127.0.0.1:$REGISTRAR_PORT" --idevid-dir "$LAB/$name" --state-dir "$STATES/$state" \
		--masa-ca "$PKI/$manufacturer-ca.pem" --addresses 16 --summary "$LAB/$state.json" --verbose "$@" > "$LAB/$state.log" 2>&1
}

# A crowd that is in the background: what runs in the shell of its id.
bench_end_crowd() { # PID or ""
	[ -z "$1" ] || pkill -P "$1" || true
}
