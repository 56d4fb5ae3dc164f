# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What the end-to-end tests share: a device that joins with eapol_test (wpa_supplicant's own EAP code) straight over RADIUS, and
# lines of "ok" and "not ok". Sourced.

# shellcheck source=tests/lab/lab.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lab/lab.sh"

PASSED=0
FAILED=0

ok() {
	PASSED=$((PASSED + 1))
	echo "ok - $*"
}

not_ok() {
	FAILED=$((FAILED + 1))
	echo "not ok - $*"
}

# Runs a command; says ok or not ok.
check() { # DESCRIPTION COMMAND...
	local what=$1
	shift
	if "$@"; then ok "$what"; else not_ok "$what"; fi
}

finish() {
	echo "$(basename "$0"): $PASSED passed, $FAILED failed"
	[ "$FAILED" -eq 0 ] && [ "$PASSED" -gt 0 ]
	exit
}

# ---- Devices ----

# The network block of a device, as its maker ships it.
device_config() { # NAME IDEVID [more of phase1]
	local name=$1 idevid=$2
	shift 2
	mkdir -p "$LAB/devices/$name"
	cat > "$LAB/devices/$name/conf" <<- C
		network={
		  ssid="x"
		  key_mgmt=IEEE8021X
		  eap=BRSKI
		  eapol_flags=0
		  client_cert="$PKI/idevid-$idevid.pem"
		  private_key="$PKI/idevid-$idevid.key"
		  phase1="brski_state=$LAB/devices/$name/state brski_masa_ca=$PKI/acme-ca.pem $*"
		}
	C
}

# One login of a device. Exit status 0: Access-Accept and matching keys.
join() { # NAME [eapol_test options]
	local name=$1
	shift
	# shellcheck disable=SC2086 # the wrapper is a command with arguments
	lab_in_ns "$NS_SERVERS" ${JOIN_WRAPPER:-} "$BUILD/supplicant/eapol_test" -c "$LAB/devices/$name/conf" -a 127.0.0.1 -p "$RADIUS_PORT" \
		-s testing123 -t "${JOIN_TIMEOUT:-40}" "$@" > "$LAB/devices/$name/log" 2>&1
}

# A login of a device that gets nowhere: it is ended when the device has said this, and had half a second to do more. False: it did not
# say it, or it got in.
join_until() { # NAME REGEX
	local visitor
	: > "$LAB/devices/$1/log"
	JOIN_WRAPPER="stdbuf -oL" join "$1" &
	visitor=$!
	for _ in $(seq 400); do
		said "$1" "$2" && break
		kill -0 $visitor 2> /dev/null || break
		sleep 0.05
	done
	sleep 0.5
	pkill -TERM -P $visitor || true
	! wait $visitor && said "$1" "$2"
}

said() { # NAME REGEX: the device's log has it
	grep -Eq -- "$2" "$LAB/devices/$1/log"
}

has_ldevid() { # NAME
	compgen -G "$LAB/devices/$1/state/ldevid-*.pem" > /dev/null
}

# The operator's log since MARK has it.
logged() { # REGEX MARK
	lab_since radius "$2" | grep -Eq -- "$1"
}

# Makes a device that everybody knows, and its configuration.
good_device() { # SERIAL [more of phase1]
	local serial=$1
	shift
	lab_device "$serial"
	device_config "$serial" "$serial" "$@"
}

# The server still serves: a device that nothing is wrong with gets in.
HEALTHY=0
still_serving() {
	HEALTHY=$((HEALTHY + 1))
	good_device "healthy-$HEALTHY"
	join "healthy-$HEALTHY" && has_ldevid "healthy-$HEALTHY"
}

# ---- Answers that come later ----

not() {
	! "$@"
}

# The time that a device was told to stay away, and a second more, since its clock has whole ones.
pause() { # SECONDS
	sleep "$1"
	sleep 1.1
}

# As long as a device stays away, by its own notes.
pause_of() { # NAME
	local until
	until=$(kept "$1" not-before)
	while [ "$(date +%s)" -lt "$until" ]; do sleep 0.1; done
}

# A value of the device's stored state; octets are in base64.
kept() { # NAME MEMBER
	sed -nE 's/.*"'"$2"'": ?"?([^",}]*)"?[,}].*/\1/p' "$LAB/devices/$1/state/state"
}

# The device was asked for patience between these two events of its last visit.
waited() { # NAME EVENT EVENT
	sed -nE "/EAP-BRSKI: $2/,/EAP-BRSKI: $3/p" "$LAB/devices/$1/log" | grep -q 'ms of patience'
}

queued() { # NAME voucher|certificate
	brskictl queue | grep -Eq "[[:space:]]$1[[:space:]]+$2"
}

# An answer may be logged a moment before it is out of the queue.
nothing_queued() {
	for _ in $(seq 100); do
		brskictl queue | grep -q 'Nothing waits' && return
		sleep 0.1
	done
	return 1
}

# What the MASA's own log says.
vouchers_of() { # SERIAL
	"$BUILD/brski-masa" --db "$LAB/masa/masa.db" --serial "$1" log | grep -Ec '^[^ ]+ +voucher +200 ' || true
}

sql() { # FILE QUERY
	sqlite3 -batch -cmd '.timeout 5000' "$1" "$2"
}
