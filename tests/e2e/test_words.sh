#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What the programs say when they are asked, and when they are used wrongly: every program, every command. The commands are those of the
# completion of bash, which the unit test test_completion holds to the programs' own tables.
set -euo pipefail
# shellcheck source=tests/e2e/services_lib.sh
. "$(dirname "$0")/services_lib.sh"
begin
ROOT=$(realpath "$(dirname "$0")/../..")
PATH=$BUILD:$PATH
. "$ROOT/services/completion.bash"
export BRSKI_DATABASE=$T/here/none/r.db
mkdir "$T/here" # check() writes in $T itself
cd "$T/here"

# The words of every command of a program, a line for each.
commands() { # PROGRAM
	local first second
	for first in $(_brski_next "$1"); do
		case $first in -* | help) continue ;; esac
		if _brski_next "$1 help $first" > /dev/null; then
			for second in $(_brski_next "$1 help $first"); do echo "$first $second"; done
		else
			echo "$first"
		fi
	done
}

# Runs a program; its output is in out and err.
says() { # STATUS PROGRAM ARGUMENT...
	local want=$1 status=0
	shift
	"$@" > out 2> err < /dev/null || status=$?
	[ "$status" = "$want" ] || { echo "status $status, not $want, of: $*" && cat out err && return 1; }
}

helps() { # PROGRAM ARGUMENT...: on stdout, and that alone
	says 0 "$@" && head -n 1 out | grep -q "^Usage: $1" && [ ! -s err ]
}

# Told on stderr, in words that have these, with the way to help.
wrong() { # WORDS PROGRAM ARGUMENT...
	local words=$1
	shift
	says 2 "$@" || return
	[ ! -s out ] && grep -Fq -- "$words" err && grep -q "^$1: " err && grep -q "^Try '$1 .*'\.$" err || { cat out err && return 1; }
}

# --help is never an operand, and nothing is touched for it.
asks_for_help() { # PROGRAM WORD...
	helps "$@" --help && cp out help && grep -q "^Usage: $*" help &&
		helps "$@" a --help && cmp out help && helps "$@" a b c d -h && cmp out help &&
		helps "$1" help "${@:2}" && cmp out help
}

is_used_wrongly() { # PROGRAM WORD...
	wrong "--no-such-option" "$@" --no-such-option && wrong "-9" "$@" -9 &&
		{ grep -q '\.\.\.\]\?$' <(head -n 1 help) || wrong "'${*:2}' takes" "$@" 1 2 3 4 5 6 7 8 9; }
}

for program in brskictl brski-masa brski-ca; do
	echo "# $program"
	check "$program tells its version" eval "says 0 $program --version && grep -q '^$program [0-9]' out"
	check "and its commands" eval "helps $program --help && cp out help && helps $program help && cmp out help"
	check "without a command it is used wrongly" wrong "a command is missing" $program
	check "with one that is none, too" wrong "there is no command 'nonsense'" $program nonsense
	check "and with an option that is none" wrong --no-such-option $program --no-such-option
	check "help knows no such command" wrong "there is no command 'nonsense'" $program help nonsense
	n=0
	while read -r words; do
		n=$((n + 1))
		# shellcheck disable=SC2086 # two words, perhaps
		check "$program $words: --help" asks_for_help $program $words
		# shellcheck disable=SC2086
		check "$program $words: used wrongly" is_used_wrongly $program $words
	done < <(commands $program)
	check "$program has commands" [ $n -gt 5 ]
done
echo "# brski-courier"
check "--help" eval "helps brski-courier --help && cp out help && helps brski-courier a b c -h && cmp out help"
check "its version" eval "says 0 brski-courier --version && grep -q '^brski-courier [0-9]' out"
check "used wrongly" eval "wrong 'REQUESTS ANSWERS' brski-courier && wrong --no-such-option brski-courier --no-such-option a b &&
	wrong '--certificate and --private-key are needed' brski-courier a b && wrong 'REQUESTS ANSWERS' brski-courier a b c"
