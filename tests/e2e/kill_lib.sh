# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What the tests that kill processes share: a device that comes until it is in, daemons that a service manager starts again, and the
# books, which must balance afterwards. Sourced after lib.sh.

# A back end that was killed is asked again after a second; a device may come back after one.
# shellcheck disable=SC2034 # for lab_radius_config, by who sources this
KILL_OPTIONS="retry_after = 1"$'\n'"retry_interval_min = 1"$'\n'"retry_interval_max = 2"
VISITS_MAX=${VISITS_MAX:-60}

# ---- A device ----

is_enrolled() { # NAME
	grep -q '"state":"enrolled"' "$LAB/devices/$1/state/state" 2> /dev/null
}

# As long as it was told to stay away, if it was, and the rest of a second, since its clock has seconds only. A start that is too early
# does nothing until its time is out.
stay_away() { # NAME
	local told
	told=$(tail -c "+$VISIT_MARK" "$LAB/devices/$1/log" | sed -nE 's/.*EAP-BRSKI: deferred: ([0-9]+)$/\1/p' | tail -n 1)
	sleep "$((${told:--1} + 1)).1"
}

# One start of its supplicant, whose process id is in the file "pid" meanwhile. Its log grows from visit to visit.
visit() { # NAME
	local dir=$LAB/devices/$1 status=0
	touch "$dir/log"
	VISIT_MARK=$(stat -c %s "$dir/log")
	"$BUILD/supplicant/eapol_test" -c "$dir/conf" -a 127.0.0.1 -p "$RADIUS_PORT" -s testing123 -t "${JOIN_TIMEOUT:-15}" \
		>> "$dir/log" 2>&1 &
	echo $! > "$dir/pid"
	wait $! 2> /dev/null || status=$?
	rm -f "$dir/pid"
	return $status
}

# It comes until it has been let in, whatever is killed meanwhile.
visits() { # NAME
	for _ in $(seq "$VISITS_MAX"); do
		visit "$1" && is_enrolled "$1" && return
		stay_away "$1"
	done
	return 1
}

# ---- Daemons ----

# What is left of a daemon that was killed, or has killed itself.
bury() { # NAME
	wait "${LAB_PID[$1]}" 2> /dev/null || true
	unset "LAB_PID[$1]"
}

start() { # NAME
	case $1 in
	radius) lab_radius ;;
	masa) lab_masa --min-interval 0 ;;
	ca) lab_ca ;;
	esac
}

kill_daemon() { # NAME
	kill -KILL "${LAB_PID[$1]}" 2> /dev/null || true
	bury "$1"
}

# ---- The books ----

devices() {
	find "$LAB/devices" -mindepth 1 -maxdepth 1 | wc -l
}

stores_are_sound() {
	local db
	for db in "$DB" "$LAB/masa/masa.db" "$LAB/ca/ca.db"; do
		[ "$(sql "$db" 'PRAGMA integrity_check')" = ok ] || return
	done
	brskictl queue > /dev/null && "$BUILD/brski-ca" --db "$LAB/ca/ca.db" list > /dev/null &&
		"$BUILD/brski-masa" --db "$LAB/masa/masa.db" log > /dev/null
}

all_enrolled() {
	local dir
	for dir in "$LAB"/devices/*; do is_enrolled "$(basename "$dir")" || return; done
}

# SHA-256 of every certification request and confirmation that the registrar has accepted.
accepted_requests() {
	sql "$DB" "SELECT json_extract(CAST(blob AS TEXT), '$.request') FROM job WHERE json_extract(CAST(blob AS TEXT), '$.kind') = 'cmp'" |
		while read -r request; do base64 -d <<< "$request" | sha256sum | cut -c -64; done | sort
}

# The same of those that the CA has acted on.
served_requests() {
	sql "$LAB/ca/ca.db" "SELECT lower(hex(digest)) FROM certificates UNION ALL
		SELECT lower(hex(conf_digest)) FROM certificates WHERE length(conf_digest) > 0" | sort
}

one_certificate_per_request() {
	accepted_requests > "$LAB/accepted"
	served_requests > "$LAB/served"
	cmp "$LAB/accepted" "$LAB/served" && [ -s "$LAB/served" ] && [ -z "$(uniq -d "$LAB/served")" ]
}

# One request of each device, one certificate, confirmed, and it is the one that the device has.
one_certificate_per_device() {
	[ "$(sql "$LAB/ca/ca.db" 'SELECT count(*), count(DISTINCT subject), sum(state = 1) FROM certificates')" = \
		"$(devices)|$(devices)|$(devices)" ] || return
	for cert in "$LAB"/devices/*/state/ldevid-*.pem; do
		[[ $cert == *-ca.pem ]] || openssl x509 -in "$cert" -noout -serial | cut -d= -f2 | tr A-F a-f
	done | sort > "$LAB/held"
	sql "$LAB/ca/ca.db" 'SELECT serial FROM certificates' | sort | cmp - "$LAB/held"
}

one_voucher_per_device() {
	[ "$(sql "$LAB/masa/masa.db" 'SELECT count(*), count(DISTINCT device) FROM vouchers')" = "$(devices)|$(devices)" ] &&
		[ "$(sql "$DB" "SELECT count(*), count(DISTINCT serial_number) FROM job
			WHERE json_extract(CAST(blob AS TEXT), '$.kind') = 'voucher'")" = "$(devices)|$(devices)" ]
}

nothing_refused() {
	[ "$(sql "$DB" "SELECT count(*) FROM job WHERE json_extract(CAST(blob AS TEXT), '$.state') = 'refused'")" = 0 ]
}

# That a server knows nothing of a conversation with the one before it ends that conversation, and nothing else.
nothing_set_aside() {
	! grep -E 'set aside|starts over|EAP-BRSKI: failed' "$LAB"/devices/*/log | grep -Ev 'the server (refused|fell silent)$' &&
		! compgen -G "$LAB/devices/*/state/aside-*" > /dev/null
}

no_trouble_logged() {
	! grep -E 'not to be read|database:|rlm_brski.*Error' "$LAB"/{radius,masa,ca}.log
}

log_in_again() {
	local dir status=0 pids=()
	for dir in "$LAB"/devices/*; do
		while [ "$(jobs -rp | wc -l)" -ge 8 ]; do sleep 0.02; done
		visit "$(basename "$dir")" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid" || status=1; done
	[ "$(grep -l 'EAP-BRSKI: logged-in' "$LAB"/devices/*/log | wc -l)" -eq "$(devices)" ] && return $status
}

balance() {
	check "all $(devices) devices are enrolled" all_enrolled
	check "nothing waits any more" nothing_queued
	check "nothing was refused" nothing_refused
	check "the PKI has issued one certificate for each request accepted, and no other" one_certificate_per_request
	check "each device has one certificate, confirmed, and holds it" one_certificate_per_device
	check "the MASA has issued one voucher for each device, for one request" one_voucher_per_device
	check "no device has set its state aside, failed or started over" nothing_set_aside
	check "the stores are sound" stores_are_sound
	check "the servers had no trouble with their stores" no_trouble_logged
	check "every device logs in with its certificate" log_in_again
}
