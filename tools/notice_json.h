/* SPDX-License-Identifier: MIT */
/* The notice about a token that expires soon, as GitLab's webhook of that event has it, plus our own fields. */
#ifndef GLT_NOTICE_JSON_H
#define GLT_NOTICE_JSON_H

#include "table.h"

#include "record.pb-c.h"

/* number: of its project or group, 0 where it has none; user_id as in select.h. */
json_t *glt_notice_json(const struct glt_cli *cli, const Glt__Token *t, unsigned days, uint64_t user_id,
			uint64_t number);

#endif
