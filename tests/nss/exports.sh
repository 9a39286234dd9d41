#!/bin/sh
# SPDX-License-Identifier: MIT
# What the module gives to every process, and what it brings along: the functions of NSS and libc, nothing else.
# usage: exports.sh [MODULE]; by default that of the build in the working directory
module=${1:-pam_gltoken/libnss_gltoken.so.2}
failed=0

test -e "$module" || { echo "exports: $module is not built" >&2; exit 99; }
fail()
{
	echo "exports: $*" >&2
	failed=1
}

want='endgrent endpwent endspent getgrent_r getgrgid_r getgrnam_r getpwent_r getpwnam_r getpwuid_r getspent_r getspnam_r initgroups_dyn setgrent setpwent setspent'
got=$(nm -D --defined-only --extern-only "$module" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
	LC_ALL=C sort | sed 's/^_nss_gltoken_//' | tr '\n' ' ')
test "$got" = "$want " || fail "defines: $got"
if ! nm -D "$module" | grep -q __asan_; then
	needed=$(readelf -dW "$module" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -v '^ld-linux' | tr '\n' ' ')
	test "$needed" = 'libc.so.6 ' || fail "needs $needed"
	# Whoever locks, logs, looks up accounts or starts something would be found here.
	nm -D --undefined-only "$module" | awk '{ sub(/@.*/, "", $2); print $2 }' |
		grep -E '^(getpw|getgr|syslog|openlog|fopen|malloc|mmap|fork|flock|fcntl|pthread_create|signal|write)' &&
		fail 'calls what it must not'
fi
readelf -dW "$module" | grep -q 'SONAME.*\[libnss_gltoken\.so\.2\]' || fail 'has another soname'
flags=$(readelf -dW "$module")
case $flags in *BIND_NOW* | *" NOW"*) ;; *) fail 'is not linked with -z now' ;; esac
readelf -lW "$module" | grep -q GNU_RELRO || fail 'is not linked with -z relro'
test $failed = 0 && echo "exports: $module is as it should be"
exit $failed
