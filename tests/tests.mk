# SPDX-License-Identifier: BSD-3-Clause
#
#   make test-programs   what the end-to-end tests run beside the product

DRIVER := $(BUILD)/tests/radius-pledge
TEST_PROGRAMS += $(DRIVER)

.PHONY: test-programs
test-programs: $(TEST_PROGRAMS)

$(DRIVER): $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/driver/*.c)) $(LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $^ -o $@ $(LIBS)
