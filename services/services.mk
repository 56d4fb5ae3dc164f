# SPDX-License-Identifier: BSD-3-Clause
#
#   make services       brski-masa, brski-ca, and for the tests rogue-masa and rogue-ca; with sanitizers in $(BUILD)/san

SERVICES_LIBS   := $(shell $(PKGCONF) --libs libevent libevent_openssl sqlite3)
SERVICES_SHARED := daemon daemon_options http_server http_listen sql
# the logic, without the programs around it
MASA_LOGIC := masa masa_request masa_store masa_vouchers
CA_LOGIC   := ca ca_trust ca_enroll ca_issue ca_store
MASA_PARTS := $(SERVICES_SHARED) $(MASA_LOGIC) masa_options
CA_PARTS   := $(SERVICES_SHARED) $(CA_LOGIC) ca_options

services_objects = $(patsubst %,$(1)/services/%.o,$(2))

.PHONY: services
services: $(BUILD)/brski-masa $(BUILD)/brski-ca $(BUILD)/tests/rogue-masa $(BUILD)/tests/rogue-ca
all: services

# $(1): where; $(2): the library; $(3): more flags for the linker
define services_programs
$(1)/brski-masa: $$(call services_objects,$(1),$$(MASA_PARTS) masa_admin masa_main) $(2)
$(1)/brski-ca: $$(call services_objects,$(1),$$(CA_PARTS) ca_admin ca_main) $(2)
$(1)/tests/rogue-masa: $(1)/tests/e2e/rogue_masa.o $(1)/tests/e2e/rogue.o $$(call services_objects,$(1),$$(MASA_PARTS)) $(2)
$(1)/tests/rogue-ca: $(1)/tests/e2e/rogue_ca.o $(1)/tests/e2e/rogue.o $$(call services_objects,$(1),$$(CA_PARTS)) $(2)
$(1)/brski-masa $(1)/brski-ca $(1)/tests/rogue-masa $(1)/tests/rogue-ca:
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $(3) $$(LDFLAGS) $$^ -o $$@ $$(SERVICES_LIBS) $$(LIBS)
endef
$(eval $(call services_programs,$(BUILD),$(LIB),$(CFLAGS)))
$(eval $(call services_programs,$(BUILD)/san,$(SAN_LIB),$(SANITIZE)))

# for the unit tests
SERVICES_SAN_LIB := $(BUILD)/san/libservices.a
UNIT_ARCHIVES += $(SERVICES_SAN_LIB)
UNIT_PACKAGES += sqlite3
$(SERVICES_SAN_LIB): $(call services_objects,$(BUILD)/san,sql $(MASA_LOGIC) $(CA_LOGIC))
	@rm -f $@
	$(call say,AR,$@)
	$(Q)$(AR) rcs $@ $^
