#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# `make install` lays files where Debian's packages expect them, and the example configuration works as it stands in the
# configuration that Debian's freeradius ships.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/raddb.sh
. "$ROOT/tests/lab/raddb.sh"

installed() { # PATH...
	local missing=
	for path in "$@"; do [ -s "$LAB/root/$path" ] || missing+=" $path"; done
	[ -z "$missing" ] || { echo "# missing:$missing" && false; }
}

# What the guide tells to do: before "eap" in authorize, and in authenticate.
enable() { # SITE
	awk '/^authorize \{/ { a = 1 } /^authenticate \{/ { b = 1 }
		a && /^\teap \{/ { print "\tbrski {\n\t\tok = return\n\t}"; a = 0 }
		b && /^\teap$/ { print "\tbrski"; b = 0 }
		{ print }' "$1" > "$LAB/site"
	cp "$LAB/site" "$1"
}

# Debian's own configuration with our files beside it, moved to a folder of its own; only paths are changed.
configure() {
	local raddb=$LAB/raddb
	raddb_copy "$raddb"
	cp "$LAB"/root/etc/freeradius/3.0/mods-available/* "$raddb/mods-available/"
	cp "$LAB"/root/etc/freeradius/3.0/sites-available/* "$raddb/sites-available/"
	ln -s ../mods-available/brski "$raddb/mods-enabled/brski"
	mkdir -p "$raddb/certs/brski" "$LAB/var" "$LAB/log"
	cp "$PKI/home-registrar.pem" "$raddb/certs/brski/registrar.pem"
	cp "$PKI/home-registrar.key" "$raddb/certs/brski/registrar.key"
	cp "$PKI/home-ca.pem" "$raddb/certs/brski/domain-ca.pem"
	sed -i "s|/var/lib/brski|$LAB/var|" "$raddb/mods-available/brski"
	sed -i -e "s|^libdir = .*|libdir = \"$LAB/root/usr/lib/freeradius:/usr/lib/freeradius\"|" -e "s|^raddbdir = .*|raddbdir = $raddb|" \
		-e "s|^logdir = .*|logdir = $LAB/log|" -e "s|^run_dir = .*|run_dir = $LAB/var|" \
		-e 's|^\tuser = |#|' -e 's|^\tgroup = |#|' "$raddb/radiusd.conf"
	enable "$raddb/sites-available/default"
}

lab_begin
lab_pki
mkdir "$LAB/root"
check "make install" make -s -C "$ROOT" BUILD="$BUILD" DESTDIR="$LAB/root" install
check "module, configuration, dictionary" installed usr/lib/freeradius/rlm_brski.so etc/freeradius/3.0/mods-available/brski \
	etc/freeradius/3.0/sites-available/brski usr/share/freeradius/dictionary.brski
check "programs" installed usr/sbin/brskictl usr/sbin/brski-registrar usr/sbin/brski-masa usr/sbin/brski-ca usr/bin/brski-courier
check "man pages" installed usr/share/man/man8/brskictl.8 usr/share/man/man8/brski-registrar.8 usr/share/man/man5/registrar.conf.5 usr/share/man/man8/brski-masa.8 usr/share/man/man8/brski-ca.8 \
	usr/share/man/man5/rlm_brski.5 usr/share/man/man5/eap-brski-peer.5 usr/share/man/man1/brski-courier.1
check "completion" installed usr/share/bash-completion/completions/{brskictl,brski-registrar,brski-masa,brski-ca,brski-courier}
check "library and headers" installed usr/include/eap_brski/eap/peer.h usr/include/eap_brski/registrar/registrar.h
check "documents" installed usr/share/doc/eap-brski/README.md usr/share/doc/eap-brski/administrator.md \
	usr/share/doc/eap-brski/protocol.md
configure
if freeradius -d "$LAB/raddb" -XC > "$LAB/check.log" 2>&1; then ok "the example works as it stands in Debian's configuration"; else
	not_ok "the example works as it stands in Debian's configuration"
	tail -n 15 "$LAB/check.log" | sed 's/^/#   /'
fi
ln -s ../sites-available/brski "$LAB/raddb/sites-enabled/brski"
check "and so does the example site" freeradius -d "$LAB/raddb" -XC -l "$LAB/check2.log"

echo "# Installed once more"
RADDB=$LAB/root/etc/freeradius/3.0
install_next() { # into it, what a next version has; says what that said
	"$LAB/next/install_config" "$RADDB" > "$LAB/said" 2>&1
}

next_version() { # WORD: one whose every file ends with it
	rm -rf "$LAB/next"
	mkdir "$LAB/next"
	cp -r "$ROOT/radius_module/install_config" "$ROOT/radius_module/raddb" "$ROOT/radius_module/raddb.sha256" "$LAB/next/"
	find "$LAB/next/raddb" -type f -exec sed -i "\$a # $1" {} +
}

ends_with() { # FILE WORD
	[ "$(tail -n 1 "$RADDB/$1")" = "# $2" ]
}

edit() { # FILE: the site's own, read by the server's group only
	echo "# the site's own" >> "$RADDB/$1"
	chmod 600 "$RADDB/$1"
}

stays() { # FILE...
	for file in "$@"; do
		ends_with "$file" "the site's own" && [ "$(stat -c %a "$RADDB/$file")" = 600 ] || return 1
	done
}

edit mods-available/brski
edit sites-available/brski-policy
chmod 700 "$LAB/root/var/lib/brski"
make -s -C "$ROOT" BUILD="$BUILD" DESTDIR="$LAB/root" install > "$LAB/said" 2>&1
check "what has been edited stays" stays mods-available/brski sites-available/brski-policy
check "nor is it offered what it was made of" [ -z "$(find "$RADDB" -name '*.new')" ]
check "and the rights of the database's folder stay" [ "$(stat -c %a "$LAB/root/var/lib/brski")" = 700 ]
next_version "next"
check "a next version is installed" install_next
check "what has been edited stays again" stays mods-available/brski sites-available/brski-policy
check "what is new is beside it" eval 'ends_with mods-available/brski.new next && ends_with sites-available/brski-policy.new next'
check "which is said, and how to compare" grep -q "    diff -u $RADDB/mods-available/brski $RADDB/mods-available/brski.new" "$LAB/said"
check "what has not been edited is the new one" eval 'ends_with mods-available/brski_sql next && ends_with sites-available/brski next'
check "and not spoken of" [ "$(grep -c 'has been edited' "$LAB/said")" = 2 ]
rm "$RADDB/mods-available/brski.new"
echo "# half merged" >> "$RADDB/sites-available/brski-policy.new"
next_version "one more"
install_next
check "once merged, the one after it is offered" eval 'stays mods-available/brski && ends_with mods-available/brski.new "one more"'
check "what is being merged stays, and is told" eval 'ends_with sites-available/brski-policy.new "half merged" && grep -q "brski-policy.new away" "$LAB/said"'
rm "$RADDB/sites-available/brski-policy.new"
install_next
check "and is offered when that is out of the way" ends_with sites-available/brski-policy.new "one more"
cp "$LAB/next/raddb/mods-available/brski" "$RADDB/mods-available/brski"
install_next
check "nothing lies beside what is as it was laid" [ ! -e "$RADDB/mods-available/brski.new" ]
rm "$RADDB"/mods-config/brski/installed.sha256 "$RADDB"/*/*.new
sha256sum < "$RADDB/mods-available/brski_sql" | sed 's|-$|mods-available/brski_sql|' >> "$LAB/next/raddb.sha256"
sed -i '$a # newest' "$LAB"/next/raddb/mods-available/*
install_next
check "a version that wrote nothing down is known" eval 'ends_with mods-available/brski_sql newest && [ ! -e "$RADDB/mods-available/brski_sql.new" ]'
check "what it had not is not touched" eval 'ends_with mods-available/brski "one more" && ends_with mods-available/brski.new newest'

echo "# A server's user who lays links where root is about to write"
trap_for() { # LINK: at that place, to a file of root's; prints nothing
	rm -rf "$LAB/trap" "$LAB/victim"
	mkdir -p "$LAB/trap/mods-available"
	echo "root's own" > "$LAB/victim"
	chmod 600 "$LAB/victim"
	ln -s "$LAB/victim" "$LAB/trap/$1"
	chown -hR freerad:freerad "$LAB/trap"
}

unharmed() {
	[ "$(stat -c '%U %a' "$LAB/victim")" = "root 600" ] && [ "$(cat "$LAB/victim")" = "root's own" ]
}

chmod 755 "$LAB"
for link in registrar.db registrar.db-wal registrar.db-shm registrar.db-journal; do
	trap_for "$link"
	"$BUILD/brskictl" -d "$LAB/trap/registrar.db" init > "$LAB/out" 2>&1 || true
	check "brskictl init does not go where $link leads" unharmed
done
trap_for elsewhere
rm -f "$LAB/victim"
ln -s "$LAB/victim" "$LAB/trap/registrar.db"
"$BUILD/brskictl" -d "$LAB/trap/registrar.db" init > "$LAB/out" 2>&1 && not_ok "the database is where a link leads"
check "nor makes a file there" [ ! -e "$LAB/victim" ]
trap_for elsewhere
check "without a link it makes the database" "$BUILD/brskictl" -d "$LAB/trap/registrar.db" init
check "which is the server's" [ "$(stat -c '%U %a' "$LAB/trap/registrar.db")" = "freerad 640" ]
chown root "$LAB/trap/registrar.db"
check "one that is root's is told" grep -q 'belongs to root, and its folder to user' <("$BUILD/brskictl" -d "$LAB/trap/registrar.db" queue 2>&1)

trap_for masa.log
"$BUILD/brski-masa" --db "$LAB/trap/masa.db" --log "$LAB/trap/masa.log" --tls-key x --tls-cert x --sign-key x --sign-cert x serve > "$LAB/out" 2>&1 || true
check "brski-masa writes no log there" eval 'unharmed && grep -q "cannot write the log" "$LAB/out"'
trap_for masa.db-wal
"$BUILD/brski-masa" --db "$LAB/trap/masa.db" device list > "$LAB/out" 2>&1 || true
check "nor its database" unharmed

for link in mods-available/brski mods-available/brski_sql; do
	trap_for "$link"
	check "the configuration is laid" "$ROOT/radius_module/install_config" "$LAB/trap" freerad
	check "and takes the place of $link" eval 'unharmed && [ "$(stat -c "%F %U %G %a" "$LAB/trap/$link")" = "regular file root freerad 640" ]'
done
rm -rf "$LAB/trap/sites-available"
ln -s "$LAB" "$LAB/trap/sites-available"
chown -h freerad "$LAB/trap/sites-available"
check "nor is a folder believed that is a link" eval '! "$ROOT/radius_module/install_config" "$LAB/trap" freerad 2> /dev/null'
finish
