/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/ground/shell.h"

#include <string.h>

#include "eap_brski/ground/bytes.h"

/* No shell sees more in these than themselves, wherever they stand in an operand. */
#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%+,-./:@_"

static void put_quoted(struct brski_buf *out, const char *word)
{
	if (word[0] && word[strspn(word, PLAIN)] == '\0') {
		brski_put_str(out, word);
		return;
	}
	brski_put_str(out, "'");
	for (; *word; word++) {
		if (*word == '\'')
			brski_put_str(out, "'\\''");
		else
			brski_put_u8(out, (uint8_t)*word);
	}
	brski_put_str(out, "'");
}

/* Takes text. */
static bool give(struct brski_buf *text, char *out, size_t size)
{
	bool fits = !text->failed && text->len < size;

	if (size > 0)
		out[0] = '\0';
	if (fits) {
		memcpy(out, text->data, text->len);
		out[text->len] = '\0';
	}
	brski_buf_free(text);
	return fits;
}

bool brski_shell_quote(char *out, size_t size, const char *word)
{
	struct brski_buf text = {0};

	put_quoted(&text, word);
	return give(&text, out, size);
}

bool brski_shell_command(
	char *out, size_t size, const char *command, const char *const *operands, size_t n_operands)
{
	struct brski_buf text = {0};
	bool dash = false;

	for (size_t i = 0; i < n_operands; i++)
		dash = dash || operands[i][0] == '-';
	brski_put_str(&text, command);
	if (dash)
		brski_put_str(&text, " --");
	for (size_t i = 0; i < n_operands; i++) {
		brski_put_str(&text, " ");
		put_quoted(&text, operands[i]);
	}
	return give(&text, out, size);
}
