#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The device is killed at every state boundary, and at every single write of its state, with nothing left but its state folder: it goes on where
# it was. A state folder that is damaged, or another device's, is set aside, and onboarding starts over.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

RETRY_AFTER=1

state_of() { # NAME
	kept "$1" state
}

key_of() { # NAME
	sha256sum < "$LAB/devices/$1/state/ldevid-1.key"
}

certificates_for() { # SERIAL: what the CA's own list says
	"$BUILD/brski-ca" --db "$LAB/ca/ca.db" list | grep -c "serialNumber=$1" || true
}

# One login that ends with a crash, if it comes to it.
join_dying() { # NAME before|after:VALUE:N
	{ CRASH=$2 LD_PRELOAD=$BUILD/tests/crash.so join "$1"; } 2> /dev/null
}

crashed() { # NAME
	grep -q '^crash: ' "$LAB/devices/$1/log"
}

logs_in() { # NAME
	local mark
	mark=$(lab_mark radius)
	join "$1" && lab_wait_log radius 'Login OK.*EAP-TLS' 5 "$mark"
}

onboarded_once() { # NAME: one voucher, one certificate, and a login with it
	[ "$(state_of "$1")" = enrolled ] && [ "$(vouchers_of "$1")" = 1 ] && [ "$(certificates_for "$1")" = 1 ] && logs_in "$1"
}

# Logins that are killed at every change of the state folder's main value, until one comes to its end; *seen gets the states.
die_and_die_again() { # NAME
	local name=$1 before after memory
	for _ in $(seq 16); do
		before=$([ -f "$LAB/devices/$name/state/state" ] && state_of "$name" || echo start)
		memory=$(key_and_transaction "$name")
		join_dying "$name" after:state:1 && return
		crashed "$name" || return 0
		after=$(state_of "$name")
		[ -z "$memory" ] || [ "$after" = enrolled ] || [ "$(key_and_transaction "$name")" = "$memory" ] ||
			not_ok "$name: killed in $after, it has another key or transaction"
		[ "$before" != "$after" ] || continue
		ok "$name: killed between $before and $after"
		seen+=" $after"
	done
}

key_and_transaction() { # NAME
	[ -f "$LAB/devices/$1/state/state" ] || return 0
	case $(state_of "$1") in
	enroll | poll | confirm | report) kept "$1" cmp-transaction && key_of "$1" ;;
	*) true ;;
	esac
}

# Killed at one write, and started again.
die_once() { # NAME before|after:VALUE:N
	local name=$1 where problem='' key=''
	good_device "$name"
	join_dying "$name" "$2" && return 1
	where=$(sed -n 's/^crash: //p' "$LAB/devices/$name/log")
	[ -z "$(key_and_transaction "$name")" ] || key=$(key_of "$name")
	join "$name" || problem+=" it was not let in;"
	onboarded_once "$name" || problem+=" not onboarded with one voucher and one certificate;"
	[ -z "$key" ] || [ "$(key_of "$name")" = "$key" ] || problem+=" it has another key;"
	if [ -z "$problem" ]; then ok "killed $where: it goes on"; else not_ok "killed $where:$problem"; fi
}

lab_begin
lab_pki
BRSKI_OPTIONS="retry_after = $RETRY_AFTER"$'\n'"retry_interval_min = 1"$'\n'"retry_interval_max = 1"
lab_store
lab_masa --min-interval 0
lab_ca
lab_radius

echo "# One device, killed after every change of its state"
good_device mortal
seen=
die_and_die_again mortal
check "it was killed in every state of an onboarding" test "$seen" = " voucher imprinted enroll confirm report enrolled"
check "it has been onboarded with one voucher and one certificate, and logs in" onboarded_once mortal

echo "# The same, while the PKI is away"
lab_stop ca
good_device polling
seen=
JOIN_TIMEOUT=10 die_and_die_again polling # the last one finds that it is too early
check "it was killed on its way to polling" test "$seen" = " voucher imprinted enroll poll"
check "and is told to come back at last" said polling 'EAP-BRSKI: deferred: [0-9]+'
request=$(kept polling cmp-request)
mark=$(lab_mark radius)
lab_ca
check "its request is forwarded in the background" lab_wait_log radius 'polling of acme: certificate: PKI .* issued' 10 "$mark"
pause_of polling
seen=
[ "$(kept polling cmp-request)" = "$request" ] || not_ok "it has another request"
die_and_die_again polling
check "it was killed in every state after that" test "$seen" = " confirm report enrolled"
check "it has been onboarded with one voucher and one certificate, and logs in" onboarded_once polling

echo "# Killed at every single write, before it and after it"
for side in before after; do
	for n in $(seq 20); do
		die_once "$side-$n" "$side:*:$n" || break
	done
	check "there were writes enough" test "$n" -gt 10
done

echo "# A state folder that is damaged, or another device's"
# A device that was killed when it had a voucher and a key, and then something happens to its storage.
mishap() { # NAME WHAT-THE-LOG-SAYS COMMAND...: run in the state folder
	local name=$1 says=$2 state=$LAB/devices/$1/state problem='' key
	shift 2
	good_device "$name"
	join_dying "$name" after:state:3 || true
	key=$(key_of "$name")
	(cd "$state" && "$@")
	cp -r "$state" "$LAB/devices/$name/before"
	join "$name" || problem+=" it was not let in;"
	said "$name" "$says" || problem+=" its log lacks '$says';"
	said "$name" 'EAP-BRSKI: pledge: start -> voucher' || problem+=" it has not started over;"
	[ "$(key_of "$name")" != "$key" ] || problem+=" it has the old key;"
	logs_in "$name" || problem+=" it does not log in;"
	if [ -z "$problem" ]; then ok "$name: reported, and started over"; else not_ok "$name:$problem"; fi
}

set_aside() { # NAME
	cmp -s "$LAB/devices/$1/before/state" "$LAB/devices/$1/state/aside-1/state" &&
		cmp -s "$LAB/devices/$1/before/ldevid-1.key" "$LAB/devices/$1/state/aside-1/ldevid-1.key"
}

cut-short() { truncate -s 100 state; }
emptied() { : > state; }
overwritten() { head -c 2000 /dev/urandom > state; }
changed() { sed -i 's/"cmp-poll-id": \?[-0-9]*/"cmp-poll-id": 7/' state; }
of-another() { cp "$LAB/devices/mortal/state"/* .; }
without-key() { rm ldevid-1.key; }
with-a-broken-key() { sed -i '2s/./~/' ldevid-1.key; }

ASIDE='stored state is set aside, onboarding starts over'
for how in cut-short emptied overwritten changed; do
	mishap "state-$how" "$ASIDE" "$how"
	check "state-$how: what was there is kept aside" set_aside "state-$how"
done
mishap state-of-another "$ASIDE: .*another IDevID" of-another
check "state-of-another: what was there is kept aside" set_aside state-of-another
check "state-of-another: it uses no key of the other's" test "$(key_of state-of-another)" != "$(key_of mortal)"
for how in without-key with-a-broken-key; do
	mishap "state-$how" 'onboarding starts over, what it had made is lost' "$how"
done
finish
