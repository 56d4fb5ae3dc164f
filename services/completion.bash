# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Completion of bash for brskictl, brski-registrar, brski-masa, brski-ca and brski-courier; `make install` lays it where bash finds it.

# begin: made from the programs' tables by test_completion --write

# The words that may stand behind these. False: they are no beginning of a command.
_brski_next() # PROGRAM WORDS
{
	case "$*" in
	"brskictl") echo "init manufacturer device pending accept refuse type rules history queue voucher export import help --database --config --help --version" ;;
	"brskictl help") echo "init manufacturer device pending accept refuse type rules history queue voucher export import " ;;
	"brskictl manufacturer" | "brskictl help manufacturer") echo " add set list show remove" ;;
	"brskictl device" | "brskictl help device") echo " add list remove" ;;
	"brskictl type" | "brskictl help type") echo " add list remove" ;;
	"brskictl rules" | "brskictl help rules") echo " list forget" ;;
	"brskictl voucher" | "brskictl help voucher") echo " fetch list remove" ;;
	"brskictl init") echo "--database --config --help --version" ;;
	"brskictl manufacturer add") echo "--anchors --masa-url --voucher-anchors --masa-tls-ca --crl --mode --allow-foreign-domains --allow-nonceless --no-audit-log --no-voucher-check --force --database --config --help --version" ;;
	"brskictl manufacturer set") echo "--anchors --masa-url --voucher-anchors --masa-tls-ca --crl --mode --allow-foreign-domains --allow-nonceless --no-audit-log --no-voucher-check --force --clear --database --config --help --version" ;;
	"brskictl manufacturer list") echo "--json --database --config --help --version" ;;
	"brskictl manufacturer show") echo "--json --database --config --help --version" ;;
	"brskictl manufacturer remove") echo "--database --config --help --version" ;;
	"brskictl device add") echo "--file --database --config --help --version" ;;
	"brskictl device list") echo "--json --database --config --help --version" ;;
	"brskictl device remove") echo "--database --config --help --version" ;;
	"brskictl pending") echo "--json --database --config --help --version" ;;
	"brskictl accept") echo "--database --config --help --version" ;;
	"brskictl refuse") echo "--database --config --help --version" ;;
	"brskictl type add") echo "--database --config --help --version" ;;
	"brskictl type list") echo "--json --database --config --help --version" ;;
	"brskictl type remove") echo "--database --config --help --version" ;;
	"brskictl rules list") echo "--json --database --config --help --version" ;;
	"brskictl rules forget") echo "--database --config --help --version" ;;
	"brskictl history") echo "--number --json --database --config --help --version" ;;
	"brskictl queue") echo "--json --database --config --help --version" ;;
	"brskictl voucher fetch") echo "--file --idevid --offline --certificate --private-key --ca --cmp-url --proxy --database --config --help --version" ;;
	"brskictl voucher list") echo "--json --database --config --help --version" ;;
	"brskictl voucher remove") echo "--database --config --help --version" ;;
	"brskictl export") echo "--certificate --private-key --ca --cmp-url --proxy --database --config --help --version" ;;
	"brskictl import") echo "--courier --certificate --private-key --ca --cmp-url --proxy --database --config --help --version" ;;
	"brski-masa") echo "serve device owner log help --db --listen --tls-key --tls-cert --sign-key --sign-cert --idevid-anchors --require-proximity --min-interval --nonceless-lifetime --max-connections --max-connections-per-address --proxies --timeout --owner --no-owner --idevid --cert --serial --most --json --config --log --pid-file --verbose --help --version" ;;
	"brski-masa help") echo "serve device owner log " ;;
	"brski-masa device" | "brski-masa help device") echo " add list remove block unblock" ;;
	"brski-masa owner" | "brski-masa help owner") echo " add list remove" ;;
	"brski-masa serve") echo "--db --listen --tls-key --tls-cert --sign-key --sign-cert --idevid-anchors --require-proximity --min-interval --nonceless-lifetime --max-connections --max-connections-per-address --proxies --timeout --config --log --pid-file --verbose --help --version" ;;
	"brski-masa device add") echo "--db --owner --no-owner --idevid --config --log --pid-file --verbose --help --version" ;;
	"brski-masa device list") echo "--db --json --config --log --pid-file --verbose --help --version" ;;
	"brski-masa device remove") echo "--db --config --log --pid-file --verbose --help --version" ;;
	"brski-masa device block") echo "--db --config --log --pid-file --verbose --help --version" ;;
	"brski-masa device unblock") echo "--db --config --log --pid-file --verbose --help --version" ;;
	"brski-masa owner add") echo "--db --cert --config --log --pid-file --verbose --help --version" ;;
	"brski-masa owner list") echo "--db --json --config --log --pid-file --verbose --help --version" ;;
	"brski-masa owner remove") echo "--db --config --log --pid-file --verbose --help --version" ;;
	"brski-masa log") echo "--db --serial --most --json --config --log --pid-file --verbose --help --version" ;;
	"brski-ca") echo "init issue-registrar issue-server issue-masa issue-idevid serve list help --dir --db --listen --ca-key --ca-cert --cmp-key --cmp-cert --tls-key --tls-cert --ra-anchors --ra-cert --idevid-anchors --trust-ra --client-anchors --days --copy-san --implicit-confirm --ca-pubs --confirm-wait --max-connections --max-connections-per-address --proxies --timeout --subject --key-type --intermediate --cmp-signer --san --out --serial-number --masa-url --json --config --log --pid-file --verbose --help --version" ;;
	"brski-ca help") echo "init issue-registrar issue-server issue-masa issue-idevid serve list " ;;
	"brski-ca init") echo "--dir --subject --key-type --intermediate --cmp-signer --config --log --pid-file --verbose --help --version" ;;
	"brski-ca issue-registrar") echo "--dir --ca-key --ca-cert --days --subject --key-type --san --out --config --log --pid-file --verbose --help --version" ;;
	"brski-ca issue-server") echo "--dir --ca-key --ca-cert --days --subject --key-type --san --out --config --log --pid-file --verbose --help --version" ;;
	"brski-ca issue-masa") echo "--dir --ca-key --ca-cert --days --subject --key-type --san --out --config --log --pid-file --verbose --help --version" ;;
	"brski-ca issue-idevid") echo "--dir --ca-key --ca-cert --subject --key-type --out --serial-number --masa-url --config --log --pid-file --verbose --help --version" ;;
	"brski-ca serve") echo "--dir --db --listen --ca-key --ca-cert --cmp-key --cmp-cert --tls-key --tls-cert --ra-anchors --ra-cert --idevid-anchors --trust-ra --client-anchors --days --copy-san --implicit-confirm --ca-pubs --confirm-wait --max-connections --max-connections-per-address --proxies --timeout --config --log --pid-file --verbose --help --version" ;;
	"brski-ca list") echo "--dir --db --json --config --log --pid-file --verbose --help --version" ;;
	"brski-courier") echo "--certificate --private-key --registrar --cmp-url --masa-hosts --proxy --timeout --help --version" ;;
	"brski-registrar") echo "--config --check --help --version" ;;
	*) return 1 ;;
	esac
}

