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

# Which reason the helper gives, by itself: no strace in the way.
reason_of() { # SECRET [LINE-OF-THE-REQUEST...]
	{ printf '%s\n' verb=verify "secret=$1" account=git service=sshd rhost=192.0.2.1 "${@:2}" '' | "$HELPER" || true; } |
		sed -n 's/^reason=//p'
}

counted() { # hashes | cache_hits
	gltoken stats --quick --json | jq ".$1"
}

# A thousand tokens, each warm, changed, and denied by the next process, without one exception.
a_thousand() { # REASON COMMAND-BEFORE-THE-ID... -- COMMAND-BEHIND-IT...
	local reason=$1 id token hits before=()
	shift
	while [ "$1" != -- ]; do
		before+=("$1")
		shift
	done
	shift
	printf '[hash]\nmemory = 8192\ntime = 1\n' >>/etc/gltoken/gltoken.conf
	rm -f "$T/list"
	ok gltoken issue --user alice --scope read_repository --name "$reason" --count 1000 --output "$T/list"
	while IFS=, read -r id _ _ token; do
		[ "$(reason_of "$token")" = ok ] || fail "token $id is not good"
	done < <(tail -n +2 "$T/list")
	hits=$(counted cache_hits)
	while IFS=, read -r id _ _ token; do
		[ "$(reason_of "$token" operation=pull repository=demo/hello)" = ok ] || fail "token $id is not good when warm"
		"${before[@]}" "$id" "$@" >/dev/null 2>&1 || fail "${before[*]} $id $*"
		[ "$(reason_of "$token" operation=pull repository=demo/hello)" = "$reason" ] ||
			fail "token $id was changed and is not denied as $reason"
	done < <(tail -n +2 "$T/list")
	[ $(($(counted cache_hits) - hits)) = 1000 ] || fail "they were not warm: $(($(counted cache_hits) - hits))"
	sed -i '/^\[hash\]$/,$d' /etc/gltoken/gltoken.conf
}

test_revoked_every_time() {
	a_thousand revoked gltoken revoke --
}

test_rescoped_every_time() {
	a_thousand scope_missing gltoken scope -- --set self_rotate
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

flip() { # FILE BYTE
	perl -e 'open(my $f, "+<", $ARGV[0]) or die; seek($f, $ARGV[1], 0); read($f, my $c, 1); seek($f, $ARGV[1], 0);
		print $f chr(ord($c) ^ 0x20)' "$1" "$2"
}

test_damaged_file() {
	local i wrong
	warm_token
	for i in {0..31}; do # each hash writes it anew
		flip /run/gltoken/cache $((ID * 32 + i))
		allowed
		hashed
	done
	allowed
	not_hashed
	truncate -s $((ID * 32 + 20)) /run/gltoken/cache
	allowed
	hashed
	rm -rf /run/gltoken
	allowed
	hashed
	allowed
	not_hashed
	head -c 2097152 /dev/urandom >/run/gltoken/cache
	wrong=${TOKEN%??}zz
	[ "$wrong" != "$TOKEN" ] || wrong=${TOKEN%??}yy
	denied wrong_secret "$wrong"
	allowed
	hashed
}

# A host that took over this token verified it just now; its cache says nothing here.
test_another_hosts_cache() {
	local store=/var/lib/gltoken/store
	warm_token
	cp -a /run/gltoken/cache "$T/ours"
	gltoken export >"$T/export"
	mv $store "$T/store"
	gltoken init
	ok gltoken import "$T/export"
	allowed
	hashed
	allowed
	not_hashed
	cp -a /run/gltoken/cache "$T/theirs"
	rm -r $store
	mv "$T/store" $store
	if cmp -s "$T/ours" "$T/theirs"; then fail "both hosts have the same cache"; fi
	allowed
	hashed
	cp -a "$T/ours" /run/gltoken/cache
	allowed
	not_hashed
}

# The cache of before a reboot, which is also what another host's is to this one.
test_copied_cache() {
	warm_token
	sed 's/./0/' /proc/sys/kernel/random/boot_id | tr 0-9 1-90 >"$T/boot_id"
	mount --bind "$T/boot_id" /proc/sys/kernel/random/boot_id
	allowed
	hashed
	umount /proc/sys/kernel/random/boot_id
	cp -a /run/gltoken/cache "$T/cache"
	allowed
	hashed # the other boot's entry took its place
	allowed
	not_hashed
	cp -a "$T/cache" /run/gltoken/cache
	allowed
	hashed
}

# Neither junk nor a known selector can be turned into load.
test_floods_cost_no_hash() {
	local before i wrong
	warm_token
	before=$(counted hashes)
	for i in {1..300}; do
		case $(reason_of "glpat-$(printf %06d "$i")bbbbbbbbbbbbbb") in
		unknown_token) ;;
		*) fail "junk $i" ;;
		esac
		wrong=${TOKEN%????}$(printf %04d "$i")
		case $(reason_of "$wrong") in
		wrong_secret | ok) ;;
		*) fail "wrong $i" ;;
		esac
	done
	[ $(($(counted hashes) - before)) -le 2 ] || fail "$(($(counted hashes) - before)) hashes"
}

