# SPDX-License-Identifier: BSD-3-Clause
#
#   make module     rlm_brski for the FreeRADIUS that is installed
#   make registrar  what a RADIUS server needs: rlm_brski, and all of make registrar-https
#
# The module's plain C becomes an archive of its own, for the module and unit tests. Only rlm_brski*.c know FreeRADIUS, and are
# compiled as Debian compiles the server: with its build.h and with NDEBUG.

MODULE         := $(BUILD)/rlm_brski.so
MODULE_GLUE    := $(wildcard radius_module/rlm_brski*.c)
MODULE_PLAIN   := $(filter-out $(MODULE_GLUE),$(wildcard radius_module/*.c))
MODULE_HEADERS := $(BUILD)/freeradius
MODULE_CFLAGS  := -DNDEBUG -isystem $(MODULE_HEADERS) -include freeradius/build.h -include freeradius/autoconf.h
FR_CONFIG      := /etc/freeradius/3.0
DEBIAN_REGISTRAR := $(DEBIAN_SERVICES) freeradius libfreeradius-dev libtalloc-dev libpcre3-dev|libpcre2-dev libcap-dev libpcap-dev
MODULE_SERVER  := -L/usr/lib/freeradius -lfreeradius-server -lfreeradius-radius -ltalloc

$(eval $(call archive,brski_radius,$(MODULE_PLAIN)))
UNIT_ARCHIVES := $(BUILD)/san/libbrski_radius.a $(UNIT_ARCHIVES)

.PHONY: module registrar install-registrar deps-registrar
all: module
module: $(MODULE)
registrar: $(MODULE) registrar-https

# What an administrator has changed in files of the configuration stays; and what install_config has to say of it comes last.
install-registrar: $(MODULE) install-registrar-https
	$(INSTALL_FILE) $(MODULE) '$(DESTDIR)/usr/lib/freeradius/rlm_brski.so'
	$(INSTALL_FILE) radius_module/raddb/dictionary.brski '$(DESTDIR)/usr/share/freeradius/dictionary.brski'
	@[ -n '$(DESTDIR)' ] || radius_module/make_secret /etc/brski/rules.secret $(shell getent group freerad | cut -d: -f1)
	@radius_module/install_config '$(DESTDIR)$(FR_CONFIG)' $(if $(DESTDIR),,$(shell getent group freerad | cut -d: -f1))
deps-registrar:
	$(call install_packages,$(DEBIAN_REGISTRAR))

# Looked at each time: when FreeRADIUS has been upgraded they are fetched anew, and the module is made anew.
.PHONY: module-headers
$(MODULE_HEADERS)/version: module-headers
	@radius_module/fetch_headers $(MODULE_HEADERS)

$(MODULE_GLUE:%.c=$(BUILD)/%.o): $(BUILD)/%.o: %.c $(MODULE_HEADERS)/version
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(BASE_CFLAGS) $(WERROR) $(HARDEN) $(CPPFLAGS) $(CFLAGS) $(MODULE_CFLAGS) -c $< -o $@

# The archives' names stay inside: the server and its other modules see rlm_brski alone. It stays in memory (nodelete) for the
# sake of curl's resolver threads, which may outlive the instance that asked.
$(MODULE): $(MODULE_GLUE:%.c=$(BUILD)/%.o) $(BUILD)/libbrski_radius.a $(REGISTRAR_LIBS)
	$(call say,LD,$@)
	$(Q)$(CC) -shared $(LDFLAGS) -Wl,-z,defs -Wl,-z,nodelete -Wl,--exclude-libs,ALL $^ -o $@ \
		$(BASE_LIBS) $(LIBS) $(MODULE_SERVER) -lpthread
