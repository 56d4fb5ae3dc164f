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

lab_begin
lab_pki
OPTIONS=$'wait_total = 1\nretry_after = 1\nretry_interval_min = 1\nretry_interval_max = 1'
BRSKI_OPTIONS=$OPTIONS
lab_store --mode manual
lab_masa
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
				case "a-typo" {
					update control {
						&Brski-Decision := "yes"
					}
					ok
				}
			}
		}
	}'
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
