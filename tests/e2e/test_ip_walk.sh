#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# curl and the openssl program walk through RFC 8995 and RFC 7030 at brski-registrar, and every MUST of theirs is refused once.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/ip_lib.sh
. "$(dirname "$0")/ip_lib.sh"

ip_begin

# The registrar's certificate leads to the pinned one.
pinned_vouches_for_registrar() {
	leaf pinned-domain-cert | base64 -d | openssl x509 -inform DER -out "$LAB/pinned.pem" &&
		openssl verify -CAfile "$LAB/pinned.pem" -purpose any "$LAB/proximity.pem" > /dev/null
}

ca_certificate_is_here() {
	certs_of_answer "$LAB/cacerts.pem" && grep -q 'BEGIN CERT' "$LAB/cacerts.pem" &&
		[ "$(openssl x509 -in "$LAB/cacerts.pem" -outform DER | sha256sum)" = "$(openssl x509 -in "$PKI/home-ca.pem" -outform DER | sha256sum)" ]
}

asn1_of_answer() {
	base64 -d < "$LAB/answer" | openssl asn1parse -inform DER
}

echo "# RFC 8995 and RFC 7030, TLS 1.3"
ask "" $BRSKI
check "which paths there are is told without a certificate" gives 200
check "... in RFC 8995's form" words 'requestvoucher'
ask "" $EST/cacerts
check "so are the CA certificates" gives 200
lab_device D-1
voucher_request D-1
ask_voucher D-1 --tlsv1.3
check "a voucher-request signed by openssl cms, with what the handshake showed" gives 200
check "... gets a voucher" field content-type 'application/voucher-cms\+json'
cp "$LAB/answer" "$LAB/voucher-1"
check "... for this device, and openssl verifies it" leaf_is serial-number D-1
check "... with its nonce" leaf_is nonce "$NONCE"
check "... whose MASA saw proof of proximity" leaf_is assertion proximity
check "... that vouches for this registrar" pinned_vouches_for_registrar
ask_voucher D-1
check "the same request gets the same voucher" cmp "$LAB/answer" "$LAB/voucher-1"
tell D-1 voucher_status true
check "voucher status" gives 200
ask D-1 $EST/cacerts
check "CA certificates" gives 200
check "... of RFC 7030's type" field content-type 'application/pkcs7-mime.*'
check "... the network's own" ca_certificate_is_here
ask D-1 $EST/csrattrs
check "what a request must have" gives 200
check "... of RFC 7030's type" field content-type 'application/csrattrs'
check "... is DER in base64" asn1_of_answer > /dev/null
check "... and names this device" eval 'asn1_of_answer | grep -q ":D-1\$"'
certification_request D-1
enroll D-1
check "a certificate for a request of openssl req" gives 200
check "... of RFC 7030's type" field content-type 'application/pkcs7-mime; *smime-type=certs-only'
check "... which openssl verifies, and no other" enrolled D-1
cp "$LAB/answer" "$LAB/certificate-1"
enroll D-1
check "the same request gets the same certificate" cmp "$LAB/answer" "$LAB/certificate-1"
tell D-1 enrollstatus true
check "enrollment status" gives 200
check "the history tells all of it" eval 'for e in voucher-request voucher audit-log voucher-status cert-request certificate enroll-status; do
	history_has D-1 "[[:space:]]$e" || { echo "# $e"; false; }; done'
check "one voucher, one certificate" one_of_each D-1

echo "# The same over TLS 1.2, one connection for all"
with_voucher D-2
certification_request D-2
all_on_one_connection() {
	curl -sS --tls-max 1.2 --max-time 60 --cacert "$PKI/home-ca.pem" --cert "$PKI/idevid-D-2.pem" --key "$PKI/idevid-D-2.key" -v \
		"$(url $EST/cacerts)" -o "$LAB/one" --next \
		--tls-max 1.2 --cacert "$PKI/home-ca.pem" --cert "$PKI/idevid-D-2.pem" --key "$PKI/idevid-D-2.key" -v \
		-H 'Content-Type: application/pkcs10' --data-binary "@$LAB/csr" "$(url $EST/simpleenroll)" -o "$LAB/answer" > "$LAB/keep.log" 2>&1
	grep -q 'Re-using existing .*connection' "$LAB/keep.log" && enrolled D-2
}
check "keep-alive" all_on_one_connection
tell D-2 enrollstatus true --tls-max 1.2
check "enrollment status" gives 200
check "one voucher, one certificate" one_of_each D-2

