#!/bin/sh
# SPDX-License-Identifier: MIT
# What the module gives to its host and what it brings along: pam_sm_* and libpam, nothing else.
# usage: exports.sh [MODULE]; by default that of the build in the working directory
module=${1:-pam_gltoken/pam_gltoken.so}
failed=0

test -e "$module" || { echo "exports: $module is not built" >&2; exit 99; }
fail()
{
	echo "exports: $*" >&2
	failed=1
}

want='pam_sm_acct_mgmt
pam_sm_authenticate
pam_sm_chauthtok
pam_sm_close_session
pam_sm_open_session
pam_sm_setcred'
got=$(nm -D --defined-only --extern-only "$module" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
	LC_ALL=C sort)
test "$got" = "$want" || fail "defines:" "$got"

# Its host needs no more than libpam and libc, and what libpam itself brings: audit, capabilities.
libraries()
{
	for lib in $(readelf -dW "$module" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
		case $lib in
		libpam.so.0 | libc.so.6 | ld-linux*) ;;
		*) fail "needs $lib" ;;
		esac
	done
	for lib in $(ldd "$module" | awk '{ print $1 }'); do
		case ${lib##*/} in
		linux-vdso.so.* | linux-gate.so.* | ld-linux* | libc.so.6 | libpam.so.0) ;;
		libaudit.so.* | libcap-ng.so.* | libeconf.so.* | libdl.so.2 | libpthread.so.0 | libm.so.6) ;;
		*) fail "loads $lib" ;;
		esac
	done
}
if nm -D "$module" | grep -q __asan_; then
	echo "exports: the libraries are the sanitizer's, not looked at"
else
	libraries
fi

# libpam unloads a module at pam_end: it may leave nothing behind that runs later, and nothing writable to patch.
flags=$(readelf -dW "$module")
case $flags in *NODELETE*) ;; *) fail "is not linked with -z nodelete" ;; esac
case $flags in *BIND_NOW* | *" NOW"*) ;; *) fail "is not linked with -z now" ;; esac
readelf -lW "$module" | grep -q GNU_RELRO || fail "is not linked with -z relro"
readelf -lW "$module" | grep GNU_STACK | grep -q RWE && fail "has an executable stack"

test $failed = 0 && echo "exports: $module is as it should be"
exit $failed