test_counters() {
	local before
	warm_token
	before=$(gltoken stats --quick --json | jq '.answers.revoked // 0')
	ok gltoken revoke "$ID"
	denied revoked
	[ "$(gltoken stats --quick --json | jq .answers.revoked)" = $((before + 1)) ] || fail "not counted"
	ok gltoken stats --prometheus
	says "^gltoken_answers_total\{reason=\"revoked\"\} $((before + 1))\$"
	says '^gltoken_tokens\{state="revoked"\} [1-9]'
	says '^# TYPE gltoken_hashes_total counter$'
	ok gltoken stats
	says '^tokens active +[0-9]+$'
	hides 'newest backup'
	# a full /run: nothing to count in, and no login fails
	mount -t tmpfs -o size=4k,mode=700,uid="$(id -u gltoken)",gid="$(id -g gltoken)" tmpfs /run/gltoken
	head -c 4096 /dev/zero >/run/gltoken/full
	new_token --user alice --scope read_repository
	allowed
	ok gltoken stats --quick
	umount /run/gltoken
}

# The text format 0.0.4, as strictly as promtool reads it: help and type once, before the metric's samples, which stand
# together; names, label values and numbers well formed; no sample twice; counters end in _total.
valid_metrics() { # FILE
	perl -ne '
		chomp;
		my $n = "[a-zA-Z_:][a-zA-Z0-9_:]*";
		if (/^# HELP ($n) \S.*$/) { die "$1: help twice\n" if $help{$1}++; $now = $1 }
		elsif (/^# TYPE ($n) (counter|gauge)$/) { die "$1: type $. not behind help\n" if $1 ne $now || $type{$1}; $type{$1} = $2 }
		elsif (/^($n)(\{[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"\})? (\d+)$/) {
			my ($m, $labels) = ($1, $2 // "");
			die "$m: not behind its type\n" if $m ne $now || !$type{$m};
			die "$_: twice\n" if $seen{"$m$labels"}++;
			die "$m: a counter without _total, or the other way round\n" if ($type{$m} eq "counter") != ($m =~ /_total$/);
			$samples{$m}++;
		} else { die "line $.: $_\n" }
		END { for (keys %type) { die "$_: no sample\n" unless $samples{$_} } die "nothing\n" unless %type }' "$1"
}

test_prometheus() {
	new_token --user alice --scope read_repository
	ok gltoken stats --prometheus
	valid_metrics "$T/out" 2>"$T/why" || fail "$(cat "$T/why")"
	hides gltoken_backup_timestamp_seconds
	local metric
	for metric in 'tokens\{state="active"\}' 'tokens_expiring\{days="7"\}' 'tokens_expiring\{days="30"\}' store_schema \
		store_entries hash_slots hash_slots_busy hashes_total cache_hits_total store_readers store_held_bytes \
		'answers_total\{reason="expired"\}' 'answers_total\{reason="wrong_secret"\}'; do
		says "^gltoken_$metric(\{.*\})? [0-9]+\$"
	done
	ok gltoken stats --prometheus --quick
	valid_metrics "$T/out" 2>"$T/why" || fail "$(cat "$T/why")"
	ok gltoken backup
	ok gltoken stats --prometheus
	valid_metrics "$T/out" 2>"$T/why" || fail "$(cat "$T/why")"
	local age
	age=$(($(date +%s) - $(sed -n 's/^gltoken_backup_timestamp_seconds //p' "$T/out")))
	[ "${age#-}" -lt 120 ] || fail "the backup is of $age seconds ago"
	ok gltoken stats --json --quick
	[ "$(jq -r .newest_backup_at "$T/out" | cut -c1-2)" = 20 ] || fail "$(outcome)"
	ok gltoken stats --quick
	says '^newest backup +20'
	rm -r /var/backups/gltoken
	printf 'gltoken_x 1\n' >"$T/bad"
	if valid_metrics "$T/bad" 2>/dev/null; then fail "it checks nothing"; fi
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

# Statistics cost one write a minute, without a lock and without a wait for the disk.
test_use_is_one_write_a_minute() {
	local i
	new_token --user alice --scope read_repository
	for i in 1 2 3; do
		INPUT=$(printf '%s\n' verb=verify "secret=$TOKEN" account=git service=sshd rhost=192.0.2.1 '' && echo .)
		INPUT=${INPUT%.} run strace -f -y -o "$T/trace.$i" -e trace=pwrite64,write,flock,fsync,fdatasync,ftruncate,fcntl "$HELPER"
		grep -qx verdict=allow "$T/out" || fail "$(outcome)"
		grep '/usage>' "$T/trace.$i" >"$T/usage.$i" || true
	done
	# a minute may have gone by, but not two
	if [ "$(wc -l <"$T/usage.1")" != 1 ] || ! grep -q '^[0-9]* *pwrite64(.*, 128, [0-9]*) = 128$' "$T/usage.1"; then
		fail "the first use: $(cat "$T/usage.1")"
	fi
	[ "$(cat "$T/usage.2" "$T/usage.3" | wc -l)" -le 1 ] || fail "more than one write a minute: $(cat "$T"/usage.[23])"
}

test_nobody_else_reads_it() {
	warm_token
	no setpriv --reuid git --regid git --init-groups cat /run/gltoken/cache
	no setpriv --reuid alice --regid alice --init-groups ls /run/gltoken
}

# All slots held: root waits for [hash] wait and is told busy; what is in the cache needs no slot.
test_busy_slots() {
	warm_token
	local warm=$TOKEN
	new_token --user alice --scope read_repository
	hold_slots 0 1 2 3
	denied busy
	verify "$warm"
	grep -qx verdict=allow "$T/out" || fail "a warm token needs no slot: $(outcome)"
	# a holder that is killed gives its slot back
	give_slot "${HOLDERS[0]}"
	allowed
	hashed
	give_slots
}

# Half of the slots are root's alone.
test_roots_half() {
	new_token --user alice --scope read_repository
	hold_slots 2 3
	INPUT=$(printf '%s\n' verb=verify "secret=$TOKEN" nosession=1 '' && echo .)
	INPUT=${INPUT%.} run setpriv --reuid alice --regid alice --groups "$(getent group gltoken | cut -d: -f3)" "$HELPER"
	grep -qx reason=busy "$T/out" || fail "a user's request should find no slot: $(outcome)"
	allowed
	give_slots
}

e2e_main "$@"
