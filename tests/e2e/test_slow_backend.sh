#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# MASA and PKI take five seconds for every answer: the device is onboarded in one EAP conversation all the same, on a wire with stock
# hostapd, which has no reason to send anything twice.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/wired.sh
. "$(dirname "$0")/../lab/wired.sh"

DELAY=5

conversations() { # until the onboarding had succeeded
	lab_since pledge "$PLEDGE_MARK" | sed '/EAP-BRSKI: enrolled/q' | grep -c 'CTRL-EVENT-EAP-STARTED' || true
}

waits() {
	lab_since pledge "$PLEDGE_MARK" | grep -c 'asks for .* ms of patience' || true
}

longest_wait() {
	lab_since pledge "$PLEDGE_MARK" | sed -nE 's/.*asks for ([0-9]+) ms of patience/\1/p' | sort -n | tail -n 1
}

took_at_least() { # FROM-REGEX TO-REGEX MILLISECONDS
	local from to
	from=$(moment "$1")
	to=$(moment "$2")
	[ $((to - from)) -ge "$3" ]
}

slow_masa() {
	lab_stop masa
	MASA_PROGRAM=$BUILD/tests/rogue-masa lab_masa --fault "delay=$DELAY"
}

# One device is plugged in.
plug() { # SERIAL
	SERIAL=$1
	rm -rf "$LAB/device"
	lab_device "$SERIAL"
	PCAP=$LAB/$SERIAL.pcap
	wired_capture
	pledge_config
	pledge_start -d
	check "onboarding succeeds" lab_wait_log pledge 'CTRL-EVENT-EAP-SUCCESS' 60 "$PLEDGE_MARK"
	check "in one EAP conversation" test "$(conversations)" = 1
	check "without being told to come back" test -z "$(detail deferred)"
	check "the MASA took its time for voucher and audit log" \
		took_at_least 'EAP-BRSKI: voucher-requested' 'EAP-BRSKI: voucher-accepted' $((2 * DELAY * 1000))
}

# What its switch port has seen.
unplug() {
	local trips up down again
	lab_stop pledge
	lab_stop capture INT
	read -r trips up down again <<< "$(wired_count)"
	echo "# $trips EAP round trips, $up octets up, $down octets down; $(waits) waits, the longest of $(longest_wait) ms"
	check "the capture has the whole conversation" test "$trips" -ge $((10 + $(waits)))
	check "hostapd sent no EAP request twice" test "$again" = 0
}

lab_begin
wired_network
lab_pki
lab_store
slow_masa
CA_PROGRAM=$BUILD/tests/rogue-ca lab_ca --fault "delay=$DELAY"
lab_radius
wired_switch

echo "# MASA and PKI slow, everything as it is by default"
plug AX-2026-0042
check "the PKI took its time for certificate and confirmation" \
	took_at_least 'EAP-BRSKI: cert-requested' 'EAP-BRSKI: enrolled' $((2 * DELAY * 1000))
check "the device was asked for patience" test "$(waits)" -ge 10
check "it logs in with its new certificate" lab_wait_log pledge 'EAP-BRSKI: logged-in' 30 "$PLEDGE_MARK"
check "and the switch opens the port" port_opens
unplug

# hostapd sends a request again after 3 s, unless Session-Timeout tells it to wait longer.
echo "# Longer waits than hostapd's own patience"
lab_stop radius
BRSKI_OPTIONS="wait_total = 200" lab_radius
lab_stop ca
lab_ca
plug AX-2026-0043
check "one wait was longer than 3 s" test "$(longest_wait)" -gt 3000
unplug
finish