check "nothing was touched for all this" [ "$(find . -mindepth 1 ! -name out ! -name err ! -name help)" = "" ]

echo "# What is missing, or what nobody can use"
check "serve needs its keys" wrong "'serve' needs --tls-key" brski-masa serve
check "an owner his certificate" wrong "'owner add' needs --cert" brski-masa owner add home
check "a CA its name" wrong "'init' needs --subject" brski-ca init ca
check "and its folder" wrong "'init' needs DIR" brski-ca init --subject CN=CA
check "a key of a kind that there is" wrong "--key-type" brski-ca init ca --subject CN=CA --key-type DSA
check "options of another command are told" wrong "--owner is no option of 'device list'" brski-masa device list --owner x
check "a number" wrong "days is a number from " brski-ca issue-server ca --subject CN=x --out x --days many
check "an operand that is one of two" wrong "MANUFACTURER SERIAL [NOTE]" brskictl device add acme
check "which is no list's, too" wrong "MANUFACTURER --file FILE" brskictl device add acme S-1 --file list
for words in "device add" accept refuse "voucher fetch"; do
	# shellcheck disable=SC2086 # two words, perhaps
	check "brskictl $words: a serial number" wrong "is no serial number" brskictl $words acme $'S\t1'
done
check "of vouchers, too" wrong "--file FILE" brskictl voucher fetch acme
check "an option without which it makes no sense" wrong "--anchors" brskictl manufacturer add acme
check "a name" wrong "is no name of a manufacturer" brskictl manufacturer add $'a\tb' --anchors ca.pem
check "a mode that there is" wrong "--mode: " brskictl manufacturer add acme --anchors ca.pem --mode none
check "a URL of https" wrong "--masa-url: " brskictl manufacturer set acme --masa-url ftp://masa.example
check "an option that can be cleared" wrong "--clear: there is no option 'none'" brskictl manufacturer set acme --clear none
check "what is to change" wrong "needs an option" brskictl manufacturer set acme
check "a number of events" wrong "-n takes a number" brskictl history -n x
check "a hardware type" wrong "after 'oid:' comes" brskictl type add acme oid:x
check "a CA's --san" wrong "--san: " brski-ca issue-server ca --subject CN=x --out x --san nonsense
check "and its --subject" wrong "--subject: " brski-ca issue-server ca --subject nonsense --out x
mkdir db ca
export BRSKI_DATABASE=$T/here/db/r.db
says 0 brskictl init
brski-ca init ca --subject "CN=Acme Device CA,O=Acme" > /dev/null
check "a manufacturer is added" says 0 brskictl manufacturer add acme --anchors ca/ca.pem
check "who has names in the other order is told" eval \
	"says 1 brskictl device add S-1 acme && grep -q \"'acme' is one: device add takes MANUFACTURER\" err"
check "no device has such a name now" eval "says 0 brskictl device list && ! grep -q -e --help -e S-1 out"
check "options may stand anywhere behind the command" says 0 brskictl device add --file /dev/null acme -d "$T/here/db/r.db"
check "unless -- is before them" eval "says 0 brskictl device add acme -- --help && says 0 brskictl device remove acme -- --help"

