# SPDX-License-Identifier: MIT

# ---- what the helper and the CLI share; nothing of it may enter sshd ----

noinst_LIBRARIES += libglt_core.a
libglt_core_a_SOURCES = \
	pam_gltoken/core/account.c \
	pam_gltoken/core/account.h \
	pam_gltoken/core/ask.c \
	pam_gltoken/core/ask.h \
	pam_gltoken/core/bootid.c \
	pam_gltoken/core/bootid.h \
	pam_gltoken/core/cache.c \
	pam_gltoken/core/change.c \
	pam_gltoken/core/change.h \
	pam_gltoken/core/conf.c \
	pam_gltoken/core/conf.h \
	pam_gltoken/core/conf_files.c \
	pam_gltoken/core/conf_files.h \
	pam_gltoken/core/counters.c \
	pam_gltoken/core/conf_jobs.c \
	pam_gltoken/core/conf_jobs.h \
	pam_gltoken/core/decide.c \
	pam_gltoken/core/decide.h \
	pam_gltoken/core/edit.c \
	pam_gltoken/core/edit.h \
	pam_gltoken/core/event.c \
	pam_gltoken/core/event_bytes.c \
	pam_gltoken/core/event.h \
	pam_gltoken/core/grow.c \
	pam_gltoken/core/grow.h \
	pam_gltoken/core/hash.c \
	pam_gltoken/core/hash.h \
	pam_gltoken/core/issue.c \
	pam_gltoken/core/issue.h \
	pam_gltoken/core/kinds.c \
	pam_gltoken/core/kinds.h \
	pam_gltoken/core/meta.c \
	pam_gltoken/core/meta.h \
	pam_gltoken/core/migrate.c \
	pam_gltoken/core/migrate.h \
	pam_gltoken/core/notice.c \
	pam_gltoken/core/notice.h \
	pam_gltoken/core/nss_limits.c \
	pam_gltoken/core/nss_limits.h \
	pam_gltoken/core/observed.c \
	pam_gltoken/core/observed.h \
	pam_gltoken/core/passwd.c \
	pam_gltoken/core/passwd.h \
	pam_gltoken/core/people.c \
	pam_gltoken/core/people.h \
	pam_gltoken/core/policy.c \
	pam_gltoken/core/policy.h \
	pam_gltoken/core/privdrop.c \
	pam_gltoken/core/privdrop.h \
	pam_gltoken/core/project.c \
	pam_gltoken/core/project.h \
	pam_gltoken/core/pubkey.c \
	pam_gltoken/core/publish.c \
	pam_gltoken/core/publish.h \
	pam_gltoken/core/readers.c \
	pam_gltoken/core/reap.c \
	pam_gltoken/core/reap.h \
	pam_gltoken/core/reuse.c \
	pam_gltoken/core/reuse.h \
	pam_gltoken/core/role.c \
	pam_gltoken/core/role.h \
	pam_gltoken/core/roster.c \
	pam_gltoken/core/roster.h \
	pam_gltoken/core/roster_groups.c \
	pam_gltoken/core/roster_numbers.c \
	pam_gltoken/core/roster_write.c \
	pam_gltoken/core/rotate.c \
	pam_gltoken/core/rundir.h \
	pam_gltoken/core/scope.c \
	pam_gltoken/core/scope.h \
	pam_gltoken/core/seckey.c \
	pam_gltoken/core/seckey.h \
	pam_gltoken/core/secret.c \
	pam_gltoken/core/secret.h \
	pam_gltoken/core/slots.c \
	pam_gltoken/core/stale.c \
	pam_gltoken/core/stale.h \
	pam_gltoken/core/status.c \
	pam_gltoken/core/status.h \
	pam_gltoken/core/store.c \
	pam_gltoken/core/store.h \
	pam_gltoken/core/storefile.c \
	pam_gltoken/core/storefile.h \
	pam_gltoken/core/tables.h \
	pam_gltoken/core/text.c \
	pam_gltoken/core/text.h \
	pam_gltoken/core/ticket.c \
	pam_gltoken/core/ticket.h \
	pam_gltoken/core/token.c \
	pam_gltoken/core/token.h \
	pam_gltoken/core/token_draw.c \
	pam_gltoken/core/tokens.c \
	pam_gltoken/core/tokens.h \
	pam_gltoken/core/usage.c \
	pam_gltoken/core/usage.h \
	pam_gltoken/core/value.c \
	pam_gltoken/core/value.h \
	pam_gltoken/core/when.c \
	pam_gltoken/core/when.h \
	pam_gltoken/core/record.proto \
	pam_gltoken/nss_snap.c \
	pam_gltoken/nss_snap.h
nodist_libglt_core_a_SOURCES = \
	pam_gltoken/core/record.pb-c.c \
	pam_gltoken/core/record.pb-c.h
CORE_LIBS = libglt_core.a $(LMDB_LIBS) $(ARGON2_LIBS) $(SODIUM_LIBS) $(PROTOBUF_C_LIBS) $(INIH_LIBS) $(CDB_LIBS)

# What a request starts is linked with archives where there are any: a third of its start was loading libraries.
if STATIC_HELPER
noinst_DATA += pam_gltoken/argon2.o
pam_gltoken/argon2.o: $(ARGON2_ARCHIVE)
	$(AM_V_GEN)$(CC) -r -nostdlib -Wl,--whole-archive $(ARGON2_ARCHIVE) -Wl,--no-whole-archive -o $@.tmp && \
	$(OBJCOPY) --wildcard --keep-global-symbol='argon2*' $@.tmp && mv $@.tmp $@
