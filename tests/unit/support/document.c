/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/support/document.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/support/files.h"

/* The file as it should be. */
static struct brski_buf renewed(const struct document_part *part, const struct brski_buf *old)
{
	char *text = strndup((const char *)old->data, old->len), *begin, *end;
	struct brski_buf new = {0};

	ck_assert_ptr_nonnull(text);
	begin = strstr(text, part->begin);
	end = begin ? strstr(begin, part->end) : NULL;
	ck_assert_msg(end != NULL, "%s has no place for %s", part->path, part->begin);
	begin += strlen(part->begin);
	brski_put(&new, brski_span(text, (size_t)(begin - text)));
	part->draw(&new);
	brski_put_str(&new, end);
	ck_assert(!new.failed);
	free(text);
	return new;
}

void document_hold(const struct document_part *part, const char *program, bool write)
{
	struct brski_buf old = file_read(part->path), new = renewed(part, &old);

	if (write)
		file_write(part->path, brski_buf_span(&new));
	else
		ck_assert_msg(brski_span_equal(brski_buf_span(&old), brski_buf_span(&new)),
			"%s, behind \"%s\", is not what the code has; to renew it, run: %s --write",
			part->path, part->begin, program);
	brski_buf_free(&old);
	brski_buf_free(&new);
}
