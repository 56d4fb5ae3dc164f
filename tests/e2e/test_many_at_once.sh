#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two hundred devices with keys of their own join at the same time: all succeed, none twice. A server that is too busy puts some off, who
# come back. A second crowd needs no more memory. Then, with fewer,
# valgrind looks for what the module leaves behind, when devices succeed, fail and vanish.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

MANY=${MANY:-200}

# Devices that everybody knows, as a folder for the driver.
crowd() { # PREFIX COUNT
	mkdir -p "$LAB/$1"
	for i in $(seq -w "$2"); do
		lab_device "$1-$i"
		mv "$PKI/idevid-$1-$i.pem" "$LAB/$1/$1-$i.pem"
		mv "$PKI/idevid-$1-$i.key" "$LAB/$1/$1-$i.key"
	done
}

drive() { # PREFIX [options of radius-pledge]
	local prefix=$1
	shift
	"$BUILD/tests/radius-pledge" --server "127.0.0.1:$RADIUS_PORT" --secret testing123 --idevid-dir "$LAB/$prefix" \
		--state-dir "$LAB/$prefix-state" --masa-ca "$PKI/acme-ca.pem" --summary "$LAB/$prefix.json" "$@" \
		> "$LAB/$prefix.log" 2>&1
}

number() { # PREFIX KEY
	grep -m1 "\"$2\":" "$LAB/$1.json" | tr -dc 0-9
}

serials_of() { # PREFIX: the certificates that its devices have
	for cert in "$LAB/$1-state"/*/ldevid-1.pem; do openssl x509 -in "$cert" -noout -serial -pubkey | sha256sum; done
}

each_has_its_own() { # PREFIX COUNT
	[ "$(serials_of "$1" | sort -u | wc -l)" -eq "$2" ] &&
		! compgen -G "$LAB/$1-state/*/ldevid-2.pem" > /dev/null
}

issued_once() { # COUNT
	[ "$(grep -c 'certificate: PKI .* issued a certificate' "$LAB/radius.log")" -eq "$1" ] &&
		[ "$(grep -c 'has been onboarded' "$LAB/radius.log")" -eq "$1" ]
}

# What the CA's and the MASA's own books say.
ca_has() { # COUNT
	local list
	list=$("$BUILD/brski-ca" --db "$LAB/ca/ca.db" list | sed -nE 's/.* confirmed serialNumber=([a-z0-9-]+),.*/\1/p')
	[ "$(wc -l <<< "$list")" -eq "$1" ] && [ "$(sort -u <<< "$list" | wc -l)" -eq "$1" ]
}

masa_has() { # COUNT
	local list
	list=$("$BUILD/brski-masa" --db "$LAB/masa/masa.db" --most 100000 log | sed -nE 's/^[^ ]+ voucher +200 +[^ ]+ +([^ ]+) .*/\1/p')
	[ "$(wc -l <<< "$list")" -eq "$1" ] && [ "$(sort -u <<< "$list" | wc -l)" -eq "$1" ]
}

resident() { # in KiB
	sed -nE 's/^VmRSS:[^0-9]*([0-9]+) kB/\1/p' "/proc/${LAB_PID[radius]}/status"
}

# What one crowd needs is kept by the allocator, and serves the next.
grew_little() { # START FIRST BEFORE AFTER
	[ $((($4 - $3) * 4)) -lt $(($2 - $1)) ]
}

# Under valgrind the server takes its time to end, and to count.
stop_slowly() {
	kill -TERM "${LAB_PID[radius]}"
	for _ in $(seq 600); do
		kill -0 "${LAB_PID[radius]}" 2> /dev/null || break
		sleep 0.1
	done
	lab_stop radius
}

# What valgrind found that has a function of ours in its trace.
ours_in_valgrind() {
	cat "$LAB"/valgrind.*.log | sed 's/^==[0-9]*== \{0,1\}//' | awk -v RS= '/brski/ && !/^Command/ { print; print "" }' |
		grep -E -B1 -A12 'Invalid|uninitialised|lost in loss record' | tee "$LAB/valgrind.ours"
}

no_complaint_of_valgrind() {
	grep -q 'ERROR SUMMARY' "$LAB"/valgrind.*.log && [ -z "$(ours_in_valgrind)" ]
}

lab_begin
lab_pki
lab_store
lab_masa --min-interval 0
lab_ca
lab_radius
start=$(resident)

crowd crowd "$MANY"
check "$MANY devices at once: all are enrolled" drive crowd --timeout 10000 --visits 20 --put-off 2000
echo "# $(number crowd milliseconds) ms in all; round trips: $(grep -A5 '"round_trips"' "$LAB/crowd.json" | tr -d ' \n{}')"
check "each has a certificate of its own" each_has_its_own crowd "$MANY"
check "the PKI was asked once for each" issued_once "$MANY"
check "the CA has issued $MANY certificates, to $MANY devices" ca_has "$MANY"
check "the MASA has issued $MANY vouchers, for $MANY devices" masa_has "$MANY"
[ "$FAILED" -eq 0 ] || tail -n 5 "$LAB/crowd.log" | sed 's/^/# /'

first=$(resident)
check "the same devices, reset, at once: all are enrolled" drive crowd --timeout 10000 --visits 20 --put-off 2000
second=$(resident)
echo "# the server's memory: $start KiB, $first KiB after the first crowd, $second KiB after the second"
before=$first after=$second
# On a busy machine fewer of the first crowd are there at the same time than of the second. What leaks, leaks every time.
if ! grew_little "$start" "$first" "$before" "$after"; then
	check "a third time: all are enrolled" drive crowd --timeout 10000 --visits 20 --put-off 2000
	before=$second after=$(resident)
	echo "# $after KiB after the third"
fi
check "another crowd needs the memory of the first" grew_little "$start" "$first" "$before" "$after"

lab_stop radius
: > "$LAB/radius.log"
RADIUS_WRAPPER="valgrind --leak-check=full --show-leak-kinds=definite,indirect,possible --keep-debuginfo=yes --num-callers=30 \
--log-file=$LAB/valgrind.%p.log" RADIUS_START=120 lab_radius
crowd few 6
check "a few, under valgrind: all are enrolled" drive few --timeout 60000
crowd gone 4
for n in 1 2 3 4; do drive gone --timeout 60000 --vanish-after $((n * 2 + 1)) && not_ok "vanished, and yet got in"; done
crowd evil 1
drive evil --timeout 60000 --fault wrong-key && not_ok "a wrong key got in"
lab_stop masa
crowd late 2
drive late --timeout 60000 && not_ok "got in without MASA"
lab_runs radius || not_ok "the server has died under valgrind"
stop_slowly
check "valgrind has nothing to say of our code" no_complaint_of_valgrind
[ ! -s "$LAB/valgrind.ours" ] || sed 's/^/#   /' "$LAB/valgrind.ours" | head -n 60
finish
