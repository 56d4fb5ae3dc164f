#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Ordinary users are unharmed: the same server goes on with EAP-TLS and PEAP through its own rlm_eap while pledges onboard.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

DEVICES=12

user_config() { # NAME LINES
	mkdir -p "$LAB/devices/$1"
	printf 'network={\n  ssid="x"\n  key_mgmt=IEEE8021X\n  eapol_flags=0\n  ca_cert="%s"\n%s\n}\n' "$PKI/home-ca.pem" "$2" > "$LAB/devices/$1/conf"
}

lab_begin
lab_pki
pki_user home alice
lab_store
lab_masa
lab_ca
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
finish
