# SPDX-License-Identifier: BSD-3-Clause
#
#   make supplicant    wpa_supplicant, wpa_cli and eapol_test with EAP-BRSKI, from Debian's source package
#   make device        the same: what a device needs

SUPPLICANT          := $(BUILD)/supplicant
SUPPLICANT_PROGRAMS := $(SUPPLICANT)/wpa_supplicant $(SUPPLICANT)/wpa_cli $(SUPPLICANT)/eapol_test
SUPPLICANT_SOURCES  := $(wildcard supplicant_patch/*.c supplicant_patch/*.h) supplicant_patch/eap_brski.patch \
	supplicant_patch/build $(wildcard eap_brski/*/*.h)

DEBIAN_DEVICE       = $(DEBIAN_COMPILE) $(shell supplicant_patch/build --packages)

.PHONY: supplicant device deps-device
supplicant device: $(SUPPLICANT)/built
deps-device:
	$(call install_packages,$(DEBIAN_DEVICE))

# The caller's flags, where there are any, take the place of Debian's.
given = $(if $(filter file undefined,$(origin $(1))),,--flags $(1)='$($(1))')

# The programs keep their dates when nothing has changed in them; this file tells that the build has looked.
# Which wpa Debian has is looked at each time, as which FreeRADIUS is installed.
.PHONY: supplicant-version
$(SUPPLICANT)/version: supplicant-version
	@supplicant_patch/build --build $(BUILD) --version-to $@

$(SUPPLICANT)/built: $(SUPPLICANT_SOURCES) $(LIB) $(SUPPLICANT)/version
	$(Q)CC='$(CC)' supplicant_patch/build --build $(BUILD) --library $(LIB) \
		$(foreach f,CPPFLAGS CFLAGS LDFLAGS,$(call given,$(f)))
	@touch $@

$(SUPPLICANT_PROGRAMS): $(SUPPLICANT)/built ;

# Beside Debian's own wpa_supplicant, which stays as it is.
.PHONY: install-device install-supplicant
install-supplicant: install-device
install-device: $(SUPPLICANT)/built install-pages
	$(INSTALL_PROGRAM) $(SUPPLICANT)/wpa_supplicant '$(DESTDIR)/usr/sbin/wpa_supplicant-brski'
	$(INSTALL_PROGRAM) $(SUPPLICANT)/eapol_test '$(DESTDIR)/usr/bin/eapol_test-brski'
	$(call install_man,eap-brski-peer.5)
	$(INSTALL_FILE) supplicant_patch/wpa_supplicant.conf.example '$(DESTDIR)/usr/share/doc/eap-brski/examples/wpa_supplicant.conf'
