#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Devices join one after the other, several at a time, while radiusd, MASA, CA and the devices themselves are killed (SIGKILL) at random
# moments, and started again at once. Afterwards the books of all must balance.
#   SEED   of the moments and victims (default: a random one, which is printed)
#   KILLS  how many (default: 100); a line says how it goes after every hundredth
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/kill_lib.sh
. "$(dirname "$0")/kill_lib.sh"

KILLS=${KILLS:-100}
SEED=${SEED:-$((RANDOM * 32768 + RANDOM))}
WORKERS=6
declare -A killed=([radius]=0 [masa]=0 [ca]=0 [supplicant]=0)

# New devices join as long as there is killing.
worker() { # NUMBER
	local n=0 status=0
	while [ ! -e "$LAB/over" ]; do
		n=$((n + 1))
		good_device "kill-$1-$n"
		visits "kill-$1-$n" || status=1
	done
	return $status
}

# Half of the time the back ends are slow, so that there is something to be killed in.
pace() {
	unset MASA_PROGRAM CA_PROGRAM
	MASA_FAULT=() CA_FAULT=()
	[ $((RANDOM % 2)) = 0 ] || { MASA_PROGRAM=$BUILD/tests/rogue-masa MASA_FAULT=(--fault delay=1); }
	[ $((RANDOM % 2)) = 0 ] || { CA_PROGRAM=$BUILD/tests/rogue-ca CA_FAULT=(--fault delay=1); }
}

start() { # NAME
	case $1 in
	radius) lab_radius ;;
	masa) lab_masa --min-interval 0 "${MASA_FAULT[@]}" ;;
	ca) lab_ca "${CA_FAULT[@]}" ;;
	esac
}

# One of the devices that are at it now.
kill_supplicant() {
	local pids=() pid
	for _ in $(seq 100); do
		mapfile -t pids < <(cat "$LAB"/devices/*/pid 2> /dev/null)
		[ ${#pids[@]} -eq 0 ] || break
		sleep 0.01
	done
	[ ${#pids[@]} -gt 0 ] || return
	pid=${pids[RANDOM % ${#pids[@]}]}
	[ "$(cat "/proc/$pid/comm" 2> /dev/null)" = eapol_test ] && kill -KILL "$pid" 2> /dev/null
}

strike() { # VICTIM
	case $1 in
	supplicant) kill_supplicant || return ;;
	*)
		kill_daemon "$1"
		pace
		start "$1"
		;;
	esac
	killed[$1]=$((killed[$1] + 1))
}

kill_at_random() {
	local victims=(radius masa ca supplicant) struck=0 victim
	while [ $struck -lt "$KILLS" ]; do
		sleep "0.$(printf %03d $((RANDOM % 500)))"
		victim=${victims[RANDOM % 4]}
		strike "$victim" || continue
		struck=$((struck + 1))
		[ $((struck % 100)) != 0 ] || progress $struck
	done
}

progress() { # KILLS
	local in=0 dir
	for dir in "$LAB"/devices/*; do ! is_enrolled "$(basename "$dir")" || in=$((in + 1)); done
	echo "# $1 of $KILLS kills after $((SECONDS - begin)) s; of $(devices) devices $in are in"
}

lab_begin
lab_pki
BRSKI_OPTIONS=$KILL_OPTIONS
lab_store
MASA_FAULT=() CA_FAULT=()
for daemon in masa ca radius; do start $daemon; done
echo "# $KILLS kills, SEED=$SEED"
RANDOM=$SEED
workers=()
for w in $(seq $WORKERS); do
	worker "$w" &
	workers+=($!)
done
begin=$SECONDS
kill_at_random
touch "$LAB/over"
echo "# in $((SECONDS - begin)) s: ${killed[radius]} radiusd, ${killed[masa]} MASA, ${killed[ca]} CA, ${killed[supplicant]} supplicants"
status=0
for w in "${workers[@]}"; do wait "$w" || status=1; done
check "every device got in at last" test $status = 0
balance
finish
