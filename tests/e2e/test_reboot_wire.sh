#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# wpa_supplicant itself, on a wire with stock hostapd, is killed in every state of an onboarding, polling included, and started again with its state
# folder: it ends as a member of the network, with one voucher and one certificate, for the key that it made first.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/wired.sh
. "$(dirname "$0")/../lab/wired.sh"

state_of() {
	sed -nE 's/.*"state": ?"([a-z]+)".*/\1/p' "$LAB/device/state/state" 2> /dev/null || true
}

key() {
	sha256sum < "$LAB/device/state/ldevid-1.key"
}

certificates() {
	"$BUILD/brski-ca" --db "$LAB/ca/ca.db" list | grep -c "serialNumber=$SERIAL" || true
}

# A device without power takes its link down, and a switch then forgets who was there. hostapd does not watch the link; after three
# conversations that were broken off it waits half a minute for the next EAPOL-Start, and when it deauthenticates somebody it forgets him
# five seconds later, even if he has come back. So its port is switched off and on.
switch_forgets() {
	local mark
	mark=$(lab_mark switch)
	lab_in_ns "$NS_SWITCH" hostapd_cli -p "$LAB/hostapd" -i port1 disable > /dev/null
	lab_in_ns "$NS_SWITCH" hostapd_cli -p "$LAB/hostapd" -i port1 enable > /dev/null
	lab_wait_log switch 'AP-ENABLED' 10 "$mark" || lab_die "hostapd does not come back"
}

# wpa_supplicant dies as soon as its state has changed. False: it has not died.
run_until_change() {
	PLEDGE_MARK=$(lab_mark pledge)
	lab_start pledge "$NS_PLEDGE" env CRASH=after:state:1 LD_PRELOAD="$BUILD/tests/crash.so" \
		"$BUILD/supplicant/wpa_supplicant" -t -d -D wired -i eth0 -c "$LAB/device/wpa_supplicant.conf"
	for _ in $(seq 600); do
		lab_runs pledge || break
		sleep 0.05
	done
	lab_stop pledge KILL
	switch_forgets
	lab_since pledge "$PLEDGE_MARK" | grep -q '^crash: '
}

# From state to state, until it is in that one.
die_until() { # STATE
	local before after
	for _ in $(seq 12); do
		before=$(state_of)
		run_until_change 2> /dev/null || { not_ok "it was not killed in ${before:-start}" && return; }
		after=$(state_of)
		[ "$before" = "$after" ] || ok "killed when it was in ${before:-start} and came to $after"
		[ "$after" != "$1" ] || return 0
	done
	not_ok "it never came to $1"
}

lab_begin
wired_network
lab_pki
BRSKI_OPTIONS="retry_after = 1"$'\n'"retry_interval_min = 1"$'\n'"retry_interval_max = 1"
lab_store
lab_masa --min-interval 0
lab_device "$SERIAL"
lab_port CA_PORT
lab_radius
wired_switch
pledge_config

echo "# The device is not wanted at first"
brskictl device remove acme "$SERIAL" > /dev/null
sed -i 's/brski_state=/brski_backoff=2 brski_state=/' "$LAB/device/wpa_supplicant.conf"
PLEDGE_MARK=$(lab_mark pledge)
lab_start pledge "$NS_PLEDGE" "$BUILD/supplicant/wpa_supplicant" -t -d -D wired -i eth0 -c "$LAB/device/wpa_supplicant.conf"
check "it pauses once it is refused" lab_wait_log pledge 'EAP-BRSKI: the next attempt to be onboarded in [1-3] s' 20 "$PLEDGE_MARK"
check "its port is silent" lab_wait_log pledge 'External notification - portEnabled=0' 5 "$PLEDGE_MARK"
check "and is not for longer" lab_wait_log pledge 'External notification - portEnabled=1' 10 "$(lab_mark pledge)"
lab_stop pledge KILL
brskictl device add acme "$SERIAL" > /dev/null
switch_forgets

echo "# The PKI is away"
die_until poll
first=$(key)
check "the port is closed" not port_is_open
mark=$(lab_mark radius)
lab_ca
echo "# The PKI is back"
check "its request is forwarded in the background" lab_wait_log radius 'certificate: PKI .* issued' 10 "$mark"
die_until enrolled
pledge_start -d
check "it logs in with its certificate" lab_wait_log pledge 'EAP-BRSKI: logged-in' 20 "$PLEDGE_MARK"
check "and the port opens" port_opens
check "its key is the one that it had made first" test "$(key)" = "$first"
check "the MASA has issued one voucher" test "$(vouchers_of "$SERIAL")" = 1
check "the CA has issued one certificate" test "$(certificates)" = 1
finish
