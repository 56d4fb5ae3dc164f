/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum brski_code brski_file_read(const char *path, size_t most, struct brski_buf *out, struct brski_error *err)
{
	FILE *f = fopen(path, "re");
	uint8_t chunk[16384];
	size_t n;
	int why;
	bool bad;

	if (!f)
		return brski_fail(err, BRSKI_NOT_FOUND, "cannot open %s: %s", path, strerror(errno));
	brski_buf_free(out);
	out->limit = most;
	while (!out->failed && (n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		brski_put(out, brski_span(chunk, n));
	why = errno;
	bad = ferror(f) != 0;
	fclose(f);
	if (bad)
		return brski_fail(err, BRSKI_INTERNAL, "cannot read %s: %s", path, strerror(why));
	if (out->failed)
		return brski_fail(err, BRSKI_TOO_LARGE, "%s has more than %zu octets", path, most);
	return BRSKI_OK;
}

/* Takes fd. False: errno says why. */
static bool write_out(int fd, struct brski_span content)
{
	FILE *f = fdopen(fd, "w");
	bool ok;
	int why;

	if (!f) {
		close(fd);
		return false;
	}
	ok = fwrite(content.data, 1, content.len, f) == content.len && fflush(f) == 0 && fsync(fd) == 0;
	why = errno;
	if (fclose(f) == 0)
		errno = why;
	else
		ok = false;
	return ok;
}

enum brski_code brski_file_write(const char *path, struct brski_span content, struct brski_error *err)
{
	char temporary[4096];
	int fd;

	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
		return brski_fail(err, BRSKI_TOO_LARGE, "the file's name is too long");
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return brski_fail(err, BRSKI_INTERNAL, "cannot write %s: %s", path, strerror(errno));
	if (write_out(fd, content) && rename(temporary, path) == 0)
		return BRSKI_OK;
	brski_fail(err, BRSKI_INTERNAL, "cannot write %s: %s", path, strerror(errno));
	unlink(temporary);
	return BRSKI_INTERNAL;
}

enum brski_code brski_file_create(
	const char *path, mode_t mode, struct brski_span content, struct brski_error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (fd < 0)
		return brski_fail(err, BRSKI_UNAVAILABLE, "cannot make %s: %s", path, strerror(errno));
	if (write_out(fd, content))
		return BRSKI_OK;
	brski_fail(err, BRSKI_UNAVAILABLE, "cannot write %s: %s", path, strerror(errno));
	unlink(path);
	return BRSKI_UNAVAILABLE;
}

void brski_file_folder(const char *path, char *out, size_t size)
{
	const char *slash = strrchr(path, '/');

	if (slash)
		snprintf(out, size, "%.*s", (int)(slash - path), path);
	else
		snprintf(out, size, ".");
}
