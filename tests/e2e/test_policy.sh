#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Who gets in: the five modes, the operator's word on single devices, the administrator's own unlang with the SQL example that is
# shipped, and bounds on what may wait. With the real daemons.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# A device that the MASA has sold, and the operator has not heard of.
new_device() { # SERIAL
	[ -f "$PKI/idevid-$1.pem" ] || pki_idevid acme "$1"
	lab_masa_device "$1"
	device_config "$1" "$1"
}

gets_in() { # NAME
	join "$1" && has_ldevid "$1"
}

told() { # NAME REGEX: it did not get in, and was told why
	! join "$1" && ! has_ldevid "$1" && said "$1" 'CTRL-EVENT-EAP-FAILURE' && said "$1" "$2"
}

waits() { # SERIAL VISITS
	brskictl pending | grep -Eq "^acme +$1 +waits .* +$2  serialNumber=$1,CN=Acme Sensor,O=Acme$"
}

operator_reads() { # REGEX: since the last mark
	lab_wait_log radius "$1" 5 "$MARK"
}

mark() {
	MARK=$(lab_mark radius)
}

# In the last packet that the device's eapol_test saw, which prints it in hexadecimal.
vlan_is() { # NAME VLAN
	sed -n '/Access-Accept/,$p' "$LAB/devices/$1/log" | grep -A1 'Attribute 81 (Tunnel-Private-Group-Id)' |
		grep -q "Value: $(printf %s "$2" | od -An -tx1 | tr -d ' \n')\$" &&
		sed -n '/Access-Accept/,$p' "$LAB/devices/$1/log" | grep -q 'Attribute 64 (Tunnel-Type)'
}

# An Access-Request of a station that says who it is, or something else.
station_says() { # STATION EAP-HEX [STATE]
	printf 'User-Name = "brski", NAS-IP-Address = 127.0.0.1, Calling-Station-Id = "%s", EAP-Message = 0x%s, Message-Authenticator = 0x00' "$1" "$2"
	printf "${3:+, State = %s}\n\n" "${3:-}"
}

