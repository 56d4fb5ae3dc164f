-- SPDX-License-Identifier: BSD-3-Clause
-- The table that sites-available/brski-policy asks.

CREATE TABLE IF NOT EXISTS brski_device (
	manufacturer TEXT NOT NULL,             -- as in "brskictl manufacturer list"
	serial_number TEXT NOT NULL,            -- as in the IDevID
	allowed INTEGER NOT NULL DEFAULT 1,     -- 0: refused
	not_before INTEGER NOT NULL DEFAULT 0,  -- seconds since 1970: told to come back until then
	vlan TEXT NOT NULL DEFAULT '',          -- for the Access-Accept of its onboarding
	PRIMARY KEY (manufacturer, serial_number)
);