echo "# Files: which, of what option, and why"
cause() { # WORDS PROGRAM ARGUMENT...
	local words=$1
	shift
	says 1 "$@" && grep -Fq -- "$words" err || { cat out err && return 1; }
}
none="none: No such file or directory"
there=(--tls-key ca/ca.key --tls-cert ca/ca.pem --sign-key ca/ca.key --sign-cert ca/ca.pem)
check "--anchors" cause "--anchors: cannot open $none" brskictl manufacturer set acme --anchors none
check "a folder" cause "--crl: cannot read ca: Is a directory" brskictl manufacturer set acme --crl ca
check "--file" cause "cannot open $none" brskictl device add acme --file none
check "--config" cause "--config: cannot open $none" brskictl export x --config none
check "a setting of the server's" cause 'certificate_file: cannot open "none": No such file or directory' brskictl export x -c none -k none -a none -u http://x
check "another" cause 'private_key_file: cannot open "none": No such file or directory' brskictl export x -c ca/ca.pem -k none -a none -u http://x
check "--tls-key" cause '--tls-key: cannot open "none": No such file or directory' brski-masa "${there[@]}" --tls-key none serve
check "--sign-cert" cause '--sign-cert: cannot open "none": No such file or directory' brski-masa "${there[@]}" --sign-cert none serve
check "--idevid-anchors" cause '--idevid-anchors: cannot open "ca": Is a directory' brski-masa "${there[@]}" --idevid-anchors ca serve
check "the MASA's --config" cause "--config: cannot read $none" brski-masa --config none serve
check "the CA's DIR" cause 'cannot open "none/ca.pem": No such file or directory' brski-ca serve none
check "a log" cause "cannot write the log none/log: No such file or directory" brski-masa "${there[@]}" --log none/log serve
check "--out" cause "cannot make none/x.key: No such file or directory" brski-ca issue-server ca --subject CN=x --out none/x
check "a file that is there" cause "cannot make ca/ca.key: File exists" brski-ca init ca --subject CN=x
check "the courier's --private-key" cause '--private-key: cannot open "none": No such file or directory' brski-courier -c ca/ca.pem -k none a b
check "its REQUESTS" cause "cannot open $none" brski-courier -c ca/ca.pem -k ca/ca.key none b

echo "# Listings as JSON, as docs/json.md has them"
brski-masa --db m.db device add S-1 2> /dev/null > /dev/null
brski-ca issue-server ca --subject CN=x --out server > /dev/null
n=0
while read -r array command; do
	case $command in
	"brskictl manufacturer show") command+=" acme" ;;
	brski-masa*) command+=" --db m.db" ;;
	brski-ca*) command+=" ca" ;;
	esac
	n=$((n + 1))
	# shellcheck disable=SC2086
	check "$command --json" eval "says 0 $command --json && head -n 1 out | grep -q '^{\"$array\":\[' && tail -n 1 out | grep -q '}$' && ! grep -v 'the database is ' err"
done < <(sed -nE 's/^## (`.*`): `([a-z]+)`$/\2 \1/p' "$ROOT/docs/json.md" | awk '{ array = $1; sub(/^[^ ]* /, ""); n = split($0, c, /`, `|`/)
	for (i = 1; i <= n; i++) if (c[i]) print array, c[i] }')
check "there are thirteen" [ $n = 13 ]
check "a listing that cannot be had is none" eval "says 1 brskictl manufacturer show nobody --json && [ ! -s out ]"
check "nor is one that cannot be written" eval "! brskictl manufacturer list --json > /dev/full 2> err && grep -q 'cannot write the listing: No space' err"

echo "# Completion"
completes() { # WANT WORD...: what the last one becomes
	local want=$1
	shift
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	COMPREPLY=()
	_brski
	[ "${COMPREPLY[*]}" = "$want" ] || { echo "${COMPREPLY[*]}" && return 1; }
}
touch "a file.pem"
check "commands" completes "manufacturer" brskictl m
check "second words" completes "add set list show remove" brskictl manufacturer ""
check "options" completes "--masa-url --masa-tls-ca" brskictl manufacturer add acme --anchors x --mas
check "their values" completes "manual manufacturer" brskictl manufacturer set acme --mode ma
check "files" completes "a file.pem" /usr/sbin/brskictl export --config "a f"
check "behind options with values" completes "device" brskictl -d list dev
check "operands that are files" completes "a file.pem" brski-courier -c x "a f"
check "help" completes "issue-registrar issue-server issue-masa issue-idevid" brski-ca help issue
check "keys" completes "P-256 P-384" brski-ca init --key-type P
check "one's own operands are left to oneself" completes "" brskictl device add acme S

finish