echo "# simplereenroll"
with_voucher D-3
certification_request D-3 "/O=Acme/CN=Another name/serialNumber=D-3"
enroll D-3 simplereenroll
check "another subject than the certificate's" gives 403
certification_request D-3
enroll D-3 simplereenroll
check "the certificate's own subject" gives 200
check "... and the certificate is right" enrolled D-3

echo "# Refusals: who asks"
lab_device D-4
voucher_request D-4
ask "" $BRSKI/requestvoucher -H "Content-Type: $VOUCHER_TYPE" --data-binary "@$LAB/request"
check "a voucher-request without a client certificate" gives 403
check "... with words" words 'client certificate is needed'
ask "" $EST/simpleenroll -H 'Content-Type: application/pkcs10' --data-binary "@$LAB/csr"
check "a certification request without a client certificate" gives 403
pki_manufacturer other Other
pki_idevid other lost
ask lost $BRSKI/requestvoucher -H "Content-Type: $VOUCHER_TYPE" --data-binary "@$LAB/request"
check "a device of an unknown manufacturer" gives 403
check "... the log says why" eval 'grep -q "no known manufacturer.*Other" "$LAB/registrar.log"'
pki_idevid acme stranger
lab_masa_device stranger
voucher_request stranger
ask_voucher stranger
check "a device that is not in the inventory" gives 403
check "... the history says why" history_has stranger 'not in the inventory'
certification_request D-4
enroll D-4
check "a certificate without a voucher" gives 403
check "... and says so" words 'voucher'
cp "$LAB/devices/D-1/new.pem" "$PKI/idevid-ldevid.pem"
cp "$LAB/devices/D-1/new.key" "$PKI/idevid-ldevid.key"
enroll ldevid simplereenroll
check "a certificate of the network in place of the IDevID" gives 403

echo "# Refusals: what is asked"
voucher_request D-4 D-1
ask_voucher D-4
check "a voucher for another device" gives 403
voucher_request D-4
ask_voucher D-1
check "another device's voucher-request" gives 403
cp "$LAB/proximity.pem" "$LAB/proximity.kept"
cp "$PKI/home-radius.pem" "$LAB/proximity.pem"
voucher_request D-4
ask_voucher D-4
check "a device that saw another registrar (RFC 8995 5.2)" gives 401
check "... and the connection is closed" field connection close
mv "$LAB/proximity.kept" "$LAB/proximity.pem"
voucher_request D-4
head -c 700 "$LAB/request" > "$LAB/cut" && mv "$LAB/cut" "$LAB/request"
ask_voucher D-4
check "half a voucher-request" gives 400
voucher_request D-4
TYPE=application/json ask_voucher D-4
check "a voucher-request of another type" gives 415
ACCEPT=application/voucher-jws+json ask_voucher D-4
check "no type that is accepted" gives 406
ask D-4 $BRSKI/requestvoucher
check "another method" gives 405
ask D-4 /elsewhere
check "an unknown path" gives 404
ask D-4 $EST/elsewhere
check "... under EST's" gives 404
enroll D-4 fullcmc
check "full CMC" gives 501
check "... with words" words 'cmc'
enroll D-4 serverkeygen
check "keys made by the server" gives 501
with_voucher D-5
TYPE=application/json enroll D-5
check "a certification request of another type" gives 415
certification_request D-5 "$(subject_of D-1)"
enroll D-5
check "... for another device" gives 403
certification_request D-5
openssl req -new -key "$LAB/devices/D-5/new.key" -subj "$(subject_of D-5)" > "$LAB/armour"
CSR=$LAB/armour enroll D-5
check "... in PEM" gives 400
# the last octets of the signature are others
openssl req -in "$LAB/armour" -outform DER | { head -c -4; printf 'ABCD'; } > "$LAB/forged.der"
base64 < "$LAB/forged.der" > "$LAB/forged"
CSR=$LAB/forged enroll D-5
check "... without the key" gives 400
head -c 200000 /dev/zero | base64 > "$LAB/large"
CSR=$LAB/large enroll D-5
check "... that is too large" gives 413
check "nothing was issued for these" eval '[ "$(certificates_of D-4)$(certificates_of D-5)$(vouchers_of D-4)" = 000 ]'
enroll D-5
check "and the device may go on after all of them" gives 200
check "... to its certificate" enrolled D-5
ask "" $BRSKI
check "the registrar serves" gives 200
finish
