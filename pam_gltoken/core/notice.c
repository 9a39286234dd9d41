/* SPDX-License-Identifier: MIT */
#include "notice.h"

#include "edit.h"

#include <stdio.h>

#define DAY INT64_C(86400)

unsigned glt_notice_due(const Glt__Token *t, const unsigned days[GLT_BANDS], int64_t now)
{
	unsigned band = 0;

	if (t->state != GLT__STATE__LIVE || t->next || t->expires_at <= now || (t->max_uses && t->uses_left == 0))
		return 0;
	for (int i = 0; i < GLT_BANDS && days[i]; i++)
		if (t->expires_at - now <= days[i] * DAY)
			band = days[i];
	if (band == 0 || t->expires_at - t->created_at <= band * DAY)
		return 0;
	return t->notified_for == t->expires_at && t->notified_days != 0 && t->notified_days <= band ? 0 : band;
}

enum glt_status glt_notice_sent(struct glt_store *store, const struct glt_conf *conf, const Glt__Token *t,
				unsigned days, const char *actor, int64_t now, struct glt_err *err)
{
	char text[32];
	const struct glt_edit edit = {.what = GLT_EDIT_NOTIFIED,
				      .text = text,
				      .number = days,
				      .when = t->expires_at};

	(void)snprintf(text, sizeof(text), "%u days", days);
	return glt_token_edit(store, conf, t->id, &edit, 1, actor, now, NULL, err);
}
