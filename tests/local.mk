# SPDX-License-Identifier: MIT

# One program a file; each links what it needs of the same libraries as the real programs do.
check_LIBRARIES = libglt_test.a
libglt_test_a_SOURCES = \
	tests/unit/tmpdir.c \
	tests/unit/tmpdir.h \
	tests/unit/tmprun.c \
	tests/unit/tmprun.h \
	tests/unit/tmpstore.c \
	tests/unit/tmpstore.h \
	tests/unit/tmpstore_check.c
LDADD = libglt_test.a $(TOOLS_LIBS) $(CMOCKA_LIBS) -lm
if HAVE_CHECK
check_PROGRAMS += tests/unit/test_account
check_PROGRAMS += tests/unit/test_ask
check_PROGRAMS += tests/unit/test_askpass
check_PROGRAMS += tests/unit/test_backup
check_PROGRAMS += tests/unit/test_bounded
check_PROGRAMS += tests/unit/test_cache
check_PROGRAMS += tests/unit/test_chain
check_PROGRAMS += tests/unit/test_checks
check_PROGRAMS += tests/unit/test_conf
check_PROGRAMS += tests/unit/test_conf_files
check_PROGRAMS += tests/unit/test_credential
check_PROGRAMS += tests/unit/test_csv
check_PROGRAMS += tests/unit/test_decide
check_PROGRAMS += tests/unit/test_decide_elsewhere
check_PROGRAMS += tests/unit/test_decide_rules
check_PROGRAMS += tests/unit/test_decide_tokens
check_PROGRAMS += tests/unit/test_edit
check_PROGRAMS += tests/unit/test_failing_calls
check_PROGRAMS += tests/unit/test_gitcmd
check_PROGRAMS += tests/unit/test_gitenv
check_PROGRAMS += tests/unit/test_hash
check_PROGRAMS += tests/unit/test_holder
check_PROGRAMS += tests/unit/test_http_request
check_PROGRAMS += tests/unit/test_issue
check_PROGRAMS += tests/unit/test_kinds
check_PROGRAMS += tests/unit/test_lfsbatch
check_PROGRAMS += tests/unit/test_manual
check_PROGRAMS += tests/unit/test_match
check_PROGRAMS += tests/unit/test_migrate
check_PROGRAMS += tests/unit/test_observed
check_PROGRAMS += tests/unit/test_people
check_PROGRAMS += tests/unit/test_policy
check_PROGRAMS += tests/unit/test_reap
check_PROGRAMS += tests/unit/test_repo
check_PROGRAMS += tests/unit/test_reuse
check_PROGRAMS += tests/unit/test_rights
check_PROGRAMS += tests/unit/test_rotate
check_PROGRAMS += tests/unit/test_safe
check_PROGRAMS += tests/unit/test_scan
check_PROGRAMS += tests/unit/test_scanners
check_PROGRAMS += tests/unit/test_shipped_conf
check_PROGRAMS += tests/unit/test_slots
check_PROGRAMS += tests/unit/test_store
check_PROGRAMS += tests/unit/test_store_damage
check_PROGRAMS += tests/unit/test_store_procs
check_PROGRAMS += tests/unit/test_storefile
check_PROGRAMS += tests/unit/test_table
check_PROGRAMS += tests/unit/test_text
check_PROGRAMS += tests/unit/test_texts
check_PROGRAMS += tests/unit/test_ticket
check_PROGRAMS += tests/unit/test_token
check_PROGRAMS += tests/unit/test_tokens
check_PROGRAMS += tests/unit/test_usage
check_PROGRAMS += tests/unit/test_when
check_PROGRAMS += tests/unit/test_words
check_PROGRAMS += tests/pam/test_client
check_PROGRAMS += tests/pam/test_deadline
check_PROGRAMS += tests/pam/test_log
check_PROGRAMS += tests/pam/test_pam
check_PROGRAMS += tests/pam/test_pam_session
check_PROGRAMS += tests/pam/test_socket
check_PROGRAMS += tests/pam/test_threads
check_PROGRAMS += tests/pam/test_wire
check_PROGRAMS += tests/lessons/test_traps
check_PROGRAMS += tests/pam/test_faults
TESTS += $(check_PROGRAMS)
TESTS += tests/nss/exports.sh
TESTS += tests/pam/exports.sh
else
check-local:
	@echo "make check needs cmocka and libpamtest; Debian: libcmocka-dev libpam-wrapper libpamtest0-dev, Fedora: libcmocka-devel libpamtest-devel; then ./configure again" >&2
	@exit 1
