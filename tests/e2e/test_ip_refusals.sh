#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What test_refusals.sh does at the EAP door, at brski-registrar's, which is built with sanitizers: what must fail, fails; the reason is in the
# operator's log in plain words, the peer is told the standard status, there is no LDevID, and the registrar goes on serving.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/ip_lib.sh
. "$(dirname "$0")/ip_lib.sh"
# shellcheck source=tests/e2e/refusals_lib.sh
. "$(dirname "$0")/refusals_lib.sh"

# One device that must not get in.
#   OPERATOR: what the operator's log must say; PEER: what the device must be told
refused() { # DESCRIPTION NAME OPERATOR PEER [options of the driver]
	local what=$1 name=$2 operator=$3 peer=$4 mark problem=
	shift 4
	mark=$(lab_mark registrar)
	if drive "$name" --trace "$@"; then problem+=" it got in;"; fi
	grep -Eq -- "$peer" "$LAB/devices/$name/log" || problem+=" the device was not told '$peer';"
	has_ldevid "$name" && problem+=" it has an LDevID;"
	# A CA that is itself at fault may well have issued one; what counts there is that nobody keeps it.
	[[ $name == ca-* ]] || ! grep -q "certificate .* for serialNumber=$name," "$LAB/ca.log" || problem+=" the CA has issued a certificate;"
	lab_wait_log registrar "$operator" 5 "$mark" || problem+=" the operator's log lacks '$operator';"
	lab_runs registrar || problem+=" the registrar has died;"
	still_serving_here || problem+=" the registrar does not serve any more;"
	told "$what" "$name" "$mark" "$problem"
}

told() { # DESCRIPTION NAME MARK PROBLEM
	if [ -z "$4" ]; then
		ok "$1"
		return
	fi
	not_ok "$1:$4"
	lab_since registrar "$3" | grep -v healthy | head -n 12 | sed 's/^/#   registrar: /'
	tail -n 8 "$LAB/devices/$2/log" | sed 's/^/#   device: /'
}

still_serving() {
	HEALTHY=$((HEALTHY + 1))
	driven_device "healthy-$HEALTHY"
	drive "healthy-$HEALTHY" && has_ldevid "healthy-$HEALTHY"
}

# Whether others get in is asked at the end of each part, when the back end itself is right again.
still_serving_here() {
	ask "" $BRSKI --max-time 3
	gives 200
}

ip_sanitized
REGISTRAR_OPTIONS="wait = 2"$'\n'"retry_interval_min = 1"$'\n'"retry_interval_max = 2"
ip_begin
pki_manufacturer other Other
pki_operator foreign "Foreign Network"
check "a device that nothing is wrong with gets in" still_serving

echo "# The device"
pki_idevid acme stranger
lab_masa_device stranger
driven stranger
refused "a device that is not in the inventory" stranger 'not in the inventory' 'requestvoucher 403'

pki_idevid other lost
driven lost
refused "a device of an unknown manufacturer" lost 'no known manufacturer.*Other' 'requestvoucher 403'

pki_idevid acme old "${PKI_EXPIRED[@]}"
driven_device old
refused "an IDevID that has expired" old 'expired' 'requestvoucher 403'

driven_device revoked
pki_crl acme idevid-revoked
brskictl manufacturer set acme --crl "$PKI/acme-ca.crl" > /dev/null
refused "an IDevID that the configuration revokes" revoked 'revoked' 'requestvoucher 403'
brskictl manufacturer set acme --clear crl > /dev/null

driven_device nobody
refused "no client certificate" nobody 'no certificate' 'requestvoucher 403' --fault no-certificate

echo "# The MASA"
pki_idevid acme unsold
brskictl device add acme unsold > /dev/null
driven unsold
refused "the MASA refuses" unsold 'MASA.*(refused|40[34])' 'requestvoucher 40[34]'

driven_device masa-away
lab_stop masa
refused "the MASA is down" masa-away 'MASA' 'deferred: '
mended "the MASA is down"

driven_device masa-false
MASA_TLS=foreign-radius masa_again
refused "the MASA's HTTPS certificate does not verify" masa-false 'requestvoucher does not answer: .*SSL certificate problem' 'deferred: '
mended "the MASA's HTTPS certificate does not verify"

# Each of these is refused by the registrar; and, where the registrar is told to hand vouchers on unseen, by the device itself.
voucher_case() { # FAULT NAME OPERATOR PEER
	rogue_masa "$1"
	driven_device "$2"
	refused "$1 voucher, seen by the registrar" "$2" "$3" 'requestvoucher (403|502)'
	brskictl manufacturer set acme --no-voucher-check > /dev/null
	driven_device "$2-unseen"
	refused "$1 voucher, seen by the device" "$2-unseen" "$4" 'failed: '
	brskictl manufacturer set acme --clear no-voucher-check > /dev/null
}
rogue_masa refuse
driven_device masa-refuses
refused "the MASA refuses whoever asks" masa-refuses 'MASA.*(refused|403)' 'requestvoucher 403'
voucher_cases
rogue_masa garbage
driven_device voucher-garbage
refused "garbage in place of a voucher" voucher-garbage 'voucher' 'requestvoucher (403|502)'
mended "false vouchers"

