# SPDX-License-Identifier: BSD-3-Clause
#
#   make demo       installs what is needed, builds, and onboards a device before your eyes
#   make check      installs what is needed, builds, and runs every test
#   make            the library and every program but those of `make device`
#   make registrar  for a RADIUS server: rlm_brski for FreeRADIUS, brski-registrar, brskictl, brski-courier, brski-ca
#   make registrar-https  the same for one without RADIUS: all but rlm_brski
#   make device     for a device: wpa_supplicant with EAP-BRSKI
#   make masa       for a manufacturer: brski-masa, brski-ca
#   make install    all of them into DESTDIR, where Debian's packages expect things; install-registrar, install-registrar-https,
#                   install-device, install-masa: one of them; install-library: libeap_brski.a and its headers
#   make deps       installs the Debian packages that all of this needs; deps-registrar, deps-registrar-https, deps-device, deps-masa:
#                   for one of them
#   make static     the checks of the tree itself: dependencies, symbols, what is linked, sizes, paths, format
#   make unit       unit tests, under AddressSanitizer and UndefinedBehaviorSanitizer
#   make bench      the benchmarks; for a quiet machine
#   make clean      removes $(BUILD), nothing else
#
# BUILD=FOLDER builds there; V=1 shows every command; CC=clang works too. CPPFLAGS, CFLAGS and LDFLAGS are the caller's. CROSS=aarch64-linux-gnu
# makes `lib` and `services` for another kind of computer, with Debian's compiler and libraries for it. WERROR=-Werror lets no warning pass, as
# the tests do.
#
# Each folder with programs of its own adds its targets to `all` in a fragment, FOLDER/*.mk.

BUILD   ?= build
V       ?= 0
CC      := $(if $(filter default,$(origin CC)),$(CROSS:%=%-)gcc,$(CC))
AR      := $(if $(filter default,$(origin AR)),$(CROSS:%=%-)ar,$(AR))
PKGCONF ?= $(if $(CROSS),env PKG_CONFIG_LIBDIR=/usr/lib/$(CROSS)/pkgconfig:/usr/share/pkgconfig) pkg-config
WERROR  ?=

# GNU make knows no target with a blank in it, so a build folder with one gets a link without.
ifneq ($(words $(BUILD)),1)
BUILD_FOLDER   := $(BUILD)
override BUILD := .build-$(firstword $(shell printf %s '$(BUILD_FOLDER)' | sha256sum | cut -c -12))
$(shell mkdir -p '$(BUILD_FOLDER)' && ln -sfn "$$(realpath '$(BUILD_FOLDER)')" $(BUILD))
endif

# $(1): options, packages. Silent where there is no pkg-config: "what is missing" tells, below.
pkgconf = $(shell $(PKGCONF) $(1) 2> /dev/null)

PACKAGES := libssl libcrypto jansson
WARNINGS := -Wall -Wextra -Wshadow -Wconversion
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all

