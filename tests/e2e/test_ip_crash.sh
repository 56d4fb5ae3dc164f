#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# brski-registrar dies at named points (see crash_lib.sh), under devices that come by CMP and under others that come by EST. Each comes back and
# ends with one voucher at the MASA and one certificate at the CA.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/kill_lib.sh
. "$(dirname "$0")/kill_lib.sh"
EVERY=${EVERY:-64}
# shellcheck source=tests/e2e/crash_lib.sh
. "$(dirname "$0")/crash_lib.sh"
# shellcheck source=tests/e2e/ip_lib.sh
. "$(dirname "$0")/ip_lib.sh"

READY[registrar]='listening on'
POINTS_CMP=('voucher-request: kept' 'gave a voucher' 'nothing against this device' 'accepted the voucher' 'ir message kept'
	'issued a certificate' 'certConf message kept' 'confirmed the certificate' 'enroll-status: onboarded')
POINTS_EST=('voucher-request: kept' 'cert-request: ' 'issued a certificate' 'confirmed the certificate' 'enroll-status: onboarded')

start() { # NAME
	case $1 in
	registrar) lab_registrar ;;
	masa) lab_masa --min-interval 0 ;;
	ca) lab_ca ;;
	esac
}

new_device() { # the name is in $device
	NUMBER=$((${NUMBER:-0} + 1))
	device=crash-$FORM-$NUMBER
	driven_device "$device"
	[ "$FORM" = cmp ] || rm -r "$LAB/devices/$device/idevid"
}

# It comes until it is in, whatever is killed meanwhile.
visits() { # NAME
	if [ "$FORM" = cmp ]; then
		drive "$1" --visits "$VISITS_MAX" --put-off 100 --timeout 5000 --hurry 8
	else
		voucher_request "$1"
		insist ask_voucher "$1" && insist tell "$1" voucher_status true && certification_request "$1" && insist enroll "$1" simpleenroll &&
			enrolled "$1" && insist tell "$1" enrollstatus true
	fi
}

# No answer, or one that tells to come back, is followed by the same request.
insist() { # COMMAND...
	for _ in $(seq "$VISITS_MAX"); do
		"$@" --max-time 10
		case $STATUS in
		200) return ;;
		202 | 503 | curl*) sleep 0.2 ;;
		*) break ;;
		esac
	done
	echo "# $*: $STATUS $(head -c 200 "$LAB/answer")"
	return 1
}

each_has_one() {
	local dir status=0
	for dir in "$LAB"/devices/*; do one_of_each "$(basename "$dir")" || status=1; done
	return $status
}

all_are_in() {
	local dir
	for dir in "$LAB"/devices/*; do
		[[ $dir == *-est-* ]] || is_enrolled "$(basename "$dir")" || return
		history_has "$(basename "$dir")" 'enroll-status' || return
	done
}

nothing_failed() {
	! grep -H 'failed' "$LAB"/devices/*/log && ! compgen -G "$LAB/devices/*/state/aside-*" > /dev/null
}

lab_begin
mkdir -p "$LAB/devices"
lab_pki
# shellcheck disable=SC2034 # for lab_registrar
REGISTRAR_OPTIONS="retry_after = 1"$'\n'"retry_interval_min = 1"$'\n'"retry_interval_max = 1"
lab_store
for daemon in masa ca registrar; do start $daemon; done
proximity "$LAB/proximity.pem"
echo "# EVERY=$EVERY SEED=$SEED"
RANDOM=$SEED
FORM=cmp
at_each_line registrar "${POINTS_CMP[@]}"
at_writes registrar "$EVERY"
FORM=est
at_each_line registrar "${POINTS_EST[@]}"
at_writes registrar "$EVERY"
echo "# The books"
check "all $(devices) devices are in" all_are_in
check "each has one voucher and one certificate" each_has_one
check "... confirmed" [ "$(sql "$LAB/ca/ca.db" 'SELECT count(*) FROM certificates WHERE state != 1')" = 0 ]
check "nothing waits any more" nothing_queued
check "nothing was refused" nothing_refused
check "no device has set its state aside or failed" nothing_failed
check "the stores are sound" stores_are_sound
check "brski-registrar had no trouble with its store" not grep -E 'not to be read|database:' "$LAB/registrar.log"
finish
