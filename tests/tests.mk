# SPDX-License-Identifier: BSD-3-Clause
#
#   make test-programs   what the end-to-end tests run beside the product
#   make check-long      every case of the tests of which `make check` takes a sample
#   make check-suite     `make check` on another Debian, which is made in a folder: SUITE=trixie (default), bookworm, ...
#   make check-cross     library and services for arm64, made by a cross compiler in such a folder, and run

.PHONY: test-programs check-long check-suite check-cross

DRIVER := $(BUILD)/tests/radius-pledge
test-programs: $(DRIVER)

$(DRIVER): $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/driver/*.c)) $(LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $^ -o $@ $(LIBS)

# The same at the HTTPS door.
HTTPS_DRIVER := $(BUILD)/tests/https-pledge
test-programs: $(HTTPS_DRIVER)

$(HTTPS_DRIVER): $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/driver/https/*.c)) $(BUILD)/tests/driver/crowd.o $(BUILD)/tests/driver/odd_request.o \
		$(BUILD)/tests/driver/wrong_key.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $^ -o $@ $(LIBS) -lpthread

# whose connection is that of the devices of this unit test, too
$(BUILD)/san/tests/unit/services/registrar_https/test_door: $(BUILD)/san/tests/driver/https/connection.o

# What hostile clients are let loose on.
test-programs: $(BUILD)/san/brski-registrar

# kills a supplicant at a chosen write of its state
CRASH := $(BUILD)/tests/crash.so
test-programs: $(CRASH)
$(CRASH): $(BUILD)/tests/e2e/crash.o
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -shared $(LDFLAGS) $^ -o $@

# makes the disk slow for whatever it is preloaded into
SLOW_SYNC := $(BUILD)/tests/slow-sync.so
test-programs: $(SLOW_SYNC)
$(SLOW_SYNC): $(BUILD)/tests/e2e/slow_sync.o
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -shared $(LDFLAGS) $^ -o $@

# What the benchmarks load a server with.
LOAD := $(BUILD)/tests/eap-tls-load
test-programs: $(LOAD)

$(LOAD): $(BUILD)/tests/bench/eap_tls_load.o $(BUILD)/tests/bench/eap_tls.o $(BUILD)/tests/driver/radius.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $^ -o $@ $(LIBS)

# Thousands of devices, or of their requests.
MAKE_CROWD := $(BUILD)/tests/make-crowd
test-programs: $(MAKE_CROWD)

$(MAKE_CROWD): $(BUILD)/tests/bench/make_crowd.o $(BUILD)/tests/unit/support/pki.o $(REGISTRAR_LIBS)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $^ -o $@ $(BASE_LIBS) $(LIBS) -lpthread

# What idle TLS connections cost a server.
IDLE_TLS := $(BUILD)/tests/idle-tls
test-programs: $(IDLE_TLS)

$(IDLE_TLS): $(BUILD)/tests/bench/idle_tls.o $(BUILD)/tests/unit/support/pki.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $^ -o $@ $(LIBS) -lpthread

# Not part of "check": the figures mean something on a quiet machine only. They go to $(BUILD)/bench.json.
.PHONY: bench
bench: all test-programs
	@BUILD=$(BUILD) tests/bench/run

# Kills whatever it is preloaded into. FreeRADIUS loads a module's libraries so that they find their own functions first; those of these two are
# found here first if they have been loaded before.
KILL_AT := $(BUILD)/tests/kill-at.so
test-programs: $(KILL_AT)
$(KILL_AT): $(BUILD)/tests/e2e/kill_at.o
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -shared $(LDFLAGS) $^ -o $@ -Wl,--no-as-needed $(call pkgconf,--libs sqlite3 libcurl)

STORE_FAILS := $(BUILD)/san/tests/unit/services/registrar/test_store_fails
check-long: all supplicant test-programs $(STORE_FAILS)
	@STORE_FAILS=all CK_TIMEOUT_MULTIPLIER=20 $(STORE_FAILS)
	@echo "50 devices while the disk keeps nothing, and 3000 at the same moment, beside EAP-TLS: some minutes"
	@BUILD=$(BUILD) BLOCKED=50 LOGINS=80 CROWD=3000 ROOM=2048 PAUSE=10000 tests/e2e/test_ordinary_users.sh
	@echo "20000 requests of one MASA and 500 of another: some minutes"
	@BUILD=$(BUILD) BACKLOG=20000 OTHERS=500 PATIENCE=1200 tests/e2e/test_backlog.sh
	@echo "the guides, on a minimal system in a folder: some minutes"
	@BUILD=$(BUILD) tests/debian/suite bookworm tests/e2e/test_guides.sh --whole
	@echo "brski-registrar killed at every fourth of its writes: some minutes"
	@BUILD=$(BUILD) EVERY=4 tests/e2e/test_ip_crash.sh
	@echo "1000 kills: half an hour"
	@BUILD=$(BUILD) KILLS=1000 tests/e2e/test_kill.sh

SUITE ?= trixie
check-suite:
	@BUILD=$(BUILD) tests/debian/suite $(SUITE)
check-cross:
	@BUILD=$(BUILD) tests/debian/cross
