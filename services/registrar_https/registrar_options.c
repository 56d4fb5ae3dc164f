/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar_https/registrar_options.h"

#define CONFIG "/etc/brski/registrar.conf"

enum { OPTION_CONFIG = 256, OPTION_CHECK };

static const struct command_option options[] = {
	{"config", OPTION_CONFIG, "FILE", "the configuration (default: " CONFIG ")"},
	{"check", OPTION_CHECK, NULL, "look at it and at all that it names, and serve nothing"},
	{0},
};

static const struct command commands[] = {
	{"", 0, "", options, NULL, NULL,
		"The HTTPS door to a BRSKI registrar: RFC 8995, BRSKI-AE (RFC 9733) with CMP, and EST (RFC 7030).\n"
		"registrar.conf(5) tells what stands in the configuration.\n"},
	{0},
};

const struct program registrar_program = {
	.name = "brski-registrar",
	.about = "",
	.commands = commands,
};

void registrar_options_take(struct registrar_options *out, const struct command_line *line)
{
	*out = (struct registrar_options){.config = CONFIG};
	for (size_t i = 0; i < line->n_given; i++) {
		if (line->given[i].id == OPTION_CONFIG)
			out->config = line->given[i].value;
		else
			out->check = true;
	}
}
