#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# MASA, CA and the supplicant die at named points (see crash_lib.sh). At the end the books of all must balance.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/kill_lib.sh
. "$(dirname "$0")/kill_lib.sh"
# shellcheck source=tests/e2e/crash_lib.sh
. "$(dirname "$0")/crash_lib.sh"

POINTS_MASA=('200, voucher for device' '200, audit log of device')
POINTS_CA=('200, ir through' '200, certConf through')
POINTS_SUPPLICANT=('start -> voucher' 'voucher -> imprinted' 'imprinted -> enroll' 'enroll -> confirm' 'confirm -> report'
	'report -> enrolled')

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

crash_begin
for point in "${POINTS_SUPPLICANT[@]}"; do check "the supplicant dies after \"$point\"" supplicant_dies "say:$point"; done
supplicant_at_writes
at_each_line masa "${POINTS_MASA[@]}"
at_each_line ca "${POINTS_CA[@]}"
at_writes masa "$EVERY"
at_writes ca "$EVERY"
balance
finish
