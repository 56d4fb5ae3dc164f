#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Ordinary users are unharmed: the same server goes on with EAP-TLS and PEAP through its own rlm_eap while pledges onboard, while its disk keeps
# nothing, and while more devices come than it has room for. Nobody is told anything that rests on what the disk has not kept.
#   DEVICES  that onboard one after the other (default: 12)
#   BLOCKED  devices that are in the middle while the disk is blocked (default: 20)
#   LOGINS   of users meanwhile (default: 10)
#   CROWD    devices that come at the same moment (default: 60), and
#   ROOM     sessions that the server has room for (default: 16); one that is put off comes back after
#   PAUSE    milliseconds, or up to twice as many (default: 500)
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/load_lib.sh
. "$(dirname "$0")/load_lib.sh"

DEVICES=${DEVICES:-12}
BLOCKED=${BLOCKED:-20}
LOGINS=${LOGINS:-10}
CROWD=${CROWD:-60}
ROOM=${ROOM:-16}
PAUSE=${PAUSE:-500}

lab_at_end() {
	[ -z "${DRIVER:-}" ] || kill "$DRIVER" 2> /dev/null || true
	states_end
}

user_config() { # NAME LINES
	mkdir -p "$LAB/devices/$1"
	printf 'network={\n  ssid="x"\n  key_mgmt=IEEE8021X\n  eapol_flags=0\n  ca_cert="%s"\n%s\n}\n' "$PKI/home-ca.pem" "$2" > "$LAB/devices/$1/conf"
}

# The driver with many devices, which is in the background then; their state is in memory.
drive() { # NAME [options of radius-pledge]
	local name=$1
	shift
	"$BUILD/tests/radius-pledge" --server "127.0.0.1:$RADIUS_PORT" --secret testing123 --idevid-dir "$LAB/$name" \
		--state-dir "$STATES/$name" --masa-ca "$PKI/acme-ca.pem" --summary "$LAB/$name.json" --tries 100 --visits 1000 "$@" \
		> "$LAB/$name.log" 2>&1 &
	DRIVER=$!
}

driven() {
	local status=0
	wait "$DRIVER" || status=$?
	DRIVER=
	return $status
}

summary() { # NAME KEY
	grep -m1 "\"$2\":" "$LAB/$1.json" | tr -dc 0-9
}

# ---- A disk that keeps nothing for a while ----

# Not only one of them, which another test does: each has said what it came for, and waits for the server.
all_have_asked() {
	for _ in $(seq 800); do
		[ "$(grep '^trace .* voucher$' "$LAB/blocked.log" | cut -d' ' -f2 | sort -u | wc -l)" -lt "$BLOCKED" ] || return 0
		sleep 0.05
	done
	return 1
}

logins() { # COUNT: of them, so many do not get in
	local bad=0
	for _ in $(seq "$1"); do
		join tls || bad=$((bad + 1))
		[ $bad -lt 3 ] || break # each that hangs takes its time
	done
	return $bad
}

nobody_was_told() {
	! grep -Ev '^trace .* (start|voucher)$' "$LAB/blocked.log"
}

disk_that_blocks() {
	local syncs
	touch "$LAB/sync/block"
	drive blocked --verbose --trace
	check "$BLOCKED devices have asked for a voucher while the disk keeps nothing" all_have_asked
	check "$LOGINS EAP-TLS logins go through meanwhile" logins "$LOGINS"
	check "PEAP goes through meanwhile" join peap
	check "no device was told anything yet" nobody_was_told
	check "and the MASA was not asked for any" test "$("$BUILD/brski-masa" --db "$LAB/masa/masa.db" log | grep -c blocked || true)" = 0
	syncs=$(stat -c %s "$LAB/sync/count")
	check "the server has begun to sync since, and waits" test "$syncs" -gt "$1"
	rm "$LAB/sync/block"
	check "the disk keeps again, and all $BLOCKED are in" driven
	check "at their first visit" test "$(summary blocked at_first_visit)" = "$BLOCKED"
}

# ---- More devices than there is room for ----