endif

if ENABLE_FUZZING
noinst_PROGRAMS += tests/fuzz/fuzz_conf
noinst_PROGRAMS += tests/fuzz/fuzz_gitcmd
noinst_PROGRAMS += tests/fuzz/fuzz_http
noinst_PROGRAMS += tests/fuzz/fuzz_import
noinst_PROGRAMS += tests/fuzz/fuzz_keys
noinst_PROGRAMS += tests/fuzz/fuzz_nss
noinst_PROGRAMS += tests/fuzz/fuzz_record
noinst_PROGRAMS += tests/fuzz/fuzz_scan
noinst_PROGRAMS += tests/fuzz/fuzz_text
noinst_PROGRAMS += tests/fuzz/fuzz_wire
endif
tests_fuzz_fuzz_conf_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_conf_LDADD = $(TOOLS_LIBS)
tests_fuzz_fuzz_gitcmd_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_gitcmd_LDADD = $(TOOLS_LIBS)
tests_fuzz_fuzz_http_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_http_LDADD = $(TOOLS_LIBS)
tests_fuzz_fuzz_import_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_import_LDADD = $(TOOLS_LIBS)
tests_fuzz_fuzz_keys_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_keys_LDADD = $(TOOLS_LIBS)
tests_fuzz_fuzz_nss_SOURCES = tests/fuzz/fuzz_nss.c pam_gltoken/nss_pack.c
tests_fuzz_fuzz_nss_CPPFLAGS = $(AM_CPPFLAGS)
tests_fuzz_fuzz_nss_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_nss_LDADD =
tests_fuzz_fuzz_record_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_record_LDADD = $(TOOLS_LIBS)
tests_fuzz_fuzz_scan_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_scan_LDADD = $(TOOLS_LIBS)
tests_fuzz_fuzz_text_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_text_LDADD = $(TOOLS_LIBS)
tests_fuzz_fuzz_wire_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_wire_LDADD = $(TOOLS_LIBS)

# ---- the module and its client, with a helper of the tests' own beside them ----

# Where helper and socket are is all that differs from the shipped objects; test_deadline waits less, too.
PAM_TEST_CPPFLAGS = $(AM_CPPFLAGS) -UGLT_HELPER -DGLT_HELPER='"./gltoken-auth"' -DGLT_SOCKET='"./auth.sock"'
EXTRA_PROGRAMS = tests/pam/pam-helper tests/pam/pam_gltoken_test.so tests/pam/pam_probe.so
CLEANFILES += $(EXTRA_PROGRAMS)
check_DATA = $(EXTRA_PROGRAMS)
tests_pam_pam_helper_SOURCES = tests/pam/helper.c
tests_pam_pam_helper_LDADD =

tests_pam_test_client_SOURCES = tests/pam/test_client.c pam_gltoken/client.c pam_gltoken/wire.c
tests_pam_test_client_CPPFLAGS = $(PAM_TEST_CPPFLAGS)
tests_pam_test_client_LDADD = $(CMOCKA_LIBS)
tests_pam_test_deadline_SOURCES = tests/pam/test_deadline.c pam_gltoken/client.c pam_gltoken/wire.c
tests_pam_test_deadline_CPPFLAGS = $(PAM_TEST_CPPFLAGS) -DGLT_CLIENT_TIMEOUT_MS=2000
tests_pam_test_deadline_LDADD = $(CMOCKA_LIBS)
tests_pam_test_socket_SOURCES = tests/pam/test_socket.c pam_gltoken/client.c pam_gltoken/wire.c
tests_pam_test_socket_CPPFLAGS = $(PAM_TEST_CPPFLAGS)
tests_pam_test_socket_LDADD = $(CMOCKA_LIBS)
tests_pam_test_log_SOURCES = tests/pam/test_log.c pam_gltoken/pam_log.c
tests_pam_test_log_CPPFLAGS = $(PAM_TEST_CPPFLAGS)
tests_pam_test_log_LDADD = $(CMOCKA_LIBS)
tests_pam_test_wire_SOURCES = tests/pam/test_wire.c pam_gltoken/wire.c
tests_pam_test_wire_CPPFLAGS = $(PAM_TEST_CPPFLAGS)
tests_pam_test_wire_LDADD = $(CMOCKA_LIBS)

