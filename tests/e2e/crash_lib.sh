# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What the tests share in which a daemon dies at a named point: after a step that it logs, or before a write to a file or to the network. It is
# started again, and the device goes on where it was. Sourced after kill_lib.sh.
#   SEED   of the random numbers (default: a random one, which is printed)
#   EVERY  try every Nth of the writes, from a random one on (default: 8; of radiusd's, which are many more, every 2Nth)

EVERY=${EVERY:-8}
SEED=${SEED:-$RANDOM}
KILL_LIB=$BUILD/tests/kill-at.so

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

crash_begin() {
	lab_begin
	lab_pki
	# shellcheck disable=SC2034 # for lab_radius_config
	BRSKI_OPTIONS=$KILL_OPTIONS
	lab_store
	for daemon in masa ca radius; do start $daemon; done
	echo "# EVERY=$EVERY SEED=$SEED"
	RANDOM=$SEED
}
