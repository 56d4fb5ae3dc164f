# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Ports for daemons. Every shell that sources this has a block of them to itself, as long as it or anything that it has started lives, so
# that labs can run side by side. All are below those that the system gives to clients: no connection of anybody's is at one meanwhile.

PORTS_EACH=10
for PORTS_LOCKS in /run/lock /dev/shm /tmp; do [ ! -w "$PORTS_LOCKS" ] || break; done

ports_take() {
	local clients first
	read -r clients _ < /proc/sys/net/ipv4/ip_local_port_range
	for ((first = clients / 2; first + PORTS_EACH <= clients; first += PORTS_EACH)); do
		{ exec {PORTS_LOCK}>> "$PORTS_LOCKS/brski-ports.$first"; } 2> /dev/null || continue
		if flock -n "$PORTS_LOCK"; then
			PORTS_NEXT=$first PORTS_END=$((first + PORTS_EACH))
			return
		fi
		exec {PORTS_LOCK}>&-
	done
	echo "$0: no ports are free below $clients" >&2
	exit 1
}

# The next port of the block, unless somebody listens there who does not ask for a block. Not in a subshell, which would be given it again.
lab_port() { # VARIABLE, which gets it
	while [ "$PORTS_NEXT" -lt "$PORTS_END" ]; do
		printf -v "$1" %s "$PORTS_NEXT"
		PORTS_NEXT=$((PORTS_NEXT + 1))
		[ -n "$(ss -Hlntu "sport = :${!1}" 2> /dev/null)" ] || return 0
	done
	echo "$0: its $PORTS_EACH ports are all taken" >&2
	exit 1
}

ports_take
