/* SPDX-License-Identifier: MIT */
/* The snapshot that libnss_gltoken reads into every process. The first byte says whether sums are put right, so that
 * what stands behind them is reached; ASan sees whatever is written behind the buffer of whoever asked. */
#include "nss_pack.h"
#include "nss_snap.c"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROOM 256

/* As publish leaves them: of the values, then of the meta record, then of the head. */
static void put_sums_right(uint8_t *file, size_t size)
{
	struct glt_nss_meta meta;

	if (size < GLT_NSS_FIRST)
		return;
	memcpy(&meta, file + GLT_NSS_META_AT, sizeof(meta));
	meta.magic = GLT_NSS_META_MAGIC;
	meta.size = size;
	for (size_t pos = GLT_NSS_FIRST; pos + 8 <= size && pos < meta.data_end;) {
		size_t key = le32(file + pos), len = le32(file + pos + 4), at = pos + 8 + key;

		if (key <= GLT_NSS_SPREAD || key > size || len > size || at + len > size)
			break;
		if (len >= 8) {
			uint64_t sum = glt_nss_value_sum(file + pos + 8, key - GLT_NSS_SPREAD, file + at, len);

			memcpy(file + at, &sum, sizeof(sum));
		}
		pos = at + len;
	}
	meta.sum = glt_nss_sum(meta.magic, &meta, offsetof(struct glt_nss_meta, sum));
	memcpy(file + GLT_NSS_META_AT, &meta, sizeof(meta));
	meta.head_sum = glt_nss_sum(0, file, GLT_NSS_HEAD);
	meta.sum = glt_nss_sum(meta.magic, &meta, offsetof(struct glt_nss_meta, sum));
	memcpy(file + GLT_NSS_META_AT, &meta, sizeof(meta));
}

static void inside(const char *text, const char *buf, size_t size)
{
	assert(text >= buf && text < buf + size && memchr(text, '\0', (size_t)(buf + size - text)));
}

static void pack(const struct glt_nss_snap *s, const struct glt_nss_entry *e, size_t size)
{
	char *buf = malloc(size ? size : 1);
	struct passwd pw;
	struct group gr;
	struct spwd sp;

	assert(buf);
	if (glt_nss_pack_user(s, e, &pw, buf, size) == 0) {
		assert(pw.pw_uid >= GLT_NSS_SYSTEM && pw.pw_gid == s->limits.gid &&
		       strcmp(pw.pw_name, "taken") != 0);
		inside(pw.pw_name, buf, size);
		inside(pw.pw_gecos, buf, size);
		inside(pw.pw_shell, buf, size);
		assert(strcmp(pw.pw_name, e->key + 1) == 0 && strcmp(pw.pw_dir, s->limits.home) == 0);
	}
	if (glt_nss_pack_shadow(s, e, &sp, buf, size) == 0)
		assert(strcmp(sp.sp_pwdp, "*") == 0);
	if (glt_nss_pack_group(s, e, &gr, buf, size) == 0) {
		assert(gr.gr_gid >= s->limits.first && gr.gr_gid <= s->limits.last);
		for (char **m = gr.gr_mem; *m; m++)
			inside(*m, buf, size);
	}
	free(buf);
}

/* All that stands in it, as getpwent goes; and what each entry's key finds. */
static void walk(const struct glt_nss_snap *s)
{
	static const size_t rooms[] = {0, 1, 17, 64, ROOM, 4096};
	struct glt_nss_entry e, found;
	unsigned seen = 0;

	for (uint32_t pos = GLT_NSS_FIRST; seen++ < 64 && glt_nss_at(s, pos, s->meta.data_end, &e) == 0;
	     pos = e.next) {
		assert(e.next > pos && e.next <= s->meta.data_end);
		for (size_t i = 0; i < sizeof(rooms) / sizeof(*rooms); i++)
			pack(s, &e, rooms[i]);
		if (glt_nss_find(s, e.key[0], e.key + 1, e.key_len - 1, &found) == 0) {
			assert(found.key_len == e.key_len && memcmp(found.key, e.key, e.key_len) == 0);
			pack(s, &found, ROOM);
		}
	}
	if (glt_nss_find(s, GLT_NSS_USER, "stays", 5, &found) == 0)
		pack(s, &found, ROOM);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct glt_nss_snap s;
	uint8_t *file;

	if (size < 2)
		return -1;
	file = malloc(size - 1);
	assert(file);
	memcpy(file, data + 1, size - 1);
	if (data[0] & 1)
		put_sums_right(file, size - 1);
	s.fd = memfd_create("snapshot", MFD_CLOEXEC);
	if (s.fd < 0 || fchmod(s.fd, 0600) != 0 || write(s.fd, file, size - 1) != (ssize_t)(size - 1))
		return -1;
	free(file);
	s.limits = (struct glt_nss_limits){.owner = geteuid(),
					   .range = data[0] & 2,
					   .uid = 1001,
					   .gid = 1001,
					   .ask_gid = 1002,
					   .first = 70000,
					   .last = 99999,
					   .groups = 1,
					   .names_len = 6,
					   .home = "/var/lib/gltoken/home",
					   .names = "taken"};
	if (open_checked(&s) == 0)
		walk(&s);
	glt_nss_close(&s);
	return 0;
}
