# SPDX-License-Identifier: BSD-3-Clause
#
#   make module     rlm_brski for the FreeRADIUS that is installed
#   make brskictl   the administrator's command
#   make courier    brski-courier, which carries requests and answers where there is no network
#
# The registrar's plain C becomes an archive of its own, for the module, brskictl and unit tests. Only rlm_brski*.c
# know FreeRADIUS, and are compiled as Debian compiles the server: with its build.h and with NDEBUG.

MODULE          := $(BUILD)/rlm_brski.so
MODULE_GLUE     := $(wildcard radius_module/rlm_brski*.c)
MODULE_PLAIN    := $(filter-out $(MODULE_GLUE) radius_module/brskictl%.c radius_module/brski_courier.c,$(wildcard radius_module/*.c))
BRSKICTL_SOURCES := $(wildcard radius_module/brskictl*.c)
MODULE_LIB      := $(BUILD)/libbrski_registrar.a
MODULE_SAN_LIB  := $(BUILD)/san/libbrski_registrar.a
MODULE_PACKAGES := libcurl sqlite3
MODULE_HEADERS  := $(BUILD)/freeradius
MODULE_CFLAGS   := -DNDEBUG -isystem $(MODULE_HEADERS) -include freeradius/build.h -include freeradius/autoconf.h

MODULE_SERVER   := -L/usr/lib/freeradius -lfreeradius-server -lfreeradius-radius -ltalloc

UNIT_ARCHIVES += $(MODULE_SAN_LIB)
UNIT_PACKAGES += $(MODULE_PACKAGES)

.PHONY: module brskictl courier
all: module brskictl courier
module: $(MODULE)
brskictl: $(BUILD)/brskictl
courier: $(BUILD)/brski-courier

$(BUILD)/brskictl: $(BRSKICTL_SOURCES:%.c=$(BUILD)/%.o) $(MODULE_LIB) $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $^ -o $@ $(shell $(PKGCONF) --libs $(MODULE_PACKAGES)) $(LIBS) -lpthread

$(BUILD)/brski-courier: $(BUILD)/radius_module/brski_courier.o $(MODULE_LIB) $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $^ -o $@ $(shell $(PKGCONF) --libs $(MODULE_PACKAGES)) $(LIBS) -lpthread

$(MODULE_LIB): $(MODULE_PLAIN:%.c=$(BUILD)/%.o)
$(MODULE_SAN_LIB): $(MODULE_PLAIN:%.c=$(BUILD)/san/%.o)
$(MODULE_LIB) $(MODULE_SAN_LIB):
	@rm -f $@
	$(call say,AR,$@)
	$(Q)$(AR) rcs $@ $^

$(MODULE_HEADERS)/version: radius_module/fetch_headers
	radius_module/fetch_headers $(MODULE_HEADERS)
	@touch $@

$(MODULE_GLUE:%.c=$(BUILD)/%.o): $(BUILD)/%.o: %.c $(MODULE_HEADERS)/version
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(BASE_CFLAGS) $(HARDEN) $(CFLAGS) $(MODULE_CFLAGS) -c $< -o $@

# The archives' names stay inside: the server and its other modules see rlm_brski alone. It stays in memory (nodelete) for the
# sake of curl's resolver threads, which may outlive the instance that asked.
$(MODULE): $(MODULE_GLUE:%.c=$(BUILD)/%.o) $(MODULE_LIB) $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) -shared $(LDFLAGS) -Wl,-z,defs -Wl,-z,nodelete -Wl,--exclude-libs,ALL $^ -o $@ \
		$(shell $(PKGCONF) --libs $(MODULE_PACKAGES)) $(LIBS) $(MODULE_SERVER) -lpthread
