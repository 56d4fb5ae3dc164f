#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# radiusd, MASA, CA and the supplicant die at named points: after each step that they log, and before each write to a file or to the network.
# Each time they are started again, the device goes on where it was, and at the end the books of all must balance.
#   SEED   of the random numbers (default: a random one, which is printed)
#   EVERY  try every Nth of the writes, from a random one on (default: 8; of radiusd's, which are many more, every 2Nth)
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/kill_lib.sh
. "$(dirname "$0")/kill_lib.sh"

EVERY=${EVERY:-8}
SEED=${SEED:-$RANDOM}
KILL_LIB=$BUILD/tests/kill-at.so

POINTS_RADIUS=('voucher-request: kept' 'gave a voucher' 'nothing against this device' 'accepted the voucher' 'ir message kept'
	'issued a certificate' 'certConf message kept' 'confirmed the certificate' 'enroll-status: onboarded' 'has been onboarded')
POINTS_MASA=('200, voucher for device' '200, audit log of device')
POINTS_CA=('200, ir through' '200, certConf through')
POINTS_SUPPLICANT=('start -> voucher' 'voucher -> imprinted' 'imprinted -> enroll' 'enroll -> confirm' 'confirm -> report'
	'report -> enrolled')

declare -A READY=([radius]='Ready to process requests' [masa]='listening on' [ca]='listening on')

program_of() { # DAEMON
	case $1 in
	radius) echo freeradius ;;
	*) echo "brski-$1" ;;
	esac
}

start_with() { # DAEMON WHAT
	LD_PRELOAD=$KILL_LIB KILL_AT=$(program_of "$1"):$2 KILL_FROM=${READY[$1]} start "$1"
}

new_device() { # the name is in $device
	NUMBER=$((${NUMBER:-0} + 1))
	device=crash-$NUMBER
	good_device "$device"
}

has_died() { # DAEMON PROCESS: before the process has ended
	while kill -0 "$2" 2> /dev/null; do
		lab_runs "$1" || return 0
		sleep 0.02
	done
	! lab_runs "$1"
}

# A device joins while a daemon is to die once. 1: it did not, 2: the device is not in. With "too", the device dies when the daemon has been
# started again, as when the power of all fails; this takes less time than to wait until it sends its packet again.
dies_once() { # DAEMON WHAT [too]
	local visitor died=0 in=0
	new_device
	lab_stop "$1" 2> /dev/null
	start_with "$1" "$2"
	visits "$device" &
	visitor=$!
	if has_died "$1" $visitor 2> /dev/null; then
		bury "$1"
		start "$1"
		[ $# -lt 3 ] || kill -KILL "$(cat "$LAB/devices/$device/pid" 2> /dev/null)" 2> /dev/null || true
	else
		died=1
	fi
	wait $visitor || in=2
	return $((died + in))
}

# How many writes of a daemon a device needs, in $writes.
count_writes() { # DAEMON
	new_device
	lab_stop "$1" 2> /dev/null
	start_with "$1" "count:$LAB/count"
	visits "$device"
	lab_stop "$1" 2> /dev/null
	start "$1"
	writes=$(cat "$LAB/count")
}

at_each_line() { # DAEMON TEXT...
	local daemon=$1 text
	shift
	for text in "$@"; do check "$daemon dies after \"$text\"" dies_once "$daemon" "say:$text"; done
}

# What threads do is not the same every time, and the last writes are those of an orderly end: they are not reached.
at_writes() { # DAEMON EVERY [too]
	local writes n status died=0
	count_writes "$1"
	for ((n = 1 + RANDOM % $2; n <= writes; n += $2)); do
		status=0
		dies_once "$1" "write:$n" ${3:+"$3"} || status=$?
		[ $status -le 1 ] || not_ok "$1 dies before its write $n: $device"
		[ $status != 0 ] || died=$((died + 1))
	done
	check "$1 dies before $died of its $writes writes" test $died -gt 0
	lab_stop "$1" 2> /dev/null
	start "$1"
}

# ---- The supplicant: each start of it is a restart, so nothing else has to be started ----

supplicant_dies() { # WHAT
	new_device
	! LD_PRELOAD=$KILL_LIB KILL_AT=eapol_test:$1 visit "$device" && visits "$device"
}

# A conversation with fewer waits has fewer writes, so that the last ones may not be reached.
supplicant_at_writes() {
	local n writes died=0
	new_device
	LD_PRELOAD=$KILL_LIB KILL_AT=eapol_test:count:$LAB/count visit "$device"
	writes=$(cat "$LAB/count")
	for ((n = 1 + RANDOM % EVERY; n <= writes; n += EVERY)); do
		if supplicant_dies "write:$n"; then
			died=$((died + 1))
		else
			is_enrolled "$device" || not_ok "the supplicant dies before its write $n: $device"
		fi
	done
	check "the supplicant dies before $died of its $writes writes" test $died -gt 0
}

lab_begin
lab_pki
BRSKI_OPTIONS=$KILL_OPTIONS
lab_store
for daemon in masa ca radius; do start $daemon; done
echo "# EVERY=$EVERY SEED=$SEED"
RANDOM=$SEED

for point in "${POINTS_SUPPLICANT[@]}"; do check "the supplicant dies after \"$point\"" supplicant_dies "say:$point"; done
supplicant_at_writes
at_each_line masa "${POINTS_MASA[@]}"
at_each_line ca "${POINTS_CA[@]}"
at_each_line radius "${POINTS_RADIUS[@]}"
at_writes masa "$EVERY"
at_writes ca "$EVERY"
at_writes radius $((EVERY * 2)) too
balance
finish
