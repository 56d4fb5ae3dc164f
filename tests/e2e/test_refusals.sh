#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What must fail, fails, with the real daemons: EAP-Failure, the reason in the operator's log in plain words, the standard status to
# the peer, no LDevID, and the server goes on serving.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/refusals_lib.sh
. "$(dirname "$0")/refusals_lib.sh"

# One device that must not get in.
#   OPERATOR: what the operator's log must say; PEER: what the device's log must say
refused() { # DESCRIPTION NAME OPERATOR PEER
	local what=$1 name=$2 operator=$3 peer=$4 mark problem=
	mark=$(lab_mark radius)
	if join "$name"; then problem+=" it got in;"; fi
	said "$name" 'CTRL-EVENT-EAP-FAILURE' || problem+=" no EAP-Failure;"
	said "$name" "$peer" || problem+=" the device was not told '$peer';"
	has_ldevid "$name" && problem+=" it has an LDevID;"
	# A CA that is itself at fault may well have issued one; what counts there is that nobody keeps it.
	[[ $name == ca-* ]] || ! grep -q "certificate .* for serialNumber=$name," "$LAB/ca.log" || problem+=" the CA has issued a certificate;"
	lab_wait_log radius "$operator" 5 "$mark" || problem+=" the operator's log lacks '$operator';"
	lab_runs radius || problem+=" the server has died;"
	still_serving_here || problem+=" the server does not serve any more;"
	if [ -z "$problem" ]; then
		ok "$what"
		return
	fi
	not_ok "$what:$problem"
	lab_since radius "$mark" | grep -v healthy | head -n 20 | sed 's/^/#   radius: /'
	grep -E 'EAP-BRSKI|CTRL-EVENT' "$LAB/devices/$name/log" | tail -n 8 | sed 's/^/#   device: /'
}

# Whether others are served is only worth asking where the back end itself is right: elsewhere it is asked when that has been mended.
still_serving_here() {
	[ "$BACKEND_IS_ROGUE" = yes ] || still_serving
}

device() { # SERIAL: known to everybody, to be refused
	good_device "$1"
}

lab_begin
lab_pki
pki_manufacturer other Other
pki_operator foreign "Foreign Network"
BRSKI_OPTIONS="wait_total = 2"
lab_store
lab_masa
lab_ca
lab_radius
check "a device that nothing is wrong with gets in" still_serving

echo "# The device"
pki_idevid acme stranger
lab_masa_device stranger
device_config stranger stranger
refused "a device that is not in the inventory" stranger 'not in the inventory' '403'

pki_idevid other lost
device_config lost lost
refused "a device of an unknown manufacturer" lost 'no known manufacturer.*Other' 'TLS alert: unknown CA'

pki_idevid acme old "${PKI_EXPIRED[@]}"
lab_device old
device_config old old
refused "an IDevID that has expired" old 'expired' 'TLS alert: certificate expired'

device revoked
pki_crl acme idevid-revoked
brskictl manufacturer set acme --crl "$PKI/acme-ca.crl" > /dev/null
refused "an IDevID that the configuration revokes" revoked 'revoked' 'TLS alert: certificate revoked'
brskictl manufacturer set acme --clear crl > /dev/null

echo "# The MASA"
pki_idevid acme unsold
brskictl device add acme unsold > /dev/null
device_config unsold unsold
refused "the MASA refuses" unsold 'MASA.*(refused|40[34])' '403|404'

device masa-away
lab_stop masa
BACKEND_IS_ROGUE=yes
refused "the MASA is down" masa-away 'MASA' 'EAP-BRSKI: deferred: [0-9]+'
mended "the MASA is down"

device masa-false
BACKEND_IS_ROGUE=yes
MASA_TLS=foreign-radius masa_again
refused "the MASA's HTTPS certificate does not verify" masa-false 'requestvoucher does not answer: .*SSL certificate problem' 'EAP-BRSKI: deferred: [0-9]+'
mended "the MASA's HTTPS certificate does not verify"

# Each of these is refused by the registrar; and, where the registrar is told to hand vouchers on unseen, by the device itself.
voucher_case() { # FAULT NAME OPERATOR PEER
	rogue_masa "$1"
	device "$2"
	refused "$1 voucher, seen by the registrar" "$2" "$3" '403|502'
	brskictl manufacturer set acme --no-voucher-check > /dev/null
	device "$2-unseen"
	refused "$1 voucher, seen by the device" "$2-unseen" "$4" 'EAP-BRSKI: failed: '
	brskictl manufacturer set acme --clear no-voucher-check > /dev/null
}
voucher_cases
mended "false vouchers"

