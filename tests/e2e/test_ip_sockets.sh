#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What is done to brski-registrar at its socket, and not by any device: connections that say nothing, little, too much, all at once, and the
# wrong thing. It is built with sanitizers; after each of these a device at another address is served at once.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/ip_lib.sh
. "$(dirname "$0")/ip_lib.sh"

SHARE=12 CERTIFICATE_SHARE=4 PROXY_SHARE=30 REQUESTS=6 TIME=2
OPTIONS="handshake_time = $TIME
request_time = $TIME
idle_time = $TIME
max_connections = 80
max_connections_per_address = $SHARE
proxies = 127.1.0.1
max_connections_per_proxy = $PROXY_SHARE
max_connections_per_certificate = $CERTIFICATE_SHARE
max_requests_per_connection = $REQUESTS
retry_after = 1"

# Whoever attacks is at 127.0.0.1; the others are not.
others_are_served() {
	ask "" $BRSKI --interface 127.5.5.5 --max-time 3
	gives 200
}

served_meanwhile() { # DESCRIPTION
	check "$1: others are served" others_are_served
	lab_runs registrar || lab_die "the registrar has died: $1"
}

# ---- TCP ----

trap '' PIPE # the registrar may close while something is written to it
put() { # FORMAT: to the first connection
	# shellcheck disable=SC2059 # it has escapes
	printf "$1" >&"${FDS[0]}" 2> /dev/null || true
}

# Opens connections; their descriptors are in FDS.
declare -a FDS=()
open_connections() { # N
	local fd
	for _ in $(seq "$1"); do
		exec {fd}<> "/dev/tcp/127.0.0.1/$REGISTRAR_PORT"
		FDS+=("$fd")
	done
}

close_connections() {
	local fd
	for fd in "${FDS[@]}"; do exec {fd}>&-; done
	FDS=()
}

# The registrar closes each of them, be it with a word (a TLS alert) or without one, and with a reset where it has not read all.
all_closed() { # SECONDS
	local fd until=$((SECONDS + $1)) status
	for fd in "${FDS[@]}"; do
		status=0
		while [ $status = 0 ]; do
			IFS= read -r -t $((until > SECONDS ? until - SECONDS : 1)) -n 1 -u "$fd" _ 2> /dev/null || status=$?
		done
		[ $status -le 128 ] || return 1
	done
}

# ---- TLS ----

# What standard input gives goes through TLS; ends with the connection. The answer is in $LAB/tls, what openssl said in $LAB/tls.log.
through_tls() { # [options of s_client]
	timeout 20 openssl s_client -connect "127.0.0.1:$REGISTRAR_PORT" -quiet -no_ign_eof "$@" > "$LAB/tls" 2> "$LAB/tls.log"
}

# Octets go out, and the connection is waited for, so many seconds at most; the answer is in $LAB/tls.NAME.
say() { # NAME SECONDS TEXT [options of s_client]
	local name=$1 seconds=$2 text=$3
	shift 3
	{
		# shellcheck disable=SC2059 # it has escapes
		printf "$text"
		sleep "$seconds"
	} | timeout 20 openssl s_client -connect "127.0.0.1:$REGISTRAR_PORT" -ign_eof -quiet "$@" > "$LAB/tls.$name" 2> "$LAB/tls.log" || true
}

answers() { # NAME STATUS...: the answers that came, in this order
	local got name=$1
	shift
	got=$(grep -ao 'HTTP/1.1 [0-9]*' "$LAB/tls.$name" | cut -d ' ' -f 2 | paste -sd ' ')
	[ "$got" = "$*" ] || {
		echo "#   got: $got"
		return 1
	}
}

