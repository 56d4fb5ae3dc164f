# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Sourced by tests that start from Debian's own FreeRADIUS configuration.

# A copy of it. On a machine where rlm_brski is in use already, that is taken out of the copy again.
raddb_copy() { # FOLDER
	cp -a /etc/freeradius/3.0 "$1"
	rm -f "$1"/mods-enabled/brski* "$1"/sites-enabled/brski*
	sed -i -e '/^[[:space:]]*brski[[:space:]]*{/,/^[[:space:]]*}/d' -e '/^[[:space:]]*brski[[:space:]]*$/d' "$1/sites-available/default"
}