# What an option's value may be: FILES, words, or what nobody knows. False: it takes none.
_brski_value() # PROGRAM OPTION
{
	case "$*" in
	"brskictl --anchors") echo "FILES" ;;
	"brskictl --masa-url") echo "" ;;
	"brskictl --voucher-anchors") echo "FILES" ;;
	"brskictl --masa-tls-ca") echo "FILES" ;;
	"brskictl --crl") echo "FILES" ;;
	"brskictl --mode") echo "inventory manual manufacturer type open" ;;
	"brskictl --clear") echo "" ;;
	"brskictl --file" | "brskictl -f") echo "FILES" ;;
	"brskictl --number" | "brskictl -n") echo "" ;;
	"brskictl --idevid" | "brskictl -i") echo "FILES" ;;
	"brskictl --certificate" | "brskictl -c") echo "FILES" ;;
	"brskictl --private-key" | "brskictl -k") echo "FILES" ;;
	"brskictl --ca" | "brskictl -a") echo "FILES" ;;
	"brskictl --cmp-url" | "brskictl -u") echo "" ;;
	"brskictl --proxy" | "brskictl -p") echo "" ;;
	"brskictl --courier" | "brskictl -S") echo "FILES" ;;
	"brskictl --database" | "brskictl -d") echo "FILES" ;;
	"brskictl --config" | "brskictl -C") echo "FILES" ;;
	"brski-masa --db") echo "FILES" ;;
	"brski-masa --listen") echo "" ;;
	"brski-masa --tls-key") echo "FILES" ;;
	"brski-masa --tls-cert") echo "FILES" ;;
	"brski-masa --sign-key") echo "FILES" ;;
	"brski-masa --sign-cert") echo "FILES" ;;
	"brski-masa --idevid-anchors") echo "FILES" ;;
	"brski-masa --min-interval") echo "" ;;
	"brski-masa --nonceless-lifetime") echo "" ;;
	"brski-masa --max-connections") echo "" ;;
	"brski-masa --max-connections-per-address") echo "" ;;
	"brski-masa --proxies") echo "" ;;
	"brski-masa --timeout") echo "" ;;
	"brski-masa --owner") echo "" ;;
	"brski-masa --idevid") echo "FILES" ;;
	"brski-masa --cert") echo "FILES" ;;
	"brski-masa --serial") echo "" ;;
	"brski-masa --most") echo "" ;;
	"brski-masa --config") echo "FILES" ;;
	"brski-masa --log") echo "FILES" ;;
	"brski-masa --pid-file") echo "FILES" ;;
	"brski-ca --dir") echo "FILES" ;;
	"brski-ca --db") echo "FILES" ;;
	"brski-ca --listen") echo "" ;;
	"brski-ca --ca-key") echo "FILES" ;;
	"brski-ca --ca-cert") echo "FILES" ;;
	"brski-ca --cmp-key") echo "FILES" ;;
	"brski-ca --cmp-cert") echo "FILES" ;;
	"brski-ca --tls-key") echo "FILES" ;;
	"brski-ca --tls-cert") echo "FILES" ;;
	"brski-ca --ra-anchors") echo "FILES" ;;
	"brski-ca --ra-cert") echo "FILES" ;;
	"brski-ca --idevid-anchors") echo "FILES" ;;
	"brski-ca --client-anchors") echo "FILES" ;;
	"brski-ca --days") echo "" ;;
	"brski-ca --confirm-wait") echo "" ;;
	"brski-ca --max-connections") echo "" ;;
	"brski-ca --max-connections-per-address") echo "" ;;
	"brski-ca --proxies") echo "" ;;
	"brski-ca --timeout") echo "" ;;
	"brski-ca --subject") echo "" ;;
	"brski-ca --key-type") echo "P-256 P-384 RSA-3072" ;;
	"brski-ca --san") echo "" ;;
	"brski-ca --out") echo "FILES" ;;
	"brski-ca --serial-number") echo "" ;;
	"brski-ca --masa-url") echo "" ;;
	"brski-ca --config") echo "FILES" ;;
	"brski-ca --log") echo "FILES" ;;
	"brski-ca --pid-file") echo "FILES" ;;
	"brski-courier --certificate" | "brski-courier -c") echo "FILES" ;;
	"brski-courier --private-key" | "brski-courier -k") echo "FILES" ;;
	"brski-courier --registrar" | "brski-courier -r") echo "FILES" ;;
	"brski-courier --cmp-url" | "brski-courier -u") echo "" ;;
	"brski-courier --masa-hosts" | "brski-courier -m") echo "" ;;
	"brski-courier --proxy" | "brski-courier -p") echo "" ;;
	"brski-courier --timeout" | "brski-courier -t") echo "" ;;
	"brski-registrar --config") echo "FILES" ;;
	*) return 1 ;;
	esac
}