crowd_that_comes_back() {
	local good=0 bad=0
	drive crowd --put-off "$PAUSE" --hurry 60
	while kill -0 "$DRIVER" 2> /dev/null; do
		if join tls; then good=$((good + 1)); else bad=$((bad + 1)); fi
	done
	check "all $CROWD devices are in, where $ROOM have room" driven
	check "after some were put off, and have come back" test "$(summary crowd times_put_off)" -gt 0
	check "all of $((good + bad)) EAP-TLS logins meanwhile went through" test $bad = 0
}

lab_begin
states_begin
mkdir "$LAB/sync"
RADIUS_WRAPPER="env LD_PRELOAD=$BUILD/tests/slow-sync.so SLOW_SYNC=$LAB/sync"
lab_pki
pki_user home alice
lab_store
lab_masa --min-interval 0
lab_ca
many_devices blocked "$BLOCKED"
many_devices crowd "$CROWD"
# As sites have it that send everybody whom they do not know to somebody else; nobody is there. RFC 9965: eap.arpa is not routed.
RADIUS_MODULES='realm suffix {
  format = suffix
  delimiter = "@"
}'
RADIUS_AUTHORIZE=suffix
RADIUS_SERVERS='proxy_requests = yes
home_server elsewhere {
  type = auth
  ipaddr = 127.0.0.1
  port = 9
  secret = testing123
}
home_server_pool elsewhere {
  home_server = elsewhere
}
realm NULL {
}
realm DEFAULT {
  auth_pool = elsewhere
}'
lab_radius
user_config tls "$(printf '  eap=TLS\n  identity="alice"\n  client_cert="%s"\n  private_key="%s"' "$PKI/user-alice.pem" "$PKI/user-alice.key")"
user_config peap "$(printf '  eap=PEAP\n  identity="bob"\n  password="open sesame"\n  phase2="auth=MSCHAPV2"')"
user_config peap-wrong "$(printf '  eap=PEAP\n  identity="bob"\n  password="wrong"\n  phase2="auth=MSCHAPV2"')"
user_config portal "$(printf '  eap=TLS\n  identity="portal@tls.eap.arpa"\n  client_cert="%s"\n  private_key="%s"' "$PKI/user-alice.pem" "$PKI/user-alice.key")"
check "EAP-TLS before" join tls
check "provisioning that is not done here is refused" eval '! join portal'
check "at once, with EAP-Failure" grep -q 'EAP: Received EAP-Failure' "$LAB/devices/portal/log"
check "PEAP before" join peap
check "PEAP with a wrong password is refused" eval '! join peap-wrong'

for n in $(seq $DEVICES); do good_device "d-$n"; done
onboard_all() {
	for n in $(seq $DEVICES); do join "d-$n" && echo "$n" >> "$LAB/onboarded"; done
}
onboard_all &
pledges=$!
tls=0 peap=0 rounds=0
while kill -0 $pledges 2> /dev/null; do
	join tls && tls=$((tls + 1))
	join peap && peap=$((peap + 1))
	rounds=$((rounds + 1))
done
wait $pledges
check "all $DEVICES pledges onboarded meanwhile" [ "$(wc -l < "$LAB/onboarded")" = $DEVICES ]
check "their stay is bounded" grep -q 'Attribute 27 (Session-Timeout) length=6' "$LAB/devices/d-1/log"
check "all of $rounds EAP-TLS and PEAP logins meanwhile went through" [ "$tls$peap" = "$rounds$rounds" ]
check "EAP-TLS afterwards" join tls
check "PEAP afterwards" join peap

echo "# The disk keeps nothing"
lab_stop radius
BRSKI_OPTIONS="wait_total = 100" lab_radius
JOIN_TIMEOUT=10
disk_that_blocks "$(stat -c %s "$LAB/sync/count")"

echo "# More devices than there is room for"
lab_stop radius
BRSKI_OPTIONS="max_sessions = $ROOM"$'\n'"max_sessions_per_nas = $ROOM" lab_radius
crowd_that_comes_back
finish