CLEANFILES += pam_gltoken/argon2.o pam_gltoken/argon2.o.tmp
REQUEST_LIBS = libglt_core.a pam_gltoken/argon2.o $(STATIC_LIBS)
else
REQUEST_LIBS = $(CORE_LIBS)
REQUEST_JSON_LIBS = $(JANSSON_LIBS)
endif

BUILT_SOURCES += pam_gltoken/core/record.pb-c.c pam_gltoken/core/record.pb-c.h
CLEANFILES += pam_gltoken/core/record.pb-c.c pam_gltoken/core/record.pb-c.h
pam_gltoken/core/record.pb-c.c: pam_gltoken/core/record.proto
	$(AM_V_GEN)$(MKDIR_P) pam_gltoken/core && \
	$(PROTOC_C) --proto_path=$(srcdir)/pam_gltoken/core --c_out=pam_gltoken/core \
		$(srcdir)/pam_gltoken/core/record.proto
pam_gltoken/core/record.pb-c.h: pam_gltoken/core/record.pb-c.c

# ---- asking the helper and logging the answer: libc only ----

noinst_LIBRARIES += libglt_ask.a
libglt_ask_a_SOURCES = \
	pam_gltoken/audit_log.c \
	pam_gltoken/audit_log.h \
	pam_gltoken/client.c \
	pam_gltoken/client.h \
	pam_gltoken/pam_log.c \
	pam_gltoken/pam_log.h \
	pam_gltoken/wire.c \
	pam_gltoken/wire.h

# ---- the helper ----

glibexec_PROGRAMS += pam_gltoken/gltoken-auth
pam_gltoken_gltoken_auth_SOURCES = \
	pam_gltoken/gltoken-auth.c \
	pam_gltoken/auth_change.c \
	pam_gltoken/auth_change.h \
	pam_gltoken/auth_list.c \
	pam_gltoken/auth_listen.c \
	pam_gltoken/auth_rehash.c \
	pam_gltoken/auth_reply.c \
	pam_gltoken/auth_reuse.c \
	pam_gltoken/auth_session.c \
	pam_gltoken/auth_ticket.c \
	pam_gltoken/auth_verify.c \
	pam_gltoken/auth.h
pam_gltoken_gltoken_auth_LDADD = libglt_ask.a $(REQUEST_LIBS)

# ---- the PAM module: a shared object built as a program, so that no libtool is needed ----

noinst_PROGRAMS += pam_gltoken/pam_gltoken.so
pam_gltoken_pam_gltoken_so_SOURCES = \
	pam_gltoken/pam_args.c \
	pam_gltoken/pam_args.h \
	pam_gltoken/pam_ask.c \
	pam_gltoken/pam_ask.h \
	pam_gltoken/pam_gltoken.c \
	pam_gltoken/pam_log.c \
	pam_gltoken/pam_log.h \
	pam_gltoken/pam_secret.c \
	pam_gltoken/pam_secret.h \
	pam_gltoken/pam_session.c \
	pam_gltoken/pam_session.h \
	pam_gltoken/client.c \
	pam_gltoken/client.h \
	pam_gltoken/wire.c \
	pam_gltoken/wire.h
pam_gltoken_pam_gltoken_so_CFLAGS = $(COMMON_CFLAGS) -fPIC -fvisibility=hidden $(PAM_CFLAGS)
pam_gltoken_pam_gltoken_so_LDFLAGS = -shared $(HARDEN_LDFLAGS) $(NO_UNDEFINED) $(SANITIZE) -Wl,-z,nodelete \
	-Wl,--version-script=$(srcdir)/pam_gltoken/pam_gltoken.map
pam_gltoken_pam_gltoken_so_LDADD = $(PAM_LIBS)
EXTRA_pam_gltoken_pam_gltoken_so_DEPENDENCIES = pam_gltoken/pam_gltoken.map
EXTRA_DIST += pam_gltoken/pam_gltoken.map

# Installed as data: a module is 0644.
pam_DATA = pam_gltoken/pam_gltoken.so

# ---- the NSS module: every process of the host loads it, so that libc is all it needs ----

noinst_PROGRAMS += pam_gltoken/libnss_gltoken.so.2
pam_gltoken_libnss_gltoken_so_2_SOURCES = \
	pam_gltoken/nss_gltoken.c \
	pam_gltoken/nss_gltoken.h \
	pam_gltoken/nss_pack.c \
	pam_gltoken/nss_pack.h \
	pam_gltoken/nss_snap.c \
	pam_gltoken/nss_snap.h
pam_gltoken_libnss_gltoken_so_2_CFLAGS = $(COMMON_CFLAGS) -fPIC -fvisibility=hidden
pam_gltoken_libnss_gltoken_so_2_LDFLAGS = -shared $(HARDEN_LDFLAGS) $(NO_UNDEFINED) $(SANITIZE) \
	-Wl,-soname,libnss_gltoken.so.2 -Wl,--version-script=$(srcdir)/pam_gltoken/nss_gltoken.map
pam_gltoken_libnss_gltoken_so_2_LDADD =
EXTRA_pam_gltoken_libnss_gltoken_so_2_DEPENDENCIES = pam_gltoken/nss_gltoken.map
EXTRA_DIST += pam_gltoken/nss_gltoken.map

nss_DATA = pam_gltoken/libnss_gltoken.so.2