tests_pam_pam_gltoken_test_so_SOURCES = $(pam_gltoken_pam_gltoken_so_SOURCES)
tests_pam_pam_gltoken_test_so_CPPFLAGS = $(PAM_TEST_CPPFLAGS)
tests_pam_pam_gltoken_test_so_CFLAGS = $(pam_gltoken_pam_gltoken_so_CFLAGS)
tests_pam_pam_gltoken_test_so_LDFLAGS = $(pam_gltoken_pam_gltoken_so_LDFLAGS)
tests_pam_pam_gltoken_test_so_LDADD = $(PAM_LIBS)
tests_pam_pam_probe_so_SOURCES = tests/pam/probe.c
tests_pam_pam_probe_so_CFLAGS = $(COMMON_CFLAGS) -fPIC
tests_pam_pam_probe_so_LDFLAGS = -shared $(HARDEN_LDFLAGS) $(SANITIZE)
tests_pam_pam_probe_so_LDADD = $(PAM_LIBS)
tests_pam_test_pam_SOURCES = tests/pam/test_pam.c tests/pam/pam_host.c
tests_pam_test_pam_CPPFLAGS = $(PAM_TEST_CPPFLAGS)
tests_pam_test_pam_LDFLAGS = $(AM_LDFLAGS) -rdynamic
tests_pam_test_pam_LDADD = $(CMOCKA_LIBS) -lpamtest $(PAM_LIBS)
tests_pam_test_faults_SOURCES = tests/pam/test_faults.c tests/pam/pam_host.c
tests_pam_test_faults_CPPFLAGS = $(PAM_TEST_CPPFLAGS)
tests_pam_test_faults_LDFLAGS = $(AM_LDFLAGS) -rdynamic
tests_pam_test_faults_LDADD = $(CMOCKA_LIBS) -lpamtest $(PAM_LIBS)
tests_pam_test_threads_SOURCES = tests/pam/test_threads.c tests/pam/pam_host.c
tests_pam_test_threads_CPPFLAGS = $(PAM_TEST_CPPFLAGS)
tests_pam_test_threads_LDFLAGS = $(AM_LDFLAGS) -rdynamic
tests_pam_test_threads_LDADD = $(CMOCKA_LIBS) -lpamtest $(PAM_LIBS)
tests_pam_test_pam_session_SOURCES = tests/pam/test_pam_session.c tests/pam/pam_host.c
tests_pam_test_pam_session_CPPFLAGS = $(PAM_TEST_CPPFLAGS)
tests_pam_test_pam_session_LDFLAGS = $(AM_LDFLAGS) -rdynamic
tests_pam_test_pam_session_LDADD = $(CMOCKA_LIBS) -lpamtest $(PAM_LIBS)

# ---- what tests/bench/run runs; `make bench` builds it ----

EXTRA_PROGRAMS += tests/bench/fill tests/bench/hash tests/bench/pam tests/bench/spawn
.PHONY: bench
bench: tests/bench/fill tests/bench/hash tests/bench/pam tests/bench/spawn
tests_bench_fill_LDADD = $(TOOLS_LIBS)
tests_bench_hash_SOURCES = tests/bench/hash.c tests/bench/measure.c tests/bench/measure.h
tests_bench_hash_LDADD = $(CORE_LIBS)
tests_bench_pam_SOURCES = tests/bench/pam.c tests/bench/measure.c tests/bench/measure.h
tests_bench_pam_LDADD = $(PAM_LIBS)
tests_bench_spawn_SOURCES = tests/bench/spawn.c tests/bench/measure.c tests/bench/measure.h
tests_bench_spawn_LDADD =

# Not the whole of tests/pam: a folder is taken from the build as well, with its objects.
EXTRA_DIST += tests/pam/exports.sh tests/pam/leftover.h tests/pam/pam_host.h tests/pam/sandbox.h tests/pam/sanitized.h
EXTRA_DIST += tests/nss/damage.c tests/nss/exports.sh tests/nss/forge.c tests/nss/module.h tests/nss/protocol.c \
	tests/nss/readers.c tests/nss/republish.c tests/nss/threads.c
EXTRA_DIST += tests/fuzz/run tests/fuzz/corpus
EXTRA_DIST += tests/lessons/README.md tests/lessons/holes.sh
EXTRA_DIST += .ci/run tests/run tests/screenshots tests/races tests/torture tests/lib tests/e2e tests/release tests/bench tests/coverage tests/coverage.txt tests/fixtures