# An octet at a time; how long the connection stood is in $LAB/took.
drip() { # TEXT
	local began=$SECONDS i
	{
		for ((i = 0; i < ${#1}; i++)); do
			printf '%s' "${1:i:1}" 2> /dev/null || break
			sleep 0.2
		done
	} | timeout 30 openssl s_client -connect "127.0.0.1:$REGISTRAR_PORT" -ign_eof -quiet > "$LAB/tls.drip" 2> /dev/null || true
	echo $((SECONDS - began)) > "$LAB/took"
}

# Connections of the attacker's address that the registrar holds.
held() {
	ss -Hnt state established "sport = :$REGISTRAR_PORT and dst 127.0.0.1" | wc -l
}

comes_down_to() { # N: whose certificate it is, is known when the handshake is over
	for _ in $(seq 100); do
		[ "$(held)" -gt "$1" ] || return 0
		sleep 0.1
	done
	return 1
}

ip_sanitized
REGISTRAR_OPTIONS=$OPTIONS
ip_begin
served_meanwhile "nothing is wrong yet"

echo "# Connections that say nothing"
open_connections $((2 * SHARE))
served_meanwhile "twice as many as an address may have"
check "it has no more than its share" [ "$(held)" -le $SHARE ]
ask "" $BRSKI --max-time 2
check "who comes with a request takes the place of one that says nothing" gives 200
check "they are closed when the time for the handshake is over" all_closed $((TIME + 3))
check "... all of them" [ "$(held)" = 0 ]
close_connections
open_connections 3
put '\x16\x03\x01\x02\x00\x01\x00'
check "half a ClientHello: closed as well" all_closed $((TIME + 3))
close_connections
served_meanwhile "half a ClientHello"

echo "# No TLS"
open_connections 1
put 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
check "HTTP in the clear: closed" all_closed $((TIME + 3))
close_connections
open_connections 1
head -c 100000 /dev/urandom >&"${FDS[0]}" 2> /dev/null || true
check "garbage: closed" all_closed $((TIME + 3))
close_connections
check "TLS 1.1 is too old" not through_tls -tls1_1 < /dev/null
served_meanwhile "no TLS"

echo "# Renegotiation"
{
	printf 'GET %s HTTP/1.1\r\nHost: x\r\n' $BRSKI
	sleep 0.5
	printf 'R\n'
	sleep 2
} | timeout 20 openssl s_client -connect "127.0.0.1:$REGISTRAR_PORT" -tls1_2 -legacy_server_connect > "$LAB/tls" 2>&1 || true
sed -n '/^RENEGOTIATING/,$p' "$LAB/tls" > "$LAB/again"
check "the client's wish for it is refused" grep -q 'no renegotiation' "$LAB/again"
check "... and nothing came behind it" not grep -aEq 'depth=|HTTP/1.1' "$LAB/again"
served_meanwhile "renegotiation"

echo "# Slowly"
drip "GET $BRSKI HTTP/1.1"$'\r\n'"X-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" &
slow=($!)
say body $((2 * TIME + 1)) "POST $EST/simpleenroll HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nMII" &
slow+=($!)
say kept $((2 * TIME + 1)) "GET $BRSKI HTTP/1.1\r\nHost: x\r\n\r\n" &
slow+=($!)
served_meanwhile "slowly"
wait "${slow[@]}"
check "a head, octet by octet: closed when the time for a request is over" [ "$(cat "$LAB/took")" -le $((TIME + 4)) ]
check "a body that does not come: closed" not grep -aq 'HTTP/1.1 200' "$LAB/tls.body"
check "a connection that is kept: answered once" answers kept 200
check "... and none of them is left" [ "$(held)" = 0 ]

echo "# Too much"
printf 'GET %s HTTP/1.1\r\nHost: x\r\nX-Long: %s\r\n\r\n' $BRSKI "$(head -c 70000 /dev/zero | tr '\0' a)" | through_tls || true
check "a field of 70,000 octets" not grep -aq 'HTTP/1.1 200' "$LAB/tls"
{
	printf 'GET %s HTTP/1.1\r\nHost: x\r\n' $BRSKI
	seq -f $'X-%g: y\r' 20000
	printf '\r\n'
} > "$LAB/fields"
through_tls < "$LAB/fields" || true
check "20,000 fields" not grep -aq 'HTTP/1.1 200' "$LAB/tls"
printf 'GET /%s HTTP/1.1\r\nHost: x\r\n\r\n' "$(head -c 70000 /dev/zero | tr '\0' a)" | through_tls || true
check "a path of 70,000 octets" not grep -aq 'HTTP/1.1 200' "$LAB/tls"
lab_device large
head -c 2000000 /dev/zero > "$LAB/large"
ask large $BRSKI/requestvoucher -H "Content-Type: $VOUCHER_TYPE" -H 'Expect:' --data-binary "@$LAB/large"
check "a body of 2,000,000 octets" not gives 200
head -c 100000 /dev/zero > "$LAB/large"
ask large $BRSKI/requestvoucher -H "Content-Type: $VOUCHER_TYPE" --data-binary "@$LAB/large"
check "a body of 100,000 octets" gives 413
ask large $BRSKI/requestvoucher -H "Content-Type: $VOUCHER_TYPE" -H 'Expect:' -H 'Transfer-Encoding: chunked' --data-binary "@$LAB/large"
check "... in chunks" not gives 200
ask large $BRSKI/requestvoucher -H "Content-Type: $VOUCHER_TYPE" -H 'Content-Length: 999999999999' --data-binary x
check "a length of 999,999,999,999" not gives 200
served_meanwhile "too much"

echo "# Not HTTP"
odd() { # DESCRIPTION REQUEST
	# shellcheck disable=SC2059 # it has escapes
	printf "$2" | through_tls || true
	check "$1" not grep -aq 'HTTP/1.1 200' "$LAB/tls"
}
odd "two lengths" "POST $BRSKI HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 50\r\n\r\nabcGET $BRSKI HTTP/1.1\r\nHost: x\r\n\r\n"
odd "a length and chunks" "POST $BRSKI HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET $BRSKI HTTP/1.1\r\nHost: x\r\n\r\n"
odd "a negative length" "POST $BRSKI HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n"
odd "no method" "\r\n\r\n $BRSKI HTTP/1.1\r\nHost: x\r\n\r\n"
odd "HTTP/2 without being asked" 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
odd "a path with a control character" "GET $BRSKI\\001 HTTP/1.1\r\nHost: x\r\n\r\n"
served_meanwhile "not HTTP"

echo "# Pipelined"
say three 2 "GET $BRSKI HTTP/1.1\r\nHost: x\r\n\r\nGET /elsewhere HTTP/1.1\r\nHost: x\r\n\r\nGET $BRSKI HTTP/1.1\r\nHost: x\r\n\r\n"
check "three requests at once are answered in their order" answers three 200 404 200
request="GET $BRSKI HTTP/1.1\r\nHost: x\r\n\r\n"
say more 2 "$(for _ in $(seq $((REQUESTS + 4))); do printf '%s' "$request"; done)"
check "more than a connection may have: the first $REQUESTS are answered" answers more $(for _ in $(seq $REQUESTS); do echo 200; done)
driven_device pipelined
check "a device that does so with all of its requests gets in" drive pipelined --pipelined
check "... with one voucher and one certificate" one_of_each pipelined
served_meanwhile "pipelined"

echo "# Otherwise than most"
otherwise() { # NAME DESCRIPTION [options of the driver]
	local name=$1 what=$2
	shift 2
	driven_device "$name"
	check "$what: a device gets in" drive "$name" "$@"
	check "... with one voucher and one certificate" one_of_each "$name"
}
otherwise twice "each request twice, answered the same twice" --twice
otherwise alone "a connection for each request" --each-alone
otherwise old "TLS 1.2" --tls1.2
otherwise ten "PKCS #10 and RSA" --pkcs10 --key-type RSA-3072

echo "# Cut off"
cut_off() { # DESCRIPTION OPTION
	local n=0 name problem=
	while [ $n -lt 12 ]; do
		name=cut-${2#--}-$((n + 1))
		driven_device "$name"
		drive "$name" "$2" $((n + 1)) --visits 30 --put-off 100 --hurry 2 --verbose || problem+=" $name: not in;"
		one_of_each "$name" || problem+=" $name: not one of each;"
		grep -q 'is cut off' "$LAB/devices/$name/log" || break
		n=$((n + 1))
	done
	check "$1, at each of $n requests:${problem:- it comes back, and there is one voucher and one certificate}" [ -z "$problem" -a $n -ge 4 ]
}
cut_off "behind the request" --cut
cut_off "in its middle" --cut-half
served_meanwhile "cut off"

echo "# One certificate, one proxy"
lab_device many
for i in $(seq $((CERTIFICATE_SHARE + 3))); do
	say "many-$i" 1.5 "GET $BRSKI HTTP/1.1\r\nHost: x\r\n\r\n" -cert "$PKI/idevid-many.pem" -key "$PKI/idevid-many.key" &
	sleep 0.1
done
check "a certificate has $CERTIFICATE_SHARE connections" comes_down_to $CERTIFICATE_SHARE
wait $(jobs -p | grep -Fxv -e "${LAB_PID[masa]}" -e "${LAB_PID[ca]}" -e "${LAB_PID[registrar]}")
idle_devices() { # N [options of the driver]
	driven many
	for i in $(seq "$1"); do
		cp "$PKI/idevid-many.pem" "$LAB/devices/many/idevid/$i.pem"
		cp "$PKI/idevid-many.key" "$LAB/devices/many/idevid/$i.key"
	done
	drive many --idle 1 "${@:2}"
}
served() { # how many of them
	sed -nE 's/^([0-9]+) of [0-9]+ devices served.*/\1/p' "$LAB/devices/many/log" | tail -n 1
}
check "the registrar ends in order" ends_in_order
REGISTRAR_OPTIONS=${OPTIONS/per_certificate = $CERTIFICATE_SHARE/per_certificate = 0}
lab_registrar
check "who comes through no proxy has an address's share" not idle_devices $((SHARE + 3))
check "... which is all that he is served" [ "$(served)" = $SHARE ]
check "who comes through a proxy has more" idle_devices $((SHARE + 3)) --addresses 1
served_meanwhile "one proxy"
check "the registrar ends in order" ends_in_order
finish