CPPFLAGS ?=
CFLAGS   ?= -g -O2
LDFLAGS  ?= -Wl,-z,relro -Wl,-z,now
# The level of _FORTIFY_SOURCE is the caller's, if the flags have one; and glibc has none to offer without optimization.
FORTIFY  := $(if $(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,$(if $(filter-out -O0,$(filter -O%,$(CFLAGS))),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
HARDEN   := $(FORTIFY) -fstack-protector-strong
# what is needed whatever the caller's CFLAGS say
BASE_CFLAGS := -std=gnu11 -D_GNU_SOURCE -I. -fPIC -MMD -MP $(WARNINGS) $(call pkgconf,--cflags $(PACKAGES))
LIBS        := $(call pkgconf,--libs $(PACKAGES))

LIB_SOURCES := $(wildcard eap_brski/*/*.c)
LIB         := $(BUILD)/libeap_brski.a
SAN_LIB     := $(BUILD)/san/libeap_brski.a

# Debian's packages; the fragments add those of the device, the registrar and the MASA. A|B is whichever there is.
DEBIAN_COMPILE := build-essential dpkg-dev pkg-config ca-certificates libssl-dev libjansson-dev
DEBIAN_LAB     := openssl iproute2 procps tcpdump hostapd
DEBIAN_TESTS   := sqlite3 curl valgrind check freeradius-utils wpasupplicant strongswan-pki libstrongswan-standard-plugins
install_packages = @tests/debian/install_packages $(foreach p,$(sort $(1)),'$(p)')

.PHONY: all lib static unit clean deps clang-format demo check e2e install install-library install-pages help
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
	$$(Q)rm -f $$@ && $$(AR) rcs $$@ $$^
endef
$(eval $(call archive,eap_brski,$(LIB_SOURCES)))

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(BASE_CFLAGS) $(WERROR) $(HARDEN) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

$(BUILD)/san/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(BASE_CFLAGS) $(WERROR) $(CPPFLAGS) -U_FORTIFY_SOURCE -g -O1 -fno-omit-frame-pointer $(SANITIZE) -c $< -o $@

-include services/services.mk radius_module/module.mk supplicant_patch/supplicant.mk tests/tests.mk

# What is missing is told before anything is compiled; what installs it, or needs none of it, goes on.
BUILDING := $(filter-out help clean demo check check-suite check-cross clang-format deps deps-%,$(or $(MAKECMDGOALS),all))
NEEDED   := $(if $(BUILDING),$(PACKAGES) $(if $(filter-out lib device supplicant install-library install-device,$(BUILDING)),$(DAEMON_PACKAGES)))
MISSING  := $(shell for p in $(NEEDED); do $(PKGCONF) --exists $$p 2> /dev/null || echo $$p; done)
ifneq ($(MISSING),)
$(if $(call pkgconf,--version),,$(error there is no pkg-config, which tells where libraries are; as root: make deps$(if $(CROSS),, (or deps-registrar, deps-device, deps-masa))))
$(error pkg-config finds no development files of: $(MISSING); as root: make deps$(if $(CROSS),: but for $(CROSS), (or deps-registrar, deps-device, deps-masa)))
endif

# Every test_*.c below tests/unit/, whose folders are those of what is tested, is a program of its own; tests/unit/support/*.c goes
# into each of them. Fragments add the sanitized archives of their own plain C to UNIT_ARCHIVES, and the packages that those need to
# UNIT_PACKAGES; a test takes of them what it calls.
UNIT_TESTS   := $(patsubst %.c,$(BUILD)/san/%,$(sort $(shell find tests/unit -name 'test_*.c' 2> /dev/null)))
UNIT_SUPPORT := $(patsubst %.c,$(BUILD)/san/%.o,$(wildcard tests/unit/support/*.c))

$(UNIT_TESTS): LIBS += $(call pkgconf,--libs check $(UNIT_PACKAGES))
$(UNIT_TESTS): $(BUILD)/san/%: $(BUILD)/san/%.o $(UNIT_SUPPORT) $(UNIT_ARCHIVES) $(SAN_LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(SANITIZE) $(LDFLAGS) $^ -o $@ $(LIBS)

# Whoever changes the code lets no warning pass.
static unit e2e: WERROR = -Werror

# tests/check/site_links looks at what a registrar without a door links, at brski-registrar, and at one with the EAP door.
static: all $(BUILD)/san/tests/unit/services/registrar/test_site $(BUILD)/san/tests/unit/radius_module/test_conversation
	@BUILD=$(BUILD) tests/check/run

unit: $(UNIT_TESTS)
	@tests/unit/run $^

# The packages may not be there when this Makefile is read, so what needs them is made by a make of its own.
demo:
	@BUILD=$(BUILD) tests/lab/demo --plan
	$(call install_packages,$(DEBIAN_REGISTRAR) $(DEBIAN_DEVICE) $(DEBIAN_MASA) $(DEBIAN_LAB))
	@$(MAKE) --no-print-directory -j$$(nproc) all supplicant
	@BUILD=$(BUILD) tests/lab/demo

check: deps clang-format
	@$(MAKE) --no-print-directory -j$$(nproc) WERROR=-Werror all supplicant test-programs $(UNIT_TESTS)
	@$(MAKE) --no-print-directory static
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory e2e
	@echo "CHECK PASSED"

deps:
	$(call install_packages,$(DEBIAN_REGISTRAR) $(DEBIAN_DEVICE) $(DEBIAN_MASA) $(DEBIAN_LAB) $(DEBIAN_TESTS))

# Only `make check` wants it, and it is 33 MB to fetch: where it cannot be had, the check of the format is skipped.
clang-format: deps
	$(call install_packages,clang-format-14) || echo "there is no clang-format-14 here"

# Each tests/e2e/test_*.sh is a program of its own, and makes its own daemons.
e2e: all supplicant test-programs
	@BUILD=$(BUILD) tests/e2e/run $(sort $(wildcard tests/e2e/test_*.sh))

# DESTDIR is a package's staging folder, or empty for this machine itself. Each part's own files are in its fragment.
MULTIARCH = $(shell $(CC) -print-multiarch)
INSTALL_FILE    = install -D -m 644
INSTALL_PROGRAM = install -D -m 755
# $(1): names of programs
install_completion = for p in $(1); do $(INSTALL_FILE) services/completion.bash '$(DESTDIR)/usr/share/bash-completion/completions/'$$p || exit 1; done
# $(1): names of man pages
install_man = for m in $(1); do $(INSTALL_FILE) docs/man/$$m '$(DESTDIR)/usr/share/man/man'$${m\#\#*.}/$$m || exit 1; done

install: install-library install-masa install-device install-registrar
install-library: lib install-pages
	$(INSTALL_FILE) $(LIB) '$(DESTDIR)/usr/lib/$(MULTIARCH)/libeap_brski.a'
	for h in $$(find eap_brski -name '*.h' ! -name '*_internal.h' ! -name '*_asn1.h'); do $(INSTALL_FILE) $$h '$(DESTDIR)/usr/include/'$$h || exit 1; done
install-pages:
	for d in README.md COPYING docs/*.md; do $(INSTALL_FILE) $$d '$(DESTDIR)/usr/share/doc/eap-brski/'$${d##*/} || exit 1; done

help:
	@sed -n 's/^#   make/  make/p' $(MAKEFILE_LIST)

clean:
	rm -rf $(BUILD) $(if $(BUILD_FOLDER),'$(BUILD_FOLDER)')

-include $(shell find -H $(BUILD) -path '$(BUILD)/debian' -prune -o -type f -name '*.d' -print 2>/dev/null)
