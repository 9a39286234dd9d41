/* SPDX-License-Identifier: MIT */
#include "portable.h"

#include "cli.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

const struct glt_kind glt_kinds[GLT_KINDS] = {
	{"user", GLT_USERS, &glt__user__descriptor},
	{"namespace", GLT_NAMESPACES, &glt__namespace__descriptor},
	{"member", GLT_MEMBERS, &glt__member__descriptor},
	{"protection", GLT_PROTECTIONS, &glt__protection__descriptor},
	{"key", GLT_KEYS, &glt__key__descriptor},
	{"token", GLT_TOKENS, &glt__token__descriptor},
};

/* The generation is the old store's, and quick is keyed with its key. */
static bool stays(const ProtobufCFieldDescriptor *f)
{
	return strcmp(f->name, "generation") == 0 || strcmp(f->name, "quick") == 0 ||
	       strcmp(f->name, "no_quick") == 0;
}

#define AT(type, m, offset) (*(type *)(void *)((char *)(m) + (offset)))
#define GET(type, m, offset) (*(type const *)(const void *)((const char *)(m) + (offset)))

static json_t *bytes_json(const ProtobufCBinaryData *b)
{
	const size_t room = sodium_base64_ENCODED_LEN(b->len, sodium_base64_VARIANT_ORIGINAL);
	char *text = glt_cli_alloc(NULL, room, 1);
	json_t *v = json_string(sodium_bin2base64(text, room, b->data, b->len, sodium_base64_VARIANT_ORIGINAL));

	free(text);
	return v;
}

static json_t *list_json(char *const *v, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, json_string(v[i]));
	return list;
}

/* What a record has that does not say it: most fields of most tokens. */
static bool is_default(const ProtobufCFieldDescriptor *f, const ProtobufCMessage *m)
{
	if (f->label == PROTOBUF_C_LABEL_REPEATED)
		return GET(size_t, m, f->quantifier_offset) == 0;
	switch (f->type) {
	case PROTOBUF_C_TYPE_INT64:
		return GET(int64_t, m, f->offset) == 0;
	case PROTOBUF_C_TYPE_UINT64:
		return GET(uint64_t, m, f->offset) == 0;
	case PROTOBUF_C_TYPE_UINT32:
		return GET(uint32_t, m, f->offset) == 0;
	case PROTOBUF_C_TYPE_ENUM:
		return GET(int, m, f->offset) == 0;
	case PROTOBUF_C_TYPE_BOOL:
		return !GET(protobuf_c_boolean, m, f->offset);
	case PROTOBUF_C_TYPE_STRING:
		return GET(char *, m, f->offset)[0] == '\0';
	case PROTOBUF_C_TYPE_BYTES:
		return GET(ProtobufCBinaryData, m, f->offset).len == 0;
	default:
		return false;
	}
}

static json_t *field_json(const ProtobufCFieldDescriptor *f, const ProtobufCMessage *m)
{
	if (f->label == PROTOBUF_C_LABEL_REPEATED)
		return list_json(GET(char **, m, f->offset), GET(size_t, m, f->quantifier_offset));
	switch (f->type) {
	case PROTOBUF_C_TYPE_INT64:
		return json_integer(GET(int64_t, m, f->offset));
	case PROTOBUF_C_TYPE_UINT64:
		return GET(uint64_t, m, f->offset) > INT64_MAX
			       ? NULL
			       : json_integer((json_int_t)GET(uint64_t, m, f->offset));
	case PROTOBUF_C_TYPE_UINT32:
		return json_integer(GET(uint32_t, m, f->offset));
	case PROTOBUF_C_TYPE_ENUM:
		return json_integer(GET(int, m, f->offset));
	case PROTOBUF_C_TYPE_BOOL:
		return json_boolean(GET(protobuf_c_boolean, m, f->offset));
	case PROTOBUF_C_TYPE_STRING:
		return json_string(GET(char *, m, f->offset));
	case PROTOBUF_C_TYPE_BYTES:
		return bytes_json(&GET(ProtobufCBinaryData, m, f->offset));
	default:
		return NULL;
	}
}

json_t *glt_record_json(const struct glt_kind *kind, const ProtobufCMessage *m)
{
	json_t *o = json_object();
	bool good = json_object_set_new(o, "record", json_string(kind->name)) == 0;

	for (unsigned i = 0; i < kind->type->n_fields; i++)
		if (!stays(&kind->type->fields[i]) && !is_default(&kind->type->fields[i], m))
			good = json_object_set_new(o, kind->type->fields[i].name,
						   field_json(&kind->type->fields[i], m)) == 0 &&
			       good;
	if (good)
		return o;
	json_decref(o);
	return NULL;
}

