#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The stock server loads the module, with Debian's own configuration around it and ours as it is shipped; and refuses, with
# words that help, what cannot work.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$(realpath "${BUILD:-$root/build}")
# shellcheck source=tests/lab/raddb.sh
. "$root/tests/lab/raddb.sh"
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
chmod 755 "$lab"
failed=0

ok()
{
	echo "ok: $*"
}

bad()
{
	echo "FAILED: $*" >&2
	failed=1
}

key()
{
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2> /dev/null
}

# name, extendedKeyUsage
certificate()
{
	key "$lab/$1.key"
	printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nsubjectKeyIdentifier=hash\n' > "$lab/$1.ext"
	[ -z "$2" ] || echo "extendedKeyUsage=$2" >> "$lab/$1.ext"
	openssl req -new -key "$lab/$1.key" -subj "/CN=$1" -out "$lab/$1.csr"
	openssl x509 -req -in "$lab/$1.csr" -CA "$lab/ca.pem" -CAkey "$lab/ca.key" -days 2 -extfile "$lab/$1.ext" \
		-out "$lab/$1.pem" 2> /dev/null
}

# Debian's raddb, with what README tells the administrator to do.
site()
{
	rm -rf "$lab/raddb"
	raddb_copy "$lab/raddb"
	mkdir -p "$lab/raddb/certs/brski" "$lab/db" "$lab/run" "$lab/log"
	cp "$lab/registrar.pem" "$lab/registrar.key" "$lab/raddb/certs/brski/"
	cp "$lab/ca.pem" "$lab/raddb/certs/brski/domain-ca.pem"
	sed "s,/var/lib/brski/registrar.db,$lab/db/registrar.db," "$root/radius_module/raddb/mods-available/brski" \
		> "$lab/raddb/mods-enabled/brski"
	rm -f "$lab/raddb/sites-enabled/"*
	sed -e '0,/^\teap {/s//\tbrski {\n\t\tok = return\n\t}\n\teap {/' -e '/^authenticate {/a brski' \
		"$lab/raddb/sites-available/default" > "$lab/raddb/sites-enabled/default"
	sed -i -e "s,^libdir = .*,libdir = \"$build:/usr/lib/freeradius\"," -e "s,^\(logdir\|run_dir\) = .*,\1 = $lab/log," \
		-e 's,^\t\(user\|group\) = .*,,' "$lab/raddb/radiusd.conf"
	chmod -R go+rX "$lab/raddb"
}

check()
{
	freeradius -d "$lab/raddb" -XC > "$lab/out" 2>&1
}

# what, pattern that the module's own line must have
refused()
{
	if check; then
		bad "$1: the server does not mind"
	elif grep -q "rlm_brski (brski): .*$2" "$lab/out"; then
		ok "$1: $(grep -m1 -o "rlm_brski (brski): .*" "$lab/out")"
	else
		bad "$1: nothing said of '$2'"
		tail -n 15 "$lab/out" >&2
	fi
}

cd "$lab"
key ca.key
openssl req -x509 -new -key ca.key -subj /CN=Domain -days 2 -out ca.pem
certificate registrar cmcRA,serverAuth,clientAuth
certificate plain serverAuth

site
if check && grep -q 'Loaded module rlm_brski' out && grep -q 'Configuration appears to be OK' out; then
	ok "freeradius -XC with Debian's site and the shipped mods-available/brski"
else
	bad "freeradius -XC"
	tail -n 30 out >&2
fi

# A name that one version of the server has and another hides stops the module before it can say that it is of another version.
if nm -D --undefined-only "$build/rlm_brski.so" | grep radiusd_version; then
	bad "the module needs a variable of this version of the server"
else
	ok "the module needs no variable of this version of the server"
fi

