# SPDX-License-Identifier: BSD-3-Clause
#
#   make demo       installs what is needed, builds, and onboards a device before your eyes
#   make check      installs what is needed, builds, and runs every test
#   make            the library and every program
#   make static     the checks of the tree itself: dependencies, symbols, what is linked, sizes, paths, format
#   make unit       unit tests, under AddressSanitizer and UndefinedBehaviorSanitizer
#   make install    into DESTDIR, where Debian's packages expect things
#   make deps       installs the Debian packages that all of this needs
#   make bench      the benchmarks; for a quiet machine
#   make clean      removes $(BUILD), nothing else
#
# BUILD=FOLDER builds there; V=1 shows every command; CC=clang works too.
#
# Each folder with programs of its own adds its targets to `all` in a fragment, FOLDER/*.mk.

BUILD   ?= build
V       ?= 0
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
AR      ?= ar
PKGCONF ?= pkg-config 2>/dev/null # silent where `make deps` has yet to install it

PACKAGES := libssl libcrypto jansson
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Werror
HARDEN   := -D_FORTIFY_SOURCE=2 -fstack-protector-strong
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all

CFLAGS  ?= -g -O2
LDFLAGS ?= -Wl,-z,relro -Wl,-z,now
# what is needed whatever the caller's CFLAGS say
BASE_CFLAGS := -std=gnu11 -D_GNU_SOURCE -I. -fPIC -MMD -MP $(WARNINGS) $(shell $(PKGCONF) --cflags $(PACKAGES))
LIBS        := $(shell $(PKGCONF) --libs $(PACKAGES))

