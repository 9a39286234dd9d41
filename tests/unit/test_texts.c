/* SPDX-License-Identifier: MIT */
#include "decide.h"
#include "tools/texts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const names[] = {
#define GLT_X(sym, name, text) name,
	GLT_REASONS(GLT_X)
#undef GLT_X
};

static bool undecided(enum glt_reason r)
{
	return r == GLT_WHY_OK || r == GLT_WHY_DAMAGED || r == GLT_WHY_BUSY || r == GLT_WHY_BAD_REQUEST ||
	       r == GLT_WHY_NO_PRIVILEGE || r == GLT_WHY_CONFIG || r == GLT_WHY_UNAVAILABLE;
}

/* A reason that was forgotten here would tell people to try again in a few minutes. */
static void every_reason(void **state)
{
	(void)state;
	for (int r = 0; r < GLT_REASON_COUNT; r++) {
		struct glt_text t = glt_text_of(names[r], true, false);
		assert_true(t.text && *t.text);
		if ((t.refusal == GLT_REFUSAL_UNAVAILABLE) != undecided((enum glt_reason)r))
			fail_msg("%s: %s", names[r], t.text);
	}
	assert_int_equal(glt_text_of("no such reason", true, true).refusal, GLT_REFUSAL_UNAVAILABLE);
	assert_int_equal(glt_text_of(NULL, true, true).refusal, GLT_REFUSAL_UNAVAILABLE);
}

static void gitlabs_texts(void **state)
{
	(void)state;
	assert_string_equal(glt_text_of("scope_missing", true, false).text,
			    "You are not allowed to download code.");
	assert_string_equal(glt_text_of("scope_missing", true, true).text, "You are not allowed to upload code.");
	assert_string_equal(glt_text_of("role_too_low", true, false).text,
			    "You are not allowed to download code from this project.");
	assert_string_equal(glt_text_of("role_too_low", true, true).text,
			    "You are not allowed to push code to this project.");
}

/* Nothing that depends on a project may be said of one that the bearer may not see. */
static void invisible(void **state)
{
	(void)state;
	for (int r = 0; r < GLT_REASON_COUNT; r++) {
		struct glt_text t = glt_text_of(names[r], false, false), push = glt_text_of(names[r], false, true);
		assert_true(t.refusal != GLT_REFUSAL_FORBIDDEN);
		assert_int_equal(t.refusal, push.refusal);
		assert_string_equal(t.text, push.text);
		if (glt_text_of(names[r], true, false).refusal == GLT_REFUSAL_FORBIDDEN)
			assert_string_equal(t.text, GLT_TEXT_NOT_FOUND);
	}
}

/* stderr into a pipe, and back. */
static size_t boxed(const char *message, char *out, size_t size)
{
	int ends[2], saved = dup(STDERR_FILENO);
	assert_int_equal(pipe(ends), 0);
	fflush(stderr);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	glt_text_box(message);
	fflush(stderr);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	close(ends[1]);
	ssize_t n = read(ends[0], out, size - 1);
	close(ends[0]);
	assert_true(n > 0);
	out[n] = '\0';
	return (size_t)n;
}

#define RULE "remote: ========================================================================\n"

static void box(void **state)
{
	(void)state;
	char out[2048];
	boxed("No.", out, sizeof(out));
	assert_string_equal(out, "remote: \n" RULE "remote: \nremote: No.\nremote: \n" RULE "remote: \n");
	assert_int_equal(strlen(RULE), 8 + 72 + 1);
	boxed("a\x1b[2Jb", out, sizeof(out));
	assert_null(strchr(out, '\x1b'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason),
		cmocka_unit_test(gitlabs_texts),
		cmocka_unit_test(invisible),
		cmocka_unit_test(box),
	};
	return cmocka_run_group_tests_name("texts", tests, NULL, NULL);
}
