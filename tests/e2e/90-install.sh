#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What is installed, and what it links.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

module() {
	find /usr/lib /lib64 -name pam_gltoken.so -print -quit
}

test_module_stands_beside_pam_unix() {
	[ -e "$(dirname "$(module)")/pam_unix.so" ] || fail "the module is in $(module)"
	[ "$(stat -c '%U %a' "$(module)")" = 'root 755' ] || [ "$(stat -c '%U %a' "$(module)")" = 'root 644' ] ||
		fail "mode of the module: $(stat -c '%U %a' "$(module)")"
}

test_module_links_libpam_and_libc_alone() {
	ok ldd "$(module)"
	if grep -vE 'linux-vdso|ld-linux|lib(pam|audit|cap-ng|c)\.so' "$T/out"; then fail "it links more: $(outcome)"; fi
	says 'libpam\.so'
}

test_module_exports_pam_sm_alone() {
	ok nm -D --defined-only "$(module)"
	if grep -vE ' T pam_sm_(authenticate|setcred|acct_mgmt|open_session|close_session|chauthtok)(@@.*)?$' "$T/out" |
		grep -vE ' A '; then fail "it exports more: $(outcome)"; fi
	[ "$(grep -c ' T pam_sm_' "$T/out")" = 6 ] || fail "not six entry points: $(outcome)"
}

test_module_stays_loaded_and_hardened() {
	ok readelf -dlW "$(module)"
	says NODELETE
	says 'BIND_NOW|FLAGS.*NOW'
	says GNU_RELRO
	if grep -E 'GNU_STACK.*RWE|TEXTREL|R(UN)?PATH' "$T/out"; then fail "not hardened"; fi
}

test_programs_are_hardened() {
	local p
	for p in /usr/bin/gltoken /usr/bin/gltoken-shell /usr/bin/gltoken-askpass /usr/bin/git-credential-gltoken /usr/libexec/gltoken/gltoken-auth \
		/usr/libexec/gltoken/gltoken-keys; do
		ok readelf -hdlW "$p"
		says 'Type: +DYN'
		says 'NOW'
		says GNU_RELRO
		if grep -E 'GNU_STACK.*RWE|TEXTREL|R(UN)?PATH' "$T/out"; then fail "$p is not hardened"; fi
	done
}

test_shell_links_no_store() {
	ok ldd /usr/bin/gltoken-shell
	hides 'lmdb|argon2|protobuf|libpam'
}

test_accounts() {
	ok getent passwd gltoken
	says 'nologin'
	ok getent passwd git
	says ':/usr/bin/gltoken-shell$'
	ok id -nG git
	says '(^| )gltoken( |$)'
	[ "$(stat -c '%U:%G %a' /usr/libexec/gltoken/gltoken-auth)" = 'root:gltoken 4750' ] || fail "mode of the helper"
	[ "$(stat -c '%U %a' "$(getent passwd git | cut -d: -f6)")" = 'root 755' ] || fail "the home of git is not root's"
	case $(getent passwd git | cut -d: -f6)/ in
	/srv/git/*) fail "the home of git is inside the repository root" ;;
	esac
	[ "$(stat -c %U /srv/git)" = git ] || fail "/srv/git is not git's"
}

# A second `make install` keeps what an administrator has changed, and makes nothing twice.
test_install_again() {
	echo '# mine' >>/etc/gltoken/gltoken.conf
	cp /etc/passwd "$T/passwd"
	ok make -s -C "$E2E_BUILD" install
	says 'gltoken.conf is kept'
	tail -n 1 /etc/gltoken/gltoken.conf | grep -q '^# mine$' || fail "gltoken.conf was overwritten"
	cmp /etc/passwd "$T/passwd" || fail "accounts changed"
	[ "$(stat -c '%U:%G %a' /usr/libexec/gltoken/gltoken-auth)" = 'root:gltoken 4750' ] || fail "mode of the helper"
}

test_destdir_without_root() {
	cp -a "$E2E_BUILD" "$T/build"
	chown -R dev: "$T/build"
	ok as_dev make -s -C "$T/build" install "DESTDIR=$T/dest"
	[ -x "$T/dest/usr/bin/gltoken" ] || fail "nothing in DESTDIR"
	[ -e "$T/dest$(module)" ] || fail "no module in DESTDIR"
	says 'warning'
}

test_manual() {
	local page
	for page in 1/gltoken 7/gltoken 5/gltoken.conf 8/pam_gltoken 1/gltoken-shell 8/gltoken-auth 1/gltoken-askpass 1/git-credential-gltoken; do
		ok man -w "${page%/*}" "${page#*/}"
		ok man --warnings -l "$(cat "$T/out")"
		[ ! -s "$T/err" ] || fail "man complains: $(outcome)"
	done
}

test_bash_completion() {
	local file=/usr/share/bash-completion/completions/gltoken
	[ -f "$file" ] || fail "no completion"
	ok bash -c "source $file; COMP_WORDS=(gltoken is); COMP_CWORD=1; COMP_LINE='gltoken is'; COMP_POINT=10
		\$(complete -p gltoken | sed -n 's/.*-F \([^ ]*\).*/\1/p') gltoken is gltoken; echo \"\${COMPREPLY[@]}\""
	says issue
}

test_uninstall() {
	ok gltoken init
	ok make -s -C "$E2E_BUILD" uninstall
	[ ! -e /usr/bin/gltoken ] || fail "the programs are still there"
	[ -z "$(module)" ] || fail "the module is still there"
	[ -d /var/lib/gltoken/store ] || fail "the store was removed"
	ok make -s -C "$E2E_BUILD" install
	ok gltoken check
}

e2e_main "$@"
