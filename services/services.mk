# SPDX-License-Identifier: BSD-3-Clause
#
#   make services   brskictl, brski-courier and brski-registrar; brski-masa and brski-ca, and for the tests rogue-masa and rogue-ca; with
#                   sanitizers in $(BUILD)/san
#   make registrar-https  what a registrar without RADIUS needs: brski-registrar, brskictl and brski-courier; and brski-ca, for a trial
#   make masa       what a manufacturer runs: brski-masa, and brski-ca, which makes the certificates for it
#
# Each folder of plain C becomes an archive of its own; a program takes of them what it calls.

BASE_SOURCES      := $(wildcard services/base/*.c)
REGISTRAR_SOURCES := $(wildcard services/registrar/*.c)
# what is a program's own stays out of the archives
BRSKICTL_PROGRAM := services/brskictl/brskictl.c
BRSKICTL_SOURCES := $(filter-out $(BRSKICTL_PROGRAM),$(wildcard services/brskictl/*.c))
COURIER_PROGRAM := services/courier/brski_courier.c
COURIER_SOURCES := $(filter-out $(COURIER_PROGRAM),$(wildcard services/courier/*.c))
MASA_PROGRAM := services/masa/masa_main.c services/masa/masa_admin.c
CA_PROGRAM   := services/ca/ca_main.c services/ca/ca_admin.c
HTTPS_PROGRAM := services/registrar_https/registrar_main.c
MASA_SOURCES := $(filter-out $(MASA_PROGRAM),$(wildcard services/masa/*.c))
CA_SOURCES   := $(filter-out $(CA_PROGRAM),$(wildcard services/ca/*.c))
HTTPS_SOURCES := $(filter-out $(HTTPS_PROGRAM),$(wildcard services/registrar_https/*.c))

$(eval $(call archive,brski_base,$(BASE_SOURCES)))
$(eval $(call archive,brski_registrar,$(REGISTRAR_SOURCES)))
$(eval $(call archive,brskictl,$(BRSKICTL_SOURCES)))
$(eval $(call archive,brski_courier,$(COURIER_SOURCES)))
$(eval $(call archive,brski_masa,$(MASA_SOURCES)))
$(eval $(call archive,brski_ca,$(CA_SOURCES)))
$(eval $(call archive,brski_registrar_https,$(HTTPS_SOURCES)))

# In the order in which a linker must see them; LIB comes last.
REGISTRAR_LIBS := $(BUILD)/libbrski_registrar.a $(BUILD)/libbrski_base.a $(LIB)

BASE_PACKAGES   := libcurl sqlite3
DAEMON_PACKAGES := libevent $(BASE_PACKAGES)
BASE_LIBS       := $(call pkgconf,--libs $(BASE_PACKAGES))
DAEMON_LIBS     := $(call pkgconf,--libs $(DAEMON_PACKAGES))
DEBIAN_SERVICES := $(DEBIAN_COMPILE) libcurl4-openssl-dev libevent-dev libsqlite3-dev
DEBIAN_MASA     := $(DEBIAN_SERVICES)

REGISTRAR_PROGRAMS := $(BUILD)/brski-registrar $(BUILD)/brskictl $(BUILD)/brski-courier

UNIT_ARCHIVES += $(BUILD)/san/libbrskictl.a $(patsubst %,$(BUILD)/san/libbrski_%.a,courier registrar_https registrar masa ca base)
UNIT_PACKAGES += $(DAEMON_PACKAGES)

.PHONY: services masa install-masa install-ca deps-masa registrar-https install-registrar-https deps-registrar-https
all: services
services: $(BUILD)/brskictl $(BUILD)/brski-courier $(BUILD)/brski-registrar $(BUILD)/brski-masa $(BUILD)/brski-ca
test-programs: $(BUILD)/tests/rogue-masa $(BUILD)/tests/rogue-ca
masa: $(BUILD)/brski-masa $(BUILD)/brski-ca
registrar-https: $(REGISTRAR_PROGRAMS) $(BUILD)/brski-ca

# What an administrator has changed in the configuration, or in the rights of the folders, stays.
install-registrar-https: $(REGISTRAR_PROGRAMS) install-ca install-pages
	$(INSTALL_PROGRAM) $(BUILD)/brski-registrar '$(DESTDIR)/usr/sbin/brski-registrar'
	$(INSTALL_PROGRAM) $(BUILD)/brskictl '$(DESTDIR)/usr/sbin/brskictl'
	$(INSTALL_PROGRAM) $(BUILD)/brski-courier '$(DESTDIR)/usr/bin/brski-courier'
	$(call install_man,brski-registrar.8 registrar.conf.5 brskictl.8 rlm_brski.5 brski-courier.1)
	$(call install_completion,brski-registrar brskictl brski-courier)
	$(INSTALL_FILE) services/registrar_https/brski-registrar.service '$(DESTDIR)/usr/lib/systemd/system/brski-registrar.service'
	$(INSTALL_FILE) services/registrar_https/sysusers.conf '$(DESTDIR)/usr/lib/sysusers.d/brski-registrar.conf'
	$(INSTALL_FILE) services/registrar_https/registrar.conf '$(DESTDIR)/usr/share/doc/eap-brski/registrar.conf'
	@services/registrar_https/install_site '$(DESTDIR)'
deps-registrar-https:
	$(call install_packages,$(DEBIAN_SERVICES))

install-masa: $(BUILD)/brski-masa install-ca
	$(INSTALL_PROGRAM) $(BUILD)/brski-masa '$(DESTDIR)/usr/sbin/brski-masa'
	$(call install_man,brski-masa.8)
	$(call install_completion,brski-masa)
install-ca: $(BUILD)/brski-ca install-pages
	$(INSTALL_PROGRAM) $(BUILD)/brski-ca '$(DESTDIR)/usr/sbin/brski-ca'
	$(call install_man,brski-ca.8)
	$(call install_completion,brski-ca)
deps-masa:
	$(call install_packages,$(DEBIAN_MASA))

$(BUILD)/brskictl: $(BRSKICTL_PROGRAM:%.c=$(BUILD)/%.o) $(BUILD)/libbrskictl.a $(REGISTRAR_LIBS)
$(BUILD)/brski-courier: $(COURIER_PROGRAM:%.c=$(BUILD)/%.o) $(BUILD)/libbrski_courier.a $(REGISTRAR_LIBS)
$(BUILD)/brskictl $(BUILD)/brski-courier:
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $^ -o $@ $(BASE_LIBS) $(LIBS) -lpthread

# $(1): where; $(2): the library; $(3): more flags for the linker
define daemons
$(1)/brski-masa: $$(MASA_PROGRAM:%.c=$(1)/%.o) $(1)/libbrski_masa.a $(1)/libbrski_base.a $(2)
$(1)/brski-ca: $$(CA_PROGRAM:%.c=$(1)/%.o) $(1)/libbrski_ca.a $(1)/libbrski_base.a $(2)
$(1)/brski-registrar: $$(HTTPS_PROGRAM:%.c=$(1)/%.o) $(1)/libbrski_registrar_https.a $(1)/libbrski_registrar.a $(1)/libbrski_base.a $(2)
$(1)/tests/rogue-masa: $(1)/tests/e2e/rogue_masa.o $(1)/tests/e2e/rogue.o $(1)/libbrski_masa.a $(1)/libbrski_base.a $(2)
$(1)/tests/rogue-ca: $(1)/tests/e2e/rogue_ca.o $(1)/tests/e2e/rogue.o $(1)/libbrski_ca.a $(1)/libbrski_base.a $(2)
$(1)/brski-registrar $(1)/brski-masa $(1)/brski-ca $(1)/tests/rogue-masa $(1)/tests/rogue-ca:
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $(3) $$(LDFLAGS) $$^ -o $$@ $$(DAEMON_LIBS) $$(LIBS)
endef
$(eval $(call daemons,$(BUILD),$(LIB),$(CFLAGS)))
$(eval $(call daemons,$(BUILD)/san,$(SAN_LIB),$(SANITIZE)))