rogue_masa foreign-domain-audit
driven_device secondhand
refused "the audit log names a foreign domain" secondhand 'audit' 'requestvoucher 403'
brskictl manufacturer set acme --allow-foreign-domains > /dev/null
driven_device secondhand-allowed
check "the same, where the operator allows it" drive secondhand-allowed
brskictl manufacturer set acme --clear allow-foreign-domains > /dev/null
mended "a foreign domain in the audit log"

echo "# The PKI"
# The same fault for a device that comes by CMP and for one that comes by EST.
est_refused() { # DESCRIPTION NAME OPERATOR STATUS
	local mark problem=
	with_voucher "$2"
	certification_request "$2"
	mark=$(lab_mark registrar)
	enroll "$2"
	[[ $STATUS =~ ^($4)$ ]] || problem+=" it was told $STATUS;"
	words 'BEGIN CERT|^MII' && problem+=" it has a certificate;"
	lab_wait_log registrar "$3" 5 "$mark" || problem+=" the operator's log lacks '$3';"
	lab_runs registrar || problem+=" the registrar has died;"
	: > "$LAB/devices/$2/log"
	told "$1" "$2" "$mark" "$problem"
}

rogue_ca refuse
driven_device ca-refuses
refused "the CA refuses" ca-refuses '(PKI|CA).*(refus|reject)' 'failed: .*(reject|refus)'
est_refused "... by EST" ca-est-refuses '(PKI|CA).*(refus|reject)' 403
mended "the CA refuses"

driven_device ca-away
lab_stop ca
refused "the CA is down" ca-away 'PKI|CA' 'deferred: '
est_refused "... by EST" ca-est-away 'PKI|CA' 202
mended "the CA is down"

ca_case() { # FAULT NAME OPERATOR
	rogue_ca "$1"
	driven_device "$2"
	refused "the CA answers with $1, seen by the registrar" "$2" "$3" 'failed: '
	est_refused "... by EST" "$2-est" "$3" '403|502'
}
ca_case other-key ca-key 'key'
ca_case other-subject ca-subject 'subject'
ca_case bad-signature ca-signature 'signature|protection'
ca_case bad-certificate ca-certificate 'certificate'
ca_case wrong-signer ca-signer 'sign|trust|verif'
ca_case wrong-issuer ca-issuer 'issuer|trust|verif'
ca_case garbage ca-garbage 'PKI'

rogue_ca no-confirm
driven_device ca-silent
check "the CA takes no confirmation: the device is told to come back" not drive ca-silent
check "... by the registrar" grep -q 'deferred: ' "$LAB/devices/ca-silent/log"
est_refused "... by EST" ca-silent-est 'PKI' 202
cp "$LAB/csr" "$LAB/csr-silent"
mended "a CA that takes no confirmation"
check "then that device gets in" drive ca-silent --visits 10
confirmed_at_last() {
	for _ in $(seq 50); do
		CSR=$LAB/csr-silent enroll ca-silent-est
		[ "$STATUS" = 202 ] || break
		sleep 0.2
	done
	gives 200 && enrolled ca-silent-est
}
check "... by EST, too" confirmed_at_last
for name in ca-silent ca-silent-est; do check "$name: one voucher, one certificate" one_of_each $name; done

lab_stop registrar
options=$REGISTRAR_OPTIONS
REGISTRAR_OPTIONS+=$'\n'"check_pki_answers = no"
lab_registrar
for fault in other-key other-subject bad-signature; do
	rogue_ca $fault
	driven_device "ca-$fault-unseen"
	refused "the CA answers with $fault, seen by the device" "ca-$fault-unseen" 'pledge could not enroll' 'failed: '
done
lab_stop registrar
REGISTRAR_OPTIONS=$options
lab_registrar
mended "false answers of the CA"

echo "# Devices that lie"
driven_device keyless
refused "an IDevID without its private key" keyless 'signature|alert|handshake' 'failed: ' --fault wrong-key
pki_idevid acme accomplice
cat "$PKI/idevid-accomplice.pem" "$PKI/idevid-accomplice.key" > "$LAB/accomplice.pem"
driven_device borrowed
refused "a certification request signed by another device" borrowed 'another device' 'failed: ' --fault "sign-cmp-with=$LAB/accomplice.pem"
driven_device misled
refused "a device that saw another registrar" misled 'proximity' 'requestvoucher 401' --fault "proximity=$PKI/foreign-registrar.pem"

echo "# Devices that vanish"
vanished=0
while driven_device "vanish-$((vanished + 1))" && ! drive "vanish-$((vanished + 1))" --vanish-after $((vanished + 1)); do
	vanished=$((vanished + 1))
	lab_runs registrar || lab_die "the registrar has died after a device vanished at request $vanished"
	[ $vanished -lt 40 ] || break
done
check "devices vanish after each of their $vanished requests but the last" [ "$vanished" -ge 3 -a "$vanished" -lt 40 ]
check "and others are served" still_serving
check "the registrar ends in order" ends_in_order
finish
