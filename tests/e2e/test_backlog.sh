#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Requests wait by the thousand for a MASA that is away, and newer ones for another, which is there: these are answered while the first is away,
# and when it is back, all of its own are, none twice.
#   BACKLOG, OTHERS  how many (default: 1100 and 40)
#   PATIENCE         seconds that each may take (default: 120)
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/load_lib.sh
. "$(dirname "$0")/load_lib.sh"

BACKLOG=${BACKLOG:-1100}
OTHERS=${OTHERS:-40}
PATIENCE=${PATIENCE:-120}
BRSKI_OPTIONS="retry_interval_min = 1"$'\n'"retry_interval_max = 5"

lab_at_end() {
	states_end
}

all_answered() { # PREFIX COUNT
	local before=0 now
	for _ in $(seq $((PATIENCE * 5))); do
		now=$(answered "$1")
		[ "$now" -lt "$2" ] || return 0
		[ $((now / 1000)) = $((before / 1000)) ] || echo "# $now of $2 are answered"
		before=$now
		sleep 0.2
	done
	echo "# $now of $2 are answered"
	return 1
}

# One voucher for each, and each was asked for once, as far as the MASA's own books say.
none_twice() { # MASA-DATABASE COUNT
	[ "$(sqlite3 -batch "$1" 'SELECT count(*), count(DISTINCT device) FROM vouchers')" = "$2|$2" ]
}

none_waits() {
	[ "$(sqlite3 -batch "$DB" 'SELECT count(*) FROM job WHERE state <> 1')" = 0 ]
}

lab_begin
states_begin
lab_pki
lab_store --mode manufacturer
lab_masa --min-interval 0
lab_stop masa
lab_ca
beta_world
beta_masa
mv "$DB" "$STATES/registrar.db"
waiting_requests acme "$MASA_PORT" old "$BACKLOG" "$STATES/registrar.db" "$LAB/masa/masa.db"
waiting_requests beta "$BETA_PORT" new "$OTHERS" "$STATES/registrar.db" "$LAB/masa/beta.db"
mv "$STATES/registrar.db" "$DB"
lab_radius

check "all $OTHERS newer requests of a MASA that is there are answered" all_answered new "$OTHERS"
check "while none of the $BACKLOG older ones is, whose MASA is away" test "$(answered old)" = 0
check "the MASA was asked for each of them once" none_twice "$LAB/masa/beta.db" "$OTHERS"
lab_masa --min-interval 0
check "the other MASA is back, and all $BACKLOG are answered" all_answered old "$BACKLOG"
check "none was asked for twice" none_twice "$LAB/masa/masa.db" "$BACKLOG"
check "nothing waits any more" none_waits
check "a device that comes now gets in" still_serving
finish