LIB_SOURCES := $(wildcard eap_brski/*/*.c)
LIB         := $(BUILD)/libeap_brski.a
SAN_LIB     := $(BUILD)/san/libeap_brski.a

# Everything that building, testing and the demonstration need on Debian 12.
DEBIAN_PACKAGES := build-essential dpkg-dev pkg-config ca-certificates openssl sqlite3 curl iproute2 tcpdump procps valgrind \
	libssl-dev libjansson-dev libcurl4-openssl-dev libevent-dev libsqlite3-dev check \
	freeradius freeradius-utils libfreeradius-dev libtalloc-dev libpcre3-dev libcap-dev libpcap-dev \
	hostapd wpasupplicant libdbus-1-dev libnl-3-dev libnl-genl-3-dev libnl-route-3-dev libpcsclite-dev libreadline-dev

.PHONY: all lib static unit clean deps clang-format demo check e2e install help
# One short line for each thing made; V=1 shows the commands.
ifneq ($(V),1)
Q := @
endif
say = @printf '  %-4s %s\n' $(1) $(2)

.DELETE_ON_ERROR:
all: lib
lib: $(LIB)

# An archive of plain C, twice: as it is installed, and with sanitizers for the unit tests.
# $(1): its name; $(2): its sources
define archive
$(BUILD)/lib$(1).a: $(2:%.c=$(BUILD)/%.o)
$(BUILD)/san/lib$(1).a: $(2:%.c=$(BUILD)/san/%.o)
$(BUILD)/lib$(1).a $(BUILD)/san/lib$(1).a:
	@rm -f $$@
	$$(call say,AR,$$@)
	$$(Q)$$(AR) rcs $$@ $$^
endef
$(eval $(call archive,eap_brski,$(LIB_SOURCES)))

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(BASE_CFLAGS) $(HARDEN) $(CFLAGS) -c $< -o $@

$(BUILD)/san/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(BASE_CFLAGS) -g -O1 -fno-omit-frame-pointer $(SANITIZE) -c $< -o $@

-include services/services.mk radius_module/module.mk supplicant_patch/supplicant.mk tests/tests.mk

# Every test_*.c below tests/unit/, whose folders are those of what is tested, is a program of its own; tests/unit/support/*.c goes
# into each of them. Fragments add the sanitized archives of their own plain C to UNIT_ARCHIVES, and the packages that those need to
# UNIT_PACKAGES; a test takes of them what it calls.
UNIT_TESTS   := $(patsubst %.c,$(BUILD)/san/%,$(sort $(shell find tests/unit -name 'test_*.c')))
UNIT_SUPPORT := $(patsubst %.c,$(BUILD)/san/%.o,$(wildcard tests/unit/support/*.c))

$(UNIT_TESTS): LIBS += $(shell $(PKGCONF) --libs check $(UNIT_PACKAGES))
$(UNIT_TESTS): $(BUILD)/san/%: $(BUILD)/san/%.o $(UNIT_SUPPORT) $(UNIT_ARCHIVES) $(SAN_LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(SANITIZE) $(LDFLAGS) $^ -o $@ $(LIBS)

# tests/check/site_links looks at what a registrar without a door links, and at one with FreeRADIUS's.
static: all $(BUILD)/san/tests/unit/services/registrar/test_site $(BUILD)/san/tests/unit/radius_module/test_conversation
	@BUILD=$(BUILD) tests/check/run

unit: $(UNIT_TESTS)
	@tests/unit/run $^

# The packages may not be there when this Makefile is read, so what needs them is made by a make of its own.
demo: deps
	@$(MAKE) --no-print-directory -j$$(nproc) all supplicant
	@BUILD=$(BUILD) tests/lab/demo

check: deps clang-format
	@$(MAKE) --no-print-directory -j$$(nproc) all supplicant test-programs $(UNIT_TESTS)
	@$(MAKE) --no-print-directory static
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory e2e
	@echo "CHECK PASSED"

deps:
	@missing=$$(for p in $(DEBIAN_PACKAGES); do \
		dpkg-query -Wf '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || printf '%s ' $$p; done); \
	if [ -n "$$missing" ]; then \
		echo "installing: $$missing"; \
		export DEBIAN_FRONTEND=noninteractive; \
		apt-get update -q && apt-get install -yq --no-install-recommends $$missing; \
	fi

# Only `make check` wants it, and it is 33 MB to fetch: where it cannot be had, the check of the format is skipped.
clang-format: deps
	@dpkg-query -Wf '$${Status}' clang-format-14 2>/dev/null | grep -q 'ok installed' || { \
		echo "installing: clang-format-14"; \
		export DEBIAN_FRONTEND=noninteractive; \
		apt-get update -q && apt-get install -yq --no-install-recommends clang-format-14; \
	} || echo "there is no clang-format-14 here"

# Each tests/e2e/test_*.sh is a program of its own, and makes its own daemons.
e2e: all supplicant test-programs
	@BUILD=$(BUILD) tests/e2e/run $(sort $(wildcard tests/e2e/test_*.sh))

# DESTDIR is a package's staging folder, or empty for this machine itself. What an administrator has changed, in files of the
# configuration or in the rights of the database's folder, stays; and what install_config has to say of it comes last.
MULTIARCH = $(shell $(CC) -print-multiarch)
FR_CONFIG := /etc/freeradius/3.0
INSTALL_FILE    = install -D -m 644
INSTALL_PROGRAM = install -D -m 755

install: all
	$(INSTALL_FILE) $(BUILD)/rlm_brski.so $(DESTDIR)/usr/lib/freeradius/rlm_brski.so
	$(INSTALL_FILE) radius_module/raddb/dictionary.brski $(DESTDIR)/usr/share/freeradius/dictionary.brski
	for p in brskictl brski-masa brski-ca; do $(INSTALL_PROGRAM) $(BUILD)/$$p $(DESTDIR)/usr/sbin/$$p || exit 1; done
	$(INSTALL_PROGRAM) $(BUILD)/brski-courier $(DESTDIR)/usr/bin/brski-courier
	for m in docs/man/*; do $(INSTALL_FILE) $$m $(DESTDIR)/usr/share/man/man$${m##*.}/$${m##*/} || exit 1; done
	$(INSTALL_FILE) $(LIB) $(DESTDIR)/usr/lib/$(MULTIARCH)/libeap_brski.a
	for h in $$(find eap_brski -name '*.h' ! -name '*_internal.h' ! -name '*_asn1.h'); do $(INSTALL_FILE) $$h $(DESTDIR)/usr/include/$$h || exit 1; done
	for d in README.md COPYING docs/*.md; do $(INSTALL_FILE) $$d $(DESTDIR)/usr/share/doc/eap-brski/$${d##*/} || exit 1; done
	@if [ ! -d $(DESTDIR)/var/lib/brski ]; then \
		install -d -m 750 $(DESTDIR)/var/lib/brski && \
		if [ -z "$(DESTDIR)" ] && getent passwd freerad > /dev/null; then chown freerad:freerad /var/lib/brski; fi; \
	fi
	@radius_module/install_config $(DESTDIR)$(FR_CONFIG) $(if $(DESTDIR),,$(shell getent group freerad | cut -d: -f1))

help:
	@sed -n 's/^#   make/  make/p' $(MAKEFILE_LIST)

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
