#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The cache of verified tokens stands for Argon2 alone: no check is skipped, and whatever happens to its file
# answers stay right. Whether Argon2 ran is seen from the memory that the helper asks for. Hash slots.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

HELPER=/usr/libexec/gltoken/gltoken-auth
HASH_BYTES=$((19456 * 1024))

setup() {
	e2e_host
}

verify() { # SECRET
	INPUT=$(printf '%s\n' verb=verify "secret=$1" account=git service=sshd rhost=192.0.2.1 '' && echo .)
	INPUT=${INPUT%.} run strace -f -e trace=mmap -o "$T/trace" "$HELPER"
}

allowed() {
	verify "$TOKEN"
	grep -qx verdict=allow "$T/out" || fail "should be allowed: $(outcome)"
}

denied() { # REASON [SECRET]
	verify "${2-$TOKEN}"
	grep -qx "reason=$1" "$T/out" || fail "should be denied as $1: $(outcome)"
	grep -qx verdict=deny "$T/out" || fail "should be denied: $(outcome)"
}

hashed() {
	grep -q "mmap(NULL, $HASH_BYTES," "$T/trace" || fail "Argon2 did not run"
}

not_hashed() {
	if grep -q "mmap(NULL, $HASH_BYTES," "$T/trace"; then fail "Argon2 ran"; fi
}

warm_token() {
	new_token --user alice --scope read_repository
	allowed
	hashed
	allowed
	not_hashed
}

test_second_time_is_free() {
	warm_token
}

test_dead_junk_and_wrong_cost_nothing() {
	warm_token
	denied unknown_token "glpat-aaaaaabbbbbbbbbbbbbb"
	not_hashed
	local wrong=${TOKEN%??}zz
	[ "$wrong" != "$TOKEN" ] || wrong=${TOKEN%??}yy
	denied wrong_secret "$wrong"
	ok gltoken revoke "$ID"
	denied revoked
	not_hashed
}

test_every_change_counts_at_once() {
	warm_token
	ok gltoken edit "$ID" --allow-from 198.51.100.0/24
	denied address_not_allowed
	ok gltoken edit "$ID" --allow-from 192.0.2.0/24
	allowed
	hashed # another record, another entry
	allowed
	not_hashed
	ok gltoken user block alice
	denied owner_blocked
	ok gltoken user unblock alice
	allowed
	not_hashed
	ok gltoken expire "$ID" --at now
	denied expired
}

test_revoked_every_time() {
	local i
	for i in {1..25}; do
		warm_token
		gltoken revoke "$ID" 2>/dev/null || fail "revoke"
		denied revoked
	done
}

test_another_tokens_entry() {
	local first
	warm_token
	first=$ID
	# the entry of another token, moved to this one's place
	new_token --user alice --scope read_repository
	dd if=/run/gltoken/cache of=/run/gltoken/cache bs=32 count=1 skip="$first" seek="$ID" conv=notrunc status=none
	allowed
	hashed
}

test_damaged_file() {
	local i
	for i in 0 7 8 31; do
		warm_token
		# shellcheck disable=SC2059
		dd if=/dev/urandom of=/run/gltoken/cache bs=1 count=1 seek=$((ID * 32 + i)) conv=notrunc status=none
		allowed # one flip in 256 changes nothing, and then it is the very entry
	done
	warm_token
	truncate -s $((ID * 32 + 20)) /run/gltoken/cache
	allowed
	hashed
	rm -rf /run/gltoken
	allowed
	hashed
	allowed
	not_hashed
}

test_foreign_files_are_not_believed() {
	warm_token
	chown alice /run/gltoken/cache
	allowed
	hashed
	rm /run/gltoken/cache
	ln -s /tmp/planted /run/gltoken/cache
	allowed
	hashed
	[ ! -e /tmp/planted ] || fail "it wrote through a symbolic link"
	rm /run/gltoken/cache
}

test_full_run() {
	warm_token
	mount -t tmpfs -o size=4k,mode=700,uid="$(id -u gltoken)",gid="$(id -g gltoken)" tmpfs /run/gltoken
	head -c 4096 /dev/zero >/run/gltoken/full
	allowed
	hashed
	allowed
	hashed
	umount /run/gltoken
}

test_switched_off() {
	warm_token
	printf '[cache]\nenabled = no\n' >>/etc/gltoken/gltoken.conf
	allowed
	hashed
	sed -i '/^\[cache\]$/,$d' /etc/gltoken/gltoken.conf
	printf '[cache]\nttl = 1s\n' >>/etc/gltoken/gltoken.conf
	allowed
	sleep 2
	allowed
	hashed
	sed -i '/^\[cache\]$/,$d' /etc/gltoken/gltoken.conf
}

test_nobody_else_reads_it() {
	warm_token
	no setpriv --reuid git --regid git --init-groups cat /run/gltoken/cache
	no setpriv --reuid alice --regid alice --init-groups ls /run/gltoken
}

# All slots held: root waits for [hash] wait and is told busy; what is in the cache needs no slot.
test_busy_slots() {
	warm_token
	local warm=$TOKEN i pids=()
	printf '[hash]\nslots = 4\nwait = 1s\n' >>/etc/gltoken/gltoken.conf
	new_token --user alice --scope read_repository
	for i in 0 1 2 3; do
		: >>"/run/gltoken/slot.$i"
		chown gltoken: "/run/gltoken/slot.$i"
		chmod 600 "/run/gltoken/slot.$i"
		flock -o "/run/gltoken/slot.$i" sleep 30 & # -o: the lock is flock's alone
		pids+=($!)
	done
	sleep 0.3
	denied busy
	verify "$warm"
	grep -qx verdict=allow "$T/out" || fail "a warm token needs no slot: $(outcome)"
	# a holder that is killed gives its slot back
	kill -KILL "${pids[0]}"
	sleep 0.2
	allowed
	hashed
	pkill -KILL -f 'sleep 30'
	sed -i '/^\[hash\]$/,$d' /etc/gltoken/gltoken.conf
}

# Half of the slots are root's alone.
test_roots_half() {
	printf '[hash]\nslots = 4\nwait = 1s\n' >>/etc/gltoken/gltoken.conf
	new_token --user alice --scope read_repository
	local i
	for i in 2 3; do
		: >>"/run/gltoken/slot.$i"
		chown gltoken: "/run/gltoken/slot.$i"
		chmod 600 "/run/gltoken/slot.$i"
		flock "/run/gltoken/slot.$i" sleep 30 &
	done
	sleep 0.3
	INPUT=$(printf '%s\n' verb=verify "secret=$TOKEN" nosession=1 '' && echo .)
	INPUT=${INPUT%.} run setpriv --reuid alice --regid alice --groups "$(getent group gltoken | cut -d: -f3)" "$HELPER"
	grep -qx reason=busy "$T/out" || fail "a user's request should find no slot: $(outcome)"
	allowed
	pkill -KILL -f 'sleep 30'
	sed -i '/^\[hash\]$/,$d' /etc/gltoken/gltoken.conf
}

e2e_main "$@"
