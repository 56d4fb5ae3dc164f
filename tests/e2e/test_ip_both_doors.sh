#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# rlm_brski and brski-registrar on one store. A device that says the same at both doors at once gets one voucher and one certificate; what it
# began at one door it ends at the other; and many come to both.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/ip_lib.sh
. "$(dirname "$0")/ip_lib.sh"

OPTIONS="retry_after = 1"$'\n'"retry_interval_min = 1"$'\n'"retry_interval_max = 1"
MANY=8 # devices at each door

# One device, by 802.1X and by HTTPS: its supplicant is NAME-wire, and its state, at first, is that of NAME.
two_faced() { # NAME
	lab_device "$1"
	driven "$1"
	device_config "$1-wire" "$1"
}

# What one side has got to, the other has got to.
same_state() { # FROM TO
	rm -rf "$LAB/devices/$2/state"
	cp -a "$LAB/devices/$1/state" "$LAB/devices/$2/state"
}

state_of() { # NAME
	kept "$1" state
}

# Both sides at once, up to a step: the driver says no more after so many requests, the supplicant dies when its state has changed.
both_until() { # NAME REQUESTS CHANGE
	local wire
	same_state "$1" "$1-wire"
	LD_PRELOAD=$BUILD/tests/kill-at.so KILL_AT="eapol_test:say:$3" join "$1-wire" -t 30 2> /dev/null &
	wire=$!
	drive "$1" --vanish-after "$2" --trace || true
	wait $wire || true
	grep -q "$3" "$LAB/devices/$1-wire/log"
}


# Both doors, with so much patience for MASA and PKI.
doors_wait() { # SECONDS
	lab_stop radius
	lab_stop registrar
	BRSKI_OPTIONS=$OPTIONS$'\n'"wait_total = $1" lab_radius
	REGISTRAR_OPTIONS=$OPTIONS$'\n'"wait = $1" lab_registrar
}

lab_begin
mkdir -p "$LAB/devices"
lab_pki
lab_store
lab_port CA_PORT
doors_wait 2

echo "# The same voucher-request at both doors at once"
two_faced twin
check "the MASA is away: the device is told to come back, by HTTPS" not drive twin
check "its request is kept" test "$(state_of twin)" = voucher
same_state twin twin-wire
pause_of twin
check "the other door says the same" not join twin-wire
check "one request waits, not two" test "$(brskictl queue | grep -c '[[:space:]]twin[[:space:]]')" = 1
doors_wait 15
MASA_PROGRAM=$BUILD/tests/rogue-masa lab_masa --min-interval 0 --fault delay=1
pause_of twin-wire
check "the supplicant has the voucher" both_until twin 1 'voucher -> imprinted'
check "... and so has the other side" test "$(state_of twin)" = enroll
check "the MASA gave one" test "$(vouchers_of twin)" = 1

echo "# The same certification request"
CA_PROGRAM=$BUILD/tests/rogue-ca lab_ca --fault delay=1
check "the supplicant has the certificate" both_until twin 2 'enroll -> confirm'
check "... and so has the other side" test "$(state_of twin)" = confirm
check "it is the same" cmp "$LAB/devices/twin/state/ldevid-1.pem" "$LAB/devices/twin-wire/state/ldevid-1.pem"
check "the CA made one" test "$(certificates_of twin)" = 1

echo "# The confirmation, and the report"
same_state twin twin-wire
join twin-wire &
wire=$!
drive twin --visits 5 --trace || true
status=0
wait $wire || status=$?
check "the device is in" test "$(state_of twin)" = enrolled
check "by 802.1X, too" test $status = 0
check "one voucher, one certificate" one_of_each twin
check "... which is confirmed" test "$(sql "$LAB/ca/ca.db" "SELECT count(*) FROM certificates WHERE state = 1")" = 1
mark=$(lab_mark radius)
check "with which it logs in" join twin-wire
check "... by EAP-TLS" lab_wait_log radius 'Login OK.*EAP-TLS' 5 "$mark"

echo "# Begun at one door, ended at the other"
lab_stop masa
doors_wait 2
two_faced moves
check "the MASA is away: the device is told to come back, by 802.1X" not join moves-wire
same_state moves-wire moves
lab_masa --min-interval 0
lab_stop ca
comes_to_wait() { # NAME: for its certificate, however long a voucher takes
	for _ in $(seq 10); do
		! drive "$1" --hurry 8 --visits 3 || return 1
		[ "$(state_of "$1")" != poll ] || return 0
	done
	return 1
}
check "it gets its voucher by HTTPS, and is told to come back for its certificate" comes_to_wait moves
check "... which it has asked for" test "$(state_of moves)" = poll
lab_ca
same_state moves moves-wire
pause_of moves-wire
check "it gets that by 802.1X" join moves-wire
check "one voucher, one certificate" one_of_each moves

echo "# Many at both doors"
many() { # DOOR
	local i dir=$LAB/many-$1
	mkdir -p "$dir"
	for i in $(seq $MANY); do
		lab_device "many-$1-$i"
		cp "$PKI/idevid-many-$1-$i.pem" "$PKI/idevid-many-$1-$i.key" "$dir"
	done
}
many https
many wire
"$BUILD/tests/https-pledge" --server "127.0.0.1:$REGISTRAR_PORT" --idevid-dir "$LAB/many-https" --state-dir "$LAB/many-https/state" \
	--masa-ca "$PKI/acme-ca.pem" --visits 20 > "$LAB/many-https.log" &
https=$!
check "all of those by 802.1X are in" "$BUILD/tests/radius-pledge" --server "127.0.0.1:$RADIUS_PORT" --secret testing123 \
	--idevid-dir "$LAB/many-wire" --state-dir "$LAB/many-wire/state" --masa-ca "$PKI/acme-ca.pem" --visits 20
check "all of those by HTTPS are in" wait $https
each_of_many() {
	local i status=0
	for i in $(seq $MANY); do one_of_each "many-https-$i" && one_of_each "many-wire-$i" || status=1; done
	return $status
}
check "each has one voucher and one certificate" each_of_many
check "nothing waits any more" nothing_queued
finish