identity() { # in hexadecimal, as an EAP-Response
	printf '0201%04x01%s' $((5 + ${#1})) "$(printf %s "$1" | od -An -v -tx1 | tr -d ' \n')"
}

tell_radius() { # file of requests
	radclient -x -r 1 -t 5 -p 20 -f "$1" "127.0.0.1:$RADIUS_PORT" auth testing123 2> /dev/null || true
}

flood() { # COUNT
	for n in $(seq "$1"); do station_says "02-00-$n" "$(identity brski@example.org.v.eap.arpa)"; done > "$LAB/flood-$1"
	tell_radius "$LAB/flood-$1" > "$LAB/flood-$1.log"
	[ "$(grep -c 'Received Access-Challenge' "$LAB/flood-$1.log")" = "$1" ]
}

radius_again() { # options of the module
	lab_stop radius
	BRSKI_OPTIONS=$1 lab_radius "${@:2}"
}

# ---- The other door ----

https_door() { # LINES of registrar.conf
	local mark
	[ -n "${HTTPS_PORT:-}" ] || lab_port HTTPS_PORT
	printf '%s\n' "certificate_file = $PKI/home-registrar.pem" "private_key_file = $PKI/home-registrar.key" "ca_file = $PKI/home-ca.pem" \
		"database = $DB" "cmp_url = http://127.0.0.1:$CA_PORT/.well-known/cmp" "listen = 127.0.0.1:$HTTPS_PORT" "wait = 5" \
		"$OPTIONS_HTTPS" "$@" | grep -v '= *$' > "$LAB/registrar.conf"
	mark=$(lab_mark registrar)
	lab_start registrar "$NS_SERVERS" "$BUILD/brski-registrar" --config "$LAB/registrar.conf"
	lab_wait_log registrar 'listening on https' 10 "$mark" || lab_die "brski-registrar did not start: $(tail -n 3 "$LAB/registrar.log")"
}

# A device with nothing but what its maker gave it.
visit_by_https() { # SERIAL
	local at=$LAB/https/$1
	rm -rf "$at"
	mkdir -p "$at/idevid"
	cp "$PKI/idevid-$1.pem" "$at/idevid/$1.pem"
	cp "$PKI/idevid-$1.key" "$at/idevid/$1.key"
	"$BUILD/tests/https-pledge" --server "127.0.0.1:$HTTPS_PORT" --idevid-dir "$at/idevid" --state-dir "$at/state" \
		--masa-ca "$PKI/acme-ca.pem" --verbose --trace > "$at/log" 2>&1
}

is_onboarded() { # SERIAL: at its last visit
	grep -q '^1 of 1 devices enrolled' "$LAB/https/$1/log"
}

gets_in_by_https() { # SERIAL
	new_device "$1"
	visit_by_https "$1"
}

told_by_https() { # SERIAL REGEX
	new_device "$1"
	! visit_by_https "$1" && grep -Eq "$2" "$LAB/https/$1/log"
}

logged_by() { # DAEMON REGEX
	lab_wait_log "$1" "$2" 5
}

# What brski-registrar would ask of the rules, by another hand.
question() { # SERIAL [LINE in place of that attribute]
	local hex part
	hex=$(openssl x509 -in "$PKI/idevid-$1.pem" -outform DER | od -An -v -tx1 | tr -d ' \n')
	printf '%s\n' 'NAS-Identifier = "test"' 'Brski-Rules-Manufacturer = "acme"' 'Brski-Rules-Mode = "manufacturer"' \
		'Brski-Rules-Why = "every device of acme is welcome"' 'Brski-Rules-Door = "https"' 'Message-Authenticator = 0x00' > "$LAB/question"
	for part in $(fold -w 494 <<< "$hex"); do echo "Brski-Rules-IDevID = 0x$part"; done >> "$LAB/question"
	[ $# -eq 1 ] || sed -i "s/^${2%% *} .*/$2/" "$LAB/question"
}

tell_rules() { # REGEX of the answer, REGEX of an attribute
	radclient -D "$LAB/dictionary" -x -r 1 -t 1 -f "$LAB/question" "127.0.0.1:${RULES_AT:-$RULES_PORT}" auth \
		"${RULES_SECRET:-$(sed 's/.* //' "$LAB/rules.secret")}" > "$LAB/rules.log" 2>&1 || true
	sed -i -n '/^Received/,$p; /No reply/p' "$LAB/rules.log"
	grep -q "$1" "$LAB/rules.log" && grep -q "$2" "$LAB/rules.log"
}

lab_begin
lab_pki
mkdir "$LAB/dictionary"
printf '$INCLUDE %s\n' /usr/share/freeradius/dictionary "$ROOT/radius_module/raddb/dictionary.brski" > "$LAB/dictionary/dictionary"
OPTIONS_HTTPS=$'retry_after = 1\nretry_interval_min = 1\nretry_interval_max = 1'
OPTIONS=$'wait_total = 1\nretry_after = 1\nretry_interval_min = 1\nretry_interval_max = 1'
BRSKI_OPTIONS=$OPTIONS
lab_store --mode manual
lab_masa --min-interval 0
lab_ca
lab_radius

echo "# manual"
new_device m-1
mark
check "an unknown device is told to come back" told m-1 'EAP-BRSKI: deferred: 1'
check "the operator reads that it waits" operator_reads "m-1.*must come back later: waits for the operator: brskictl accept acme m-1$"
check "brskictl pending shows it" waits m-1 1
pause 1
check "it waits until it is decided on" told m-1 'EAP-BRSKI: deferred: 1'
check "and is shown once" waits m-1 2
check "no voucher was asked for" [ "$(vouchers_of m-1)" = 0 ]
check "nobody is accepted by a slip" not brskictl accept acme m-l
check "brskictl accept" brskictl accept acme m-1 "found in the cellar"
pause 1
check "on its next visit it gets in" gets_in m-1
check "and waits no more" not waits m-1 '[0-9]+'

# In a hardwareModuleName (RFC 4108) a serial number is any octets.
nasty="N'5; touch typed #"
pki_issue acme-ca "idevid-$nasty" "/O=Acme/CN=Acme Lamp" "basicConstraints=CA:FALSE
keyUsage=digitalSignature
1.3.6.1.5.5.7.1.32=ASN1:IA5STRING:$MASA_URL
subjectAltName=DER:3030a02e06082b06010505070804a0223020060a2b0601040181fd5911020412$(printf %s "$nasty" | od -An -v -tx1 | tr -d ' \n')"
lab_masa_device "$nasty"
device_config trap "$nasty"
mark
check "a device whose number is a trap waits, too" told trap 'EAP-BRSKI: deferred: 1'
operator_reads 'must come back later: waits for the operator' || true
line=$(lab_since radius "$MARK" | sed -nE 's/.*must come back later: waits for the operator: (brskictl .*)$/\1/p')
brskictl_says() { printf '%s\n' 'brskictl() { printf "<%s>" "$@"; }' "$line" | (cd "$LAB" && sh); }
check "the line that its operator reads is a command with that number" \
	[ "$(brskictl_says)" = "<accept><acme><$nasty>" ]
check "and does nothing else" [ ! -e "$LAB/typed" ]
check "so it may be typed" eval "$line"
pause 1
check "and the device gets in" gets_in trap
check "the history ends with it, too" [ "$(brskictl history "$nasty" | sed -nE 's/.*policy.*: waits for the operator: //p')" = "$line" ]
check "a number that looks like an option is none behind --" brskictl device add -- acme --file
check "and it is listed as it is" eval 'brskictl device list acme | grep -Eq "^acme +--file +"'
check "and removed" brskictl device remove acme -- --file
check "so is a number that is -- itself" brskictl refuse acme -- --
check "and accepted" brskictl accept -- acme -- "a note"

# The driver's device comes back by itself.
pki_idevid acme m-3
lab_masa_device m-3
mkdir "$LAB/m-3"
cp "$PKI/idevid-m-3.pem" "$LAB/m-3/m-3.pem"
cp "$PKI/idevid-m-3.key" "$LAB/m-3/m-3.key"
"$BUILD/tests/radius-pledge" --server "127.0.0.1:$RADIUS_PORT" --secret testing123 --idevid-dir "$LAB/m-3" --state-dir "$LAB/m-3-state" \
	--masa-ca "$PKI/acme-ca.pem" --visits 9 --fault late-nak > "$LAB/m-3.log" 2>&1 &
visitor=$!
for _ in $(seq 200); do waits m-3 '[23]' && break || sleep 0.05; done
brskictl accept acme m-3 > /dev/null
check "a device that comes back as it is told gets in when it is accepted, whatever Naks come in between" wait $visitor

new_device m-2
told m-2 'deferred' || true
check "brskictl refuse" brskictl refuse acme m-2
pause 1
check "on its next visit a refused device is told no" told m-2 '403'
radius_again "$OPTIONS"
mark
check "for good, also after a restart of the server" told m-2 '403'
check "the operator reads that it was he" operator_reads 'm-2.*refused by the operator'
check "nobody is asked about it again" not waits m-2 '[0-9]+'
brskictl manufacturer set acme --mode manufacturer > /dev/null
check "nor does another mode let it in" told m-2 '403'
check "the operator may change his mind" brskictl accept acme m-2
check "and it gets in" gets_in m-2

echo "# The other modes"
new_device f-1
check "manufacturer: every device of it" gets_in f-1
brskictl manufacturer set acme --mode type > /dev/null
new_device t-1
mark
check "type: a device that fits no type is refused" told t-1 '403'
check "type: the operator reads what it is" operator_reads 't-1.*fits no type .*subject serialNumber=t-1,CN=Acme Sensor,O=Acme'
brskictl type add acme '*,CN=Acme Camera,O=Acme' > /dev/null
check "type: nor does it fit another type" told t-1 '403'
brskictl type add acme '*,CN=Acme Sensor,O=Acme' > /dev/null
check "type: a device that fits gets in" gets_in t-1
# RFC 4108's hardwareModuleName, of type 1.3.6.1.4.1.32473.17.2 and serial number HW-1
pki_issue acme-ca idevid-t-2 "/O=Acme/CN=Acme Lamp/serialNumber=t-2" "basicConstraints=CA:FALSE
keyUsage=digitalSignature
1.3.6.1.5.5.7.1.32=ASN1:IA5STRING:$MASA_URL
subjectAltName=DER:3022a02006082b06010505070804a0143012060a2b0601040181fd591102040448572d31"
new_device t-2
brskictl type add acme oid:1.3.6.1.4.1.32473.17.3 > /dev/null
mark
check "type: a device of another hardware type is refused" told t-2 '403'
check "type: the operator reads which it has" operator_reads 't-2.*hardware type 1.3.6.1.4.1.32473.17.2'
brskictl type add acme 'oid:1.3.6.1.4.1.32473.17.*' > /dev/null
check "type: a device of a hardware type that fits gets in" gets_in t-2
brskictl manufacturer set acme --mode open > /dev/null
new_device o-1
mark
check "open: every device" gets_in o-1
check "open: with a loud warning" operator_reads "mode 'open'.*o-1 WITHOUT ANY CHECK"
brskictl manufacturer set acme --mode inventory > /dev/null
new_device i-1
check "inventory: who is not listed is refused" told i-1 '403'
brskictl device add acme i-1 > /dev/null
check "inventory: who is listed gets in" gets_in i-1

echo "# The administrator's unlang: the example as it is shipped, with the folder of this test"
EXAMPLE=$LAB/example
EARLY=$(($(date +%s) + 3600))
mkdir -p "$EXAMPLE"
cp "$ROOT/radius_module/raddb/mods-config/sql/brski/schema.sql" "$EXAMPLE/schema.sql"
cat >> "$EXAMPLE/schema.sql" <<- SQL
	INSERT INTO brski_device (manufacturer, serial_number, vlan) VALUES ('acme', 'u-vlan', '17'), ('acme', 'u-plain', '');
	INSERT INTO brski_device (manufacturer, serial_number, allowed) VALUES ('acme', 'u-refused', 0);
	INSERT INTO brski_device (manufacturer, serial_number, not_before) VALUES ('acme', 'u-early', $EARLY);
	INSERT INTO brski_device (manufacturer, serial_number) VALUES ('acme', 'u-manual');
SQL
sed "s|/var/lib/brski/devices.db|$EXAMPLE/devices.db|; s|\${modconfdir}/sql/brski|$EXAMPLE|" \
	"$ROOT/radius_module/raddb/mods-available/brski_sql" > "$EXAMPLE/brski_sql"
RADIUS_MODULES="\$INCLUDE $EXAMPLE/brski_sql"
RADIUS_SERVERS="\$INCLUDE $ROOT/radius_module/raddb/sites-available/brski-policy"
brskictl manufacturer set acme --mode manufacturer > /dev/null
radius_again "$OPTIONS"$'\nvirtual_server = brski-policy' -xx

new_device u-early
check "who comes too early is told when to come back, and stays away a minute at most (RFC 8995 5.6)" told u-early 'EAP-BRSKI: deferred: 60'
check "the database said when" operator_reads 'u-early.*told to come back in 300 s'
check "the operator reads why" operator_reads 'u-early.*must come back later: deferred by virtual server brski-policy: not expected yet'
new_device u-vlan
mark
check "who is in the database gets in" gets_in u-vlan
check "with the VLAN that it says in the Access-Accept" vlan_is u-vlan 17
for attribute in 'Brski-Serial-Number = "u-vlan"' 'Brski-Manufacturer = "acme"' 'Brski-Mode = "manufacturer"' 'User-Name = "u-vlan"' \
	'Brski-IDevID-Subject = "serialNumber=u-vlan,CN=Acme Sensor,O=Acme"' 'Brski-Issuer = "CN=Acme Device CA,O=Acme"' \
	'Brski-Fingerprint = "[0-9a-f]{64}"' 'Brski-Reason = "every device of acme is welcome"' 'NAS-IP-Address = 127.0.0.1' \
	'Calling-Station-Id = "02-00-00-00-00-01"'; do
	check "the virtual server sees $attribute" operator_reads "$attribute"
done
check "it is asked once in a session" [ "$(lab_since radius "$MARK" | grep -c 'server brski-policy {')" = 1 ]
new_device u-plain
check "who is there without a VLAN gets in" gets_in u-plain
check "without one" not said u-plain 'Tunnel-Private-Group-Id'
new_device u-refused
mark
check "who is not allowed is told no" told u-refused '403'
check "the operator reads who said so" operator_reads 'u-refused.*refused by virtual server brski-policy: not allowed'
new_device u-unknown
check "who is not there is told no" told u-unknown '403'
check "the operator reads that, too" operator_reads 'u-unknown.*refused by virtual server brski-policy: not in the database'
rm -rf "$LAB/devices/u-early/state" # it would stay away that long
EARLY=$(($(date +%s) + 1))
sqlite3 -cmd '.timeout 5000' "$EXAMPLE/devices.db" "UPDATE brski_device SET not_before = $EARLY WHERE serial_number = 'u-early'"
while [ "$(date +%s)" -le "$EARLY" ]; do sleep 0.1; done
check "who came too early gets in when it is time" gets_in u-early
brskictl manufacturer set acme --mode manual > /dev/null
new_device u-manual
mark
check "who must wait for the operator" told u-manual 'EAP-BRSKI: deferred: 1'
check "is not put to the virtual server" not logged 'server brski-policy {' "$MARK"
brskictl manufacturer set acme --mode manufacturer > /dev/null
: > "$EXAMPLE/devices.db"
new_device u-dark
mark
check "when the database is away, devices are told to come back" told u-dark 'EAP-BRSKI: deferred'
check "and the operator reads why" operator_reads 'u-dark.*deferred by virtual server brski-policy: the database does not answer'

echo "# What counts as an answer of a virtual server"
lab_port RULES_PORT
RADIUS_MODULES='
	always ok {
		rcode = ok
	}
	always reject {
		rcode = reject
	}
	always fail {
		rcode = fail
	}'
RADIUS_SERVERS='
	server rules {
		authorize {
			switch "%{Brski-Serial-Number}" {
				case "a-ok" {
					ok
				}
				case "a-reject" {
					reject
				}
				case "a-fail" {
					fail
				}
				case "a-auth-type" {
					update control {
						&Auth-Type := Accept
					}
				}
				case "a-auth-reject" {
					update control {
						&Auth-Type := Reject
					}
					ok
				}
				case "a-later" {
					update control {
						&Brski-Decision := "defer"
						&Brski-Retry-After := 7
					}
					ok
				}
				case "b-https" {
					if (&Brski-Door == "https") {
						update reply {
							&Filter-Id := "of-a-port"
						}
						ok
					}
				}
				case "b-both" {
					ok
				}
				case "b-inside" {
					update request {
						&Brski-Rules-IDevID := 0x00
					}
					brski
				}
				case "a-typo" {
					update control {
						&Brski-Decision := "yes"
					}
					ok
				}
			}
		}
	}
	'$(sed "s|18121|$RULES_PORT|; s|/etc/brski/rules.secret|$LAB/rules.secret|" "$ROOT/radius_module/raddb/sites-available/brski-rules")
"$ROOT/radius_module/make_secret" "$LAB/rules.secret"
radius_again "$OPTIONS"$'\nvirtual_server = rules'
for serial in a-ok a-auth-type; do
	new_device "$serial"
	check "accepted: $serial" gets_in "$serial"
done
for serial in a-reject a-auth-reject a-typo a-silence; do
	new_device "$serial"
	check "refused: $serial" told "$serial" '403'
done
new_device a-fail
check "deferred: a-fail" told a-fail 'EAP-BRSKI: deferred: 1'
new_device a-later
check "deferred: a-later" told a-later 'EAP-BRSKI: deferred: 7'

echo "# The same rules at the other door, by sites-available/brski-rules as it is shipped"
RULES="rules_server = 127.0.0.1:$RULES_PORT"$'\n'"rules_secret_file = $LAB/rules.secret"
https_door "$RULES"
for serial in b-https b-both; do
	new_device "$serial"
	check "accepted by HTTPS: $serial" gets_in_by_https "$serial"
done
check "accepted by EAP as well: b-both" gets_in b-both
check "refused by EAP, as the rules want it of that door: b-https" told b-https '403'
for serial in a-reject a-auth-reject a-typo a-silence; do
	check "refused by HTTPS, too: $serial" told_by_https "$serial" 403
done
check "with the reason of the rules in the history" grep -q 'refused by rules_server 127.0.0.1.*: authorize returned reject' <(brskictl history a-reject)
check "deferred by HTTPS, too: a-later" told_by_https a-later 202
check "for as long as the rules say" logged_by registrar 'a-later.*told to come back in 7 s'
check "deferred by HTTPS, too: a-fail" told_by_https a-fail 202
mark
check "a question in a request that is no packet, as of a tunnel, is none" told_by_https b-inside 202
check "and the operator reads that it came so" operator_reads 'A question for rules, .* is refused: it did not come in a packet of its own'
check "brskictl rules list tells whose they are" grep -Eq '^brski of .*radiusd.conf +.* virtual server rules$' <(brskictl rules list)

lab_stop registrar
https_door "rules_server ="
check "while nobody is to be asked, no device of this store gets in by HTTPS" told_by_https b-both 403
check "and the operator reads what is to be set" logged_by registrar 'virtual server rules has the last word at brski of .*: set rules_server'
lab_stop registrar
https_door 'rules_server = none'
check "unless he says that there are none" gets_in_by_https c-silence

lab_stop registrar
https_door "$RULES"
lab_stop radius
check "without the server of the rules, nobody gets in" told_by_https b-both 202
check "and the operator reads which" logged_by registrar "rules_server 127.0.0.1:$RULES_PORT does not answer"
RADIUS_REJECT_DELAY=3 radius_again "$OPTIONS"$'\nvirtual_server = rules'
mark
question a-ok
check "the answer to a question is the decision" tell_rules 'Access-Accept' 'Brski-Rules-Decision = "accept"'
question b-https
check "and nothing else" tell_rules 'Access-Accept' 'Brski-Rules-Decision = "accept"'
check "neither a key, nor EAP, nor what a port would get" not grep -Eq 'MPPE|EAP-|Filter-Id|State' "$LAB/rules.log"
question a-reject
check "with a refusal, too, and at once" tell_rules 'Access-Reject' 'Brski-Rules-Decision = "refuse"'
question a-ok 'Brski-Rules-Mode = "any"'
check "a malformed question is refused" tell_rules 'Access-Reject' 'Brski-Rules-Reason'
check "and the operator reads it" operator_reads 'A question for rules, from 127.0.0.1, is refused: it names no mode'
question a-ok
RULES_SECRET=another-secret-of-somebody check "who does not know the secret gets no answer" tell_rules 'No reply' ''
sed -i '/Message-Authenticator/d' "$LAB/question"
if grep -q -- ' -b ' <(radclient -h 2>&1); then
	echo "# this radclient signs every Access-Request"
else
	check "nor who does not sign" tell_rules 'No reply' ''
fi
question a-ok
RULES_SECRET=testing123 RULES_AT=$RADIUS_PORT check "nor does a switch: its client may not ask" tell_rules 'Access-Reject' 'does not say brski_rules'
for _ in $(seq 60); do gets_in_by_https b-both && break || sleep 0.25; done
check "and it gets in when the server is back" is_onboarded b-both
radius_again "$OPTIONS"
check "a server that has no rules any more is none to ask" told_by_https c-silence 202
check "and says so" logged_by registrar 'deferred by rules_server .*this instance of brski has no virtual_server'
check "the store has forgotten them, too" grep -q '^None' <(brskictl rules list)
lab_stop registrar
https_door 'rules_server ='
check "so nobody need be asked any more" gets_in_by_https c-silence
lab_stop registrar
lab_stop radius
BRSKI_OPTIONS='virtual_server = nonsense' lab_radius_config
check "a virtual server that is not there is told at the start" \
	grep -q 'there is no virtual server "nonsense"' <(freeradius -XC -d "$LAB/radius" -n radiusd 2>&1)
RADIUS_CLIENT_OPTIONS='brski_max_sessions = many' BRSKI_OPTIONS=$OPTIONS lab_radius_config
check "so is a client that is to have no number of sessions" \
	grep -q 'brski_max_sessions must be a number' <(freeradius -XC -d "$LAB/radius" -n radiusd 2>&1)
RADIUS_MODULES=
RADIUS_SERVERS=

echo "# Bounds"
RADIUS_CLIENT_OPTIONS='brski_max_sessions = 2' radius_again "$OPTIONS"$'\nmax_waiting = 2\nmax_sessions = 8'
check "stations that say their name, and nothing more, are many" flood 40
station_says first "$(identity brski@example.org.v.eap.arpa)" > "$LAB/first"
state=$(tell_radius "$LAB/first" | sed -nE 's/.*State = (0x[0-9a-f]+)$/\1/p')
flood 2
mark
station_says first "0202000dfe007ed90000000100" "$state" > "$LAB/first"
tell_radius "$LAB/first" > "$LAB/first.log"
check "the oldest gives way, when a client has as many as its section says" operator_reads 'station first.*no such session'
for serial in q-1 q-2 q-3; do good_device "$serial"; done
lab_stop masa
check "a request is kept while the MASA is away" told q-1 'EAP-BRSKI: deferred'
check "and another one" told q-2 'EAP-BRSKI: deferred'
mark
check "one too many is told to come back" told q-3 'EAP-BRSKI: deferred: 1'
check "the operator reads why" operator_reads 'q-3.*2 requests wait already \(max_waiting\)'
check "brskictl queue shows those that wait, and their ages" \
	grep -Eq '^acme +q-2 +voucher +[0-9]+ s +[0-9]+ s +[0-9]+$' <(brskictl queue)
check "and how many they are" grep -q '^2 waiting: 2 for vouchers, 0 for certificates; the oldest for [0-9]* s' <(brskictl queue)
lab_masa
pause 1
check "when there is room again, it gets in" gets_in q-3
check "and so do the others" gets_in q-1
check "all of them" gets_in q-2

radius_again "$OPTIONS"$'\nmax_waiting_age = 10'
good_device q-4
lab_stop masa
check "a request is kept, but not for ever" told q-4 'EAP-BRSKI: deferred'
check "it is given up when it is too old" lab_wait_log radius 'q-4.*given up, since there was no answer in 1[0-9] s' 20
check "and waits no more" nothing_queued
lab_masa
check "the device may begin anew, with the same request" gets_in q-4
finish
