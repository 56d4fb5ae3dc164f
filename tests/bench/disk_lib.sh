# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What the benchmarks share in which the disk, or the database on it, is in trouble: EAP-TLS logins a second alone, and with a crowd of
# devices that has come at the moment at which the counting begins. In turns, in one run:
#
#   alone     in trouble, no device
#   beside    in trouble, the crowd
#   good      no trouble, the crowd: what the processor alone costs
#
# Whoever sources this has two functions: trouble_begins and trouble_ends. Server and everything else have a core each. What is elsewhere in
# real life shall not be what is measured: the devices are nice to the users, and have their state in memory.
#   PLEDGES, ROUNDS, SECONDS_EACH (with a crowd; alone: a third of it), PLACES (logins at one time)

# shellcheck source=tests/bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PLEDGES=${PLEDGES:-200}
ROUNDS=${ROUNDS:-2}
SECONDS_EACH=${SECONDS_EACH:-60}
PLACES=${PLACES:-4}

disk_end() {
	states_end
	trouble_ends || true
}

lab_at_end() {
	disk_end
}

disk_begin() { # after lab_begin
	states_begin
	bench_user_key
	lab_pki
	lab_store
	lab_masa --min-interval 0
	lab_ca
	lab_radius
	many_devices crowd "$PLEDGES"
	bench_logins_begin
	bench_logins warm-up 2
}

# A server that has nothing left from the round before.
fresh_server() {
	trouble_ends
	lab_stop radius
	lab_radius > /dev/null
}

# Many of the devices are in the middle when the time is over: then they vanish.
with_crowd() { # COLUMN
	local pledges state=$STATES/state-$1-$RANDOM
	nice -n 19 "$BUILD/tests/radius-pledge" --server "127.0.0.1:$RADIUS_PORT" --secret testing123 --idevid-dir "$LAB/crowd" \
		--state-dir "$state" --masa-ca "$PKI/acme-ca.pem" --visits 100 --tries 100 --verbose > "$LAB/crowd.log" 2>&1 &
	pledges=$!
	bench_logins "$1" "$SECONDS_EACH"
	kill $pledges 2> /dev/null || true
	wait $pledges 2> /dev/null || true
	IN=$(grep -c ': enrolled' "$LAB/crowd.log" || true)
	rm -rf "$state"
}

disk_rounds() { # NAME
	local round
	for round in $(seq "$ROUNDS"); do
		trouble_begins
		bench_logins alone $(((SECONDS_EACH + 2) / 3))
		with_crowd beside
		echo "$IN" >> "$LAB/in-beside"
		fresh_server
	done
	with_crowd good
	echo "$IN" >> "$LAB/in-good"
	disk_figures "$1"
}

of() { # COLUMN COLUMN
	calculate "$(bench_mean "$1" 1) / $(bench_mean "$2" 1)" %.3f
}

disk_figures() { # NAME
	local which
	echo "of $PLEDGES devices, in after $SECONDS_EACH s: $(tr '\n' ' ' < "$LAB/in-beside")(no trouble: $(tr '\n' ' ' < "$LAB/in-good" | sed 's/ $//'))"
	echo "ratio of the rates, with the crowd / alone: $(of beside alone); without trouble: $(of good alone)"
	figure "$1.pledges" "$PLEDGES"
	figure "$1.seconds" "$SECONDS_EACH"
	for which in alone beside good; do bench_login_figures "$1" $which; done
	figure "$1.enrolled" "$(awk '{ s += $1; n++ } END { printf "%.0f", s / n }' "$LAB/in-beside")"
	figure "$1.ratio" "$(of beside alone)"
	figure "$1.ratio_without_trouble" "$(of good alone)"
}