# end

# The command that was typed so far, without what may stand between its words: options, and operands behind it.
_brski_command()
{
	local program=${COMP_WORDS[0]##*/} words i word
	words=$program
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		-*) ! _brski_value "$program" "$word" > /dev/null || i=$((i + 1)) ;;
		*) ! _brski_next "$words $word" > /dev/null || words+=" $word" ;;
		esac
	done
	echo "$words"
}

_brski_takes_files() # COMMAND
{
	case $1 in
	*" help"*) return 1 ;;
	"brskictl export" | "brskictl import" | "brski-courier" | "brski-ca "*) ;;
	*) return 1 ;;
	esac
}

_brski()
{
	local program=${COMP_WORDS[0]##*/} word=${COMP_WORDS[COMP_CWORD]} command values
	if values=$(_brski_value "$program" "${COMP_WORDS[COMP_CWORD - 1]}"); then
		command=
	else
		command=$(_brski_command)
		values=$(_brski_next "$command")
	fi
	if [ "$values" = FILES ] || { [[ $word != -* ]] && _brski_takes_files "$command"; }; then
		compopt -o filenames 2> /dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	else
		mapfile -t COMPREPLY < <(compgen -W "$values" -- "$word")
	fi
}

complete -F _brski brskictl brski-masa brski-ca brski-courier brski-registrar
