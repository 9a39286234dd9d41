# SPDX-License-Identifier: MIT

# One program a file; each links what it needs of the same libraries as the real programs do.
LDADD = $(TOOLS_LIBS) $(CMOCKA_LIBS)
if HAVE_CHECK
check_PROGRAMS += tests/unit/test_askpass
check_PROGRAMS += tests/unit/test_checks
check_PROGRAMS += tests/unit/test_gitcmd
check_PROGRAMS += tests/unit/test_gitenv
check_PROGRAMS += tests/unit/test_repo
check_PROGRAMS += tests/unit/test_safe
check_PROGRAMS += tests/unit/test_scan
check_PROGRAMS += tests/unit/test_shipped_conf
check_PROGRAMS += tests/unit/test_table
check_PROGRAMS += tests/unit/test_texts
check_PROGRAMS += tests/pam/test_client
check_PROGRAMS += tests/pam/test_wire
TESTS += $(check_PROGRAMS)
else
check-local:
	@echo "make check needs cmocka and libpamtest; Debian: libcmocka-dev libpam-wrapper libpamtest0-dev, Fedora: libcmocka-devel libpamtest-devel; then ./configure again" >&2
	@exit 1
endif

if ENABLE_FUZZING
noinst_PROGRAMS += tests/fuzz/fuzz_gitcmd
noinst_PROGRAMS += tests/fuzz/fuzz_text
noinst_PROGRAMS += tests/fuzz/fuzz_wire
endif
tests_fuzz_fuzz_gitcmd_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_text_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_wire_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

# ---- the module and its client, with a helper of the tests' own beside them ----

# Where the helper is and how long it may take is all that differs from the shipped objects.
PAM_TEST_CPPFLAGS = $(AM_CPPFLAGS) -UGLT_HELPER -DGLT_HELPER='"./gltoken-auth"' -DGLT_CLIENT_TIMEOUT_MS=1500
EXTRA_PROGRAMS = tests/pam/pam-helper
CLEANFILES += $(EXTRA_PROGRAMS)
check_DATA = $(EXTRA_PROGRAMS)
tests_pam_pam_helper_SOURCES = tests/pam/helper.c
tests_pam_pam_helper_LDADD =

tests_pam_test_client_SOURCES = tests/pam/test_client.c pam_gltoken/client.c pam_gltoken/wire.c
tests_pam_test_client_CPPFLAGS = $(PAM_TEST_CPPFLAGS)
tests_pam_test_client_LDADD = $(CMOCKA_LIBS)
tests_pam_test_wire_SOURCES = tests/pam/test_wire.c pam_gltoken/wire.c
tests_pam_test_wire_CPPFLAGS = $(PAM_TEST_CPPFLAGS)
tests_pam_test_wire_LDADD = $(CMOCKA_LIBS)

EXTRA_DIST += .ci/run tests/run tests/lib tests/e2e tests/pam