rogue_masa foreign-domain-audit
device secondhand
refused "the audit log names a foreign domain" secondhand 'audit' '403'
brskictl manufacturer set acme --allow-foreign-domains > /dev/null
device secondhand-allowed
check "the same, where the operator allows it" join secondhand-allowed
brskictl manufacturer set acme --clear allow-foreign-domains > /dev/null
mended "a foreign domain in the audit log"

echo "# The PKI"
rogue_ca refuse
device ca-refuses
refused "the CA refuses" ca-refuses '(PKI|CA).*(refus|reject)' 'reject|refus'
mended "the CA refuses"

device ca-away
lab_stop ca
BACKEND_IS_ROGUE=yes
refused "the CA is down" ca-away 'PKI|CA' 'EAP-BRSKI: deferred: [0-9]+'
mended "the CA is down"

ca_case() { # FAULT NAME OPERATOR
	rogue_ca "$1"
	device "$2"
	refused "the CA answers with $1, seen by the registrar" "$2" "$3" 'EAP-BRSKI: failed: '
	lab_stop radius
	BRSKI_OPTIONS="wait_total = 2"$'\n'"check_pki_answers = no" lab_radius
	device "$2-unseen"
	refused "the CA answers with $1, seen by the device" "$2-unseen" 'pledge could not enroll' 'EAP-BRSKI: failed: '
	lab_stop radius
	lab_radius
}
ca_case other-key ca-key 'key'
ca_case other-subject ca-subject 'subject'
ca_case bad-signature ca-signature 'signature|protection'
mended "false answers of the CA"

echo "# Devices that lie"
[ -x "$BUILD/tests/radius-pledge" ] || lab_die "$BUILD/tests/radius-pledge is missing: run make"
evil() { # NAME OPTIONS...: the driver on the library does what no real device does
	local name=$1
	shift
	mkdir -p "$LAB/evil/$name/idevid" "$LAB/evil/$name/state"
	cp "$PKI/idevid-$name.pem" "$PKI/idevid-$name.key" "$LAB/evil/$name/idevid/"
	"$BUILD/tests/radius-pledge" --server "127.0.0.1:$RADIUS_PORT" --secret testing123 --idevid-dir "$LAB/evil/$name/idevid" \
		--state-dir "$LAB/evil/$name/state" --masa-ca "$PKI/acme-ca.pem" --count 1 --concurrency 1 \
		--summary "$LAB/evil/$name/summary.json" "$@" > "$LAB/evil/$name/log" 2>&1
}

evil_refused() { # DESCRIPTION NAME OPERATOR OPTIONS...
	local what=$1 name=$2 operator=$3 mark problem=
	shift 3
	lab_device "$name"
	mark=$(lab_mark radius)
	if evil "$name" "$@"; then problem+=" it got in;"; fi
	lab_wait_log radius "$operator" 5 "$mark" || problem+=" the operator's log lacks '$operator';"
	find "$LAB/evil/$name/state" -name 'ldevid-*.pem' | grep -q . && problem+=" it has an LDevID;"
	still_serving || problem+=" the server does not serve any more;"
	if [ -z "$problem" ]; then ok "$what"; else
		not_ok "$what:$problem"
		lab_since radius "$mark" | head -n 10 | sed 's/^/#   radius: /'
		tail -n 5 "$LAB/evil/$name/log" | sed 's/^/#   device: /'
	fi
}
evil_refused "an IDevID without its private key" keyless 'signature|alert|handshake' --fault wrong-key
pki_idevid acme accomplice
cat "$PKI/idevid-accomplice.pem" "$PKI/idevid-accomplice.key" > "$LAB/accomplice.pem"
evil_refused "a certification request signed by another device" borrowed 'another device' --fault "sign-cmp-with=$LAB/accomplice.pem"

echo "# Devices that vanish"
vanished=0
while lab_device "vanish-$((vanished + 1))" && ! evil "vanish-$((vanished + 1))" --vanish-after $((vanished + 1)); do
	vanished=$((vanished + 1))
	lab_runs radius || lab_die "the server has died after a device vanished at packet $vanished"
	[ $vanished -lt 40 ] || break
done
check "devices vanish after each of their $vanished packets but the last" [ "$vanished" -ge 7 -a "$vanished" -lt 40 ]
check "and others are served" still_serving
finish