# What it says then: the same module, in which the version that it was built for is another one.
version=$(freeradius -v | sed -nE 's/.*Version ([0-9.]+),.*/\1/p' | head -n 1)
another=$(echo "$version" | tr 0-9 1-90)
mkdir "$lab/other"
sed "s/${version//./\\.}\x00/$another\x00/g" "$build/rlm_brski.so" > "$lab/other/rlm_brski.so"
site
sed -i "s,^libdir = .*,libdir = \"$lab/other:/usr/lib/freeradius\"," raddb/radiusd.conf
check || true
if grep -q "rlm_brski was built for FreeRADIUS $another and this server is $version: build it again" out; then
	ok "a module for another version says so"
else
	bad "a module for another version"
	tail -n 15 out >&2
fi

# After an upgrade of FreeRADIUS the headers of the one before are fetched anew, and what was made of them is made anew.
object=$lab/made/radius_module/rlm_brski_origin.o
make_object()
{
	PATH=$lab/bin:$PATH make -s -C "$root" BUILD="$lab/made" "$object" > "$lab/out" 2>&1
}
mkdir -p "$lab/made" "$lab/bin"
cp -a "$build/freeradius" "$lab/made/"
printf '#!/bin/sh\ntouch %s/asked\nexit 1\n' "$lab" > "$lab/bin/apt-get"
chmod 755 "$lab/bin/apt-get"
if make_object && first=$(stat -c %i-%y "$object") && make_object && [ "$(stat -c %i-%y "$object")" = "$first" ] && [ ! -e asked ]; then
	ok "nothing is made anew for the same FreeRADIUS"
else
	bad "made twice for one FreeRADIUS"
	tail -n 15 out >&2
fi
touch made/freeradius/version
if make_object && [ "$(stat -c %i-%y "$object")" != "$first" ]; then ok "new headers make the module anew"; else bad "new headers, and the old module"; fi
echo 3.2.0+dfsg-1 > made/freeradius/version
touch -r "$build/freeradius/version" made/freeradius/version
if ! make_object && [ -e asked ]; then ok "headers of another FreeRADIUS are fetched anew"; else bad "headers of another FreeRADIUS are taken"; fi

# The example of rules of one's own, the way its own text says.
mkdir -p raddb/mods-config/sql/brski
cp "$root/radius_module/raddb/mods-config/sql/brski/schema.sql" raddb/mods-config/sql/brski/
sed "s,/var/lib/brski/devices.db,$lab/db/devices.db," "$root/radius_module/raddb/mods-available/brski_sql" > raddb/mods-enabled/brski_sql
cp "$root/radius_module/raddb/sites-available/brski-policy" raddb/sites-enabled/
sed -i 's/^#\tvirtual_server = brski-policy/\tvirtual_server = brski-policy/' raddb/mods-enabled/brski
if grep -q '^.virtual_server = brski-policy' raddb/mods-enabled/brski && check && grep -q 'Configuration appears to be OK' out; then
	ok "freeradius -XC with the shipped SQL example"
else
	bad "freeradius -XC with the shipped SQL example"
	tail -n 30 out >&2
fi

# Rules for the other door: there is no secret that everybody knows.
sed "s,/etc/brski/rules.secret,$lab/rules.secret," "$root/radius_module/raddb/sites-available/brski-rules" > raddb/sites-enabled/brski-rules
if ! check && grep -q 'Unable to open file ".*rules.secret"' out; then
	ok "the site for the other door does not load without a secret"
else
	bad "the site for the other door without a secret"
fi
"$root/radius_module/make_secret" "$lab/rules.secret"
cp rules.secret first.secret
"$root/radius_module/make_secret" "$lab/rules.secret"
chmod 644 rules.secret
echo "\$INCLUDE $root/radius_module/raddb/dictionary.brski" >> raddb/dictionary
if cmp -s rules.secret first.secret && check && grep -q 'Configuration appears to be OK' out; then
	ok "it loads with one, which is made once; and with the dictionary, too"
else
	bad "the site for the other door with a secret"
	tail -n 30 out >&2
fi

