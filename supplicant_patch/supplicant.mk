# SPDX-License-Identifier: BSD-3-Clause
#
#   make supplicant    wpa_supplicant, wpa_cli and eapol_test with EAP-BRSKI, from Debian's source package

SUPPLICANT          := $(BUILD)/supplicant
SUPPLICANT_PROGRAMS := $(SUPPLICANT)/wpa_supplicant $(SUPPLICANT)/wpa_cli $(SUPPLICANT)/eapol_test
SUPPLICANT_SOURCES  := $(wildcard supplicant_patch/*.c supplicant_patch/*.h) supplicant_patch/eap_brski.patch \
	supplicant_patch/build $(wildcard eap_brski/*/*.h)

.PHONY: supplicant
supplicant: $(SUPPLICANT)/built

# The programs keep their dates when nothing has changed in them; this file tells that the build has looked.
$(SUPPLICANT)/built: $(SUPPLICANT_SOURCES) $(LIB)
	supplicant_patch/build --build $(BUILD) --library $(LIB)
	@touch $@

$(SUPPLICANT_PROGRAMS): $(SUPPLICANT)/built ;

# Beside Debian's own wpa_supplicant, which stays as it is.
.PHONY: install-supplicant
install: install-supplicant
install-supplicant: $(SUPPLICANT)/built
	install -D -m 755 $(SUPPLICANT)/wpa_supplicant $(DESTDIR)/usr/sbin/wpa_supplicant-brski
	install -D -m 755 $(SUPPLICANT)/eapol_test $(DESTDIR)/usr/bin/eapol_test-brski
	install -D -m 644 docs/man/eap-brski-peer.5 $(DESTDIR)/usr/share/man/man5/eap-brski-peer.5
	install -D -m 644 supplicant_patch/wpa_supplicant.conf.example \
		$(DESTDIR)/usr/share/doc/eap-brski/examples/wpa_supplicant.conf