/* ---- back ---- */

static bool parse_bytes(const json_t *v, ProtobufCBinaryData *out)
{
	const char *text = json_string_value(v);
	size_t room = text ? strlen(text) : 0;

	out->data = glt_cli_alloc(NULL, room + 1, 1);
	return text && sodium_base642bin(out->data, room + 1, text, room, NULL, &out->len, NULL,
					 sodium_base64_VARIANT_ORIGINAL) == 0;
}

static bool parse_list(const json_t *v, char ***out, size_t *n)
{
	size_t size = json_array_size(v);

	if (!json_is_array(v))
		return false;
	if (size == 0)
		return true;
	*out = glt_cli_alloc(NULL, size, sizeof(**out));
	for (*n = 0; *n < size; ++*n) {
		const char *text = json_string_value(json_array_get(v, *n));

		if (!text)
			return false;
		(*out)[*n] = glt_cli_strdup(text);
	}
	return true;
}

static bool parse_field(const json_t *v, const ProtobufCFieldDescriptor *f, ProtobufCMessage *m)
{
	const json_int_t number = json_is_integer(v) ? json_integer_value(v) : -1;

	if (f->label == PROTOBUF_C_LABEL_REPEATED)
		return parse_list(v, &AT(char **, m, f->offset), &AT(size_t, m, f->quantifier_offset));
	switch (f->type) {
	case PROTOBUF_C_TYPE_INT64:
		AT(int64_t, m, f->offset) = number;
		return number >= 0;
	case PROTOBUF_C_TYPE_UINT64:
		AT(uint64_t, m, f->offset) = (uint64_t)number;
		return number >= 0;
	case PROTOBUF_C_TYPE_UINT32:
		AT(uint32_t, m, f->offset) = (uint32_t)number;
		return number >= 0 && number <= UINT32_MAX;
	case PROTOBUF_C_TYPE_ENUM:
		AT(int, m, f->offset) = (int)number;
		return number >= 0 && number <= 1000;
	case PROTOBUF_C_TYPE_BOOL:
		AT(protobuf_c_boolean, m, f->offset) = json_is_true(v);
		return json_is_boolean(v);
	case PROTOBUF_C_TYPE_STRING:
		if (json_is_string(v))
			AT(char *, m, f->offset) = glt_cli_strdup(json_string_value(v));
		return json_is_string(v);
	case PROTOBUF_C_TYPE_BYTES:
		return parse_bytes(v, &AT(ProtobufCBinaryData, m, f->offset));
	default:
		return false;
	}
}

static const struct glt_kind *kind_of(const json_t *o)
{
	const char *name = json_string_value(json_object_get(o, "record"));

	for (size_t i = 0; name && i < GLT_KINDS; i++)
		if (strcmp(name, glt_kinds[i].name) == 0)
			return &glt_kinds[i];
	return NULL;
}

enum glt_status glt_record_parse(const json_t *o, const struct glt_kind **kind, ProtobufCMessage **out,
				 struct glt_err *err)
{
	enum glt_status st = GLT_OK;
	const ProtobufCFieldDescriptor *f;
	const char *name;
	json_t *v;

	*out = NULL;
	*kind = kind_of(o);
	if (!*kind)
		return glt_fail(err, GLT_INVALID,
				"'record' is none of user, namespace, member, protection, key, token");
	*out = glt_cli_alloc(NULL, (*kind)->type->sizeof_message, 1);
	protobuf_c_message_init((*kind)->type, *out);
	json_object_foreach((json_t *)(uintptr_t)o, name, v)
	{
		if (st != GLT_OK || strcmp(name, "record") == 0)
			continue;
		f = protobuf_c_message_descriptor_get_field_by_name((*kind)->type, name);
		if (!f || stays(f))
			st = glt_fail(err, GLT_INVALID,
				      "field '%.64s' is not known: the export is of a newer version", name);
		else if (!parse_field(v, f, *out))
			st = glt_fail(err, GLT_INVALID, "field '%.64s' has a value that cannot stand there", name);
	}
	if (st != GLT_OK) {
		protobuf_c_message_free_unpacked(*out, NULL);
		*out = NULL;
	}
	return st;
}
