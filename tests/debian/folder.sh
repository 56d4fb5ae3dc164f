# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# A minimal Debian of any suite in a folder, to try this tree on a machine that has nothing. Sourced. Needs root and debootstrap.
#   MIRROR=URL    where packages come from (default: where this machine's own come from)

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

mirror() {
	local urls
	[ -z "${MIRROR:-}" ] || { echo "$MIRROR" && return; }
	# of the lists that this machine has, the one of Debian's own archive
	urls=$(apt-get indextargets --format '$(SITE) $(ORIGIN) $(LABEL)' 'Created-By: Packages' 2> /dev/null | sed -n 's/ Debian Debian$//p')
	[ -n "$urls" ] || die "no list of Debian's packages on this machine: apt-get update, or MIRROR=URL"
	head -n 1 <<< "$urls"
}

# What was made before is used again; a half-made folder is made anew.
folder_make() { # SUITE FOLDER
	[ "$(id -u)" = 0 ] || die "must be run as root: it makes a system in a folder"
	command -v debootstrap > /dev/null || die "debootstrap is missing; as root: apt-get install debootstrap"
	[ ! -f "$2/etc/brski-suite" ] || return 0
	local from
	from=$(mirror)
	echo "${0##*/}: making Debian $1 in $2"
	rm -rf "$2"
	mkdir -p "$2"
	debootstrap --variant=minbase "$1" "$2" "$from" > "$2.log" 2>&1 || { tail -n 5 "$2.log" >&2 && die "debootstrap failed, see $2.log"; }
	apt-config dump | grep -E '^Acquire::(http|https|Check|Retries)' > "$2/etc/apt/apt.conf.d/00like-outside" || true
	printf '#!/bin/sh\nexit 101\n' > "$2/usr/sbin/policy-rc.d" # no package starts a service in there
	chmod 755 "$2/usr/sbin/policy-rc.d"
	echo "$1" > "$2/etc/brski-suite"
}

# This tree into FOLDER/src, in place of what was there, but for its build folder.
folder_copy_tree() { # FOLDER
	mkdir -p "$1/src"
	find "$1/src" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
	tar -C "$ROOT" --exclude-vcs --exclude='./build*' --exclude='./.build-*' --exclude="./$(realpath -m --relative-to="$ROOT" "$1")" -c . |
		tar -x -C "$1/src" --no-same-owner
}

# A command in it, as root, in /src. Mounts and processes end with it, whatever happens.
folder_run() { # FOLDER COMMAND...
	cp /etc/resolv.conf /etc/hosts "$1/etc/"
	# shellcheck disable=SC2016 # the inner shell's
	unshare --mount --pid --fork --kill-child --propagation private bash -c '
		folder=$1
		shift
		# unshare(1) in there wants its root to be a mount
		mount --bind "$folder" "$folder" && mount -t proc proc "$folder/proc" && mount --rbind /sys "$folder/sys" && mount --rbind /dev "$folder/dev" &&
			mount -t tmpfs tmpfs "$folder/run" && mkdir -m 1777 "$folder/run/lock" || exit 125
		# the network is the same inside and outside, so are the locks of its ports (tests/lab/ports.sh)
		[ ! -d /run/lock ] || mount --bind /run/lock "$folder/run/lock" || exit 125
		exec chroot "$folder" /usr/bin/env -i HOME=/root TERM="${TERM:-dumb}" LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			DEBIAN_FRONTEND=noninteractive bash -c "cd /src && exec \"\$@\"" bash "$@"' bash "$@"
}

folder_install() { # FOLDER PACKAGE...
	local folder=$1
	shift
	folder_run "$folder" sh -c 'apt-get update -q && apt-get install -yq --no-install-recommends "$@"' sh "$@" > "$folder.log" 2>&1 ||
		{ tail -n 5 "$folder.log" >&2 && die "cannot install $*, see $folder.log"; }
}

# The versions of what matters there, for docs/interoperability.md.
folder_versions() { # FOLDER
	# shellcheck disable=SC2016 # the inner shell's
	folder_run "$1" sh -c '. /etc/os-release && echo "$PRETTY_NAME, $(cat /etc/debian_version)"
		dpkg-query -Wf "\${Package} \${Version}\n" gcc freeradius libssl3 libssl3t64 libcurl4 libcurl4t64 libsqlite3-0 libevent-2.1-7 \
			libevent-2.1-7t64 libjansson4 hostapd wpasupplicant 2> /dev/null | grep " ."'
}