site
sed '/^\s*brski {/,/^\s*}/d; /^brski$/d' -i raddb/sites-enabled/default
if check && grep -q "no 'authenticate' section names" out; then
	ok "a module that no site names is a warning"
else
	bad "a module that no site names"
	tail -n 30 out >&2
fi

site
cp plain.pem raddb/certs/brski/registrar.pem
cp plain.key raddb/certs/brski/registrar.key
refused "a certificate without cmcRA" "extendedKeyUsage = cmcRA"

site
cp plain.key raddb/certs/brski/registrar.key
refused "a key that does not fit" "private_key_file"

site
openssl req -x509 -new -key plain.key -subj /CN=Other -days 2 -out raddb/certs/brski/domain-ca.pem
refused "another domain's CA" "does not lead to ca_file"

site
sed -i 's,cmp_url = .*,cmp_url = "ldap://pki/",' raddb/mods-enabled/brski
refused "a PKI that is not http" "cmp_url is no http"

site
sed -i 's,cmp_url = .*,cmp_url = "http://pki:99999/",' raddb/mods-enabled/brski
refused "a PKI at an impossible port" "cmp_url .*99999.*port"

site
cat registrar.pem registrar.pem > raddb/certs/brski/registrar.pem
refused "a certificate twice in certificate_file" "number 1 and 2 in .*registrar.pem.* are the same one"

# The server's own parser takes each of these for a number.
for number in abc 20x '""' '"20 s"' 1.5; do
	site
	sed -i "/^brski {/a wait_total = $number" raddb/mods-enabled/brski
	refused "wait_total = $number" "wait_total is a number from 0 to 600, not"
done

site
sed -i "/^brski {/a max_waiting = many" raddb/mods-enabled/brski
refused "max_waiting = many" "max_waiting is a number from 1 to 1000000, not \"many\""

site
sed -i 's,identity_domain = .*,identity_domain = "not a name",' raddb/mods-enabled/brski
refused "an identity domain that is no host name" "identity_domain"

site
sed -i "s,database = .*,database = $lab/none/registrar.db," raddb/mods-enabled/brski
refused "a folder for the database that is not there" "none/registrar.db"

# A database that was put back by root, or with other rights: it is told at the start, and brskictl mends it.
site
check || true
chown -R freerad:freerad "$lab/db"
chmod 440 "$lab/db/registrar.db"
refused "a database that its user may not write" "attempt to write a readonly database: user freerad may not read and write .*db/registrar.db, which is freerad's, mode 440; 'brskictl init', run by root"
chown root:root "$lab/db/registrar.db"
touch "$lab/db/registrar.db-wal" "$lab/db/registrar.db-shm"
chmod 600 "$lab"/db/*
refused "a database that is root's" "it belongs to root, .*'brskictl init', run by root"
"$build/brskictl" --config "$lab/raddb/mods-enabled/brski" init > mended 2>&1 || true
if [ "$(stat -c %U "$lab"/db/registrar.db* | sort -u)" = freerad ] && grep -q "registrar.db was root's, mode 600; it is freerad's, mode 600" mended && check; then
	ok "brskictl init gives them back: $(grep -m1 "was root's" mended)"
else
	bad "brskictl init does not give them back"
	cat mended "$lab/out" >&2
fi
if grep -q "brskictl: the database is $lab/db/registrar.db, as $lab/raddb/mods-enabled/brski says" mended; then
	ok "brskictl works on the server's database"
else
	bad "brskictl works on another database than the server"
fi
if setpriv --reuid nobody --regid nogroup --clear-groups "$build/brskictl" -d "$lab/db/registrar.db" queue > out 2>&1; then
	bad "a stranger may look"
elif grep -q "user nobody may not .*db" out && grep -q "Run it as root" out && ! grep -q "Make it" out; then
	ok "who is not root is told: $(head -n 1 out)"
else
	bad "who is not root"
	cat out >&2
fi

exit $failed
