# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# The rows of tests/bench/run. Each adds lines to $T/rows: name, against what, value, target and sense ("<=" or
# ">="), in tabs. What is wrong, and not only slow, goes to $T/wrong.

HELPER=/usr/libexec/gltoken/gltoken-auth
declare -p only >/dev/null 2>&1 || only=()
declare -p skip >/dev/null 2>&1 || skip=()
: "${T:=}" "${B:=}" "${OUT:=}" "${ROUNDS:=}" "${HASHES:=}" "${BULK:=}" "${IMPORT:=}" "${LOGINS:=}" "${BURST:=}" "${FLOOD:=}" "${BESIDE:=}"

wanted() { # PART
	local o
	for o in "${skip[@]}"; do
		[ "$1" != "$o" ] || return 1
	done
	[ ${#only[@]} -gt 0 ] || return 0
	for o in "${only[@]}"; do
		case $1 in
		*"$o"*) return 0 ;;
		esac
	done
	return 1
}

row() { # WHAT AGAINST VALUE SENSE TARGET UNIT
	printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$@" >>"${ROWS:-$T/rows}"
	[ -n "${ROWS-}" ] || echo "  $1, against $2: $3 $6 ($4 $5)" >&2
}

wrong() {
	echo "wrong: $*" >>"$T/wrong"
}

ratio() { # JQ-EXPRESSION <JSON: with three digits
	jq -r "$1 | . * 1000 | round / 1000"
}

hashes() {
	gltoken stats --quick --json | jq .hashes
}

request() { # TOKEN
	printf '%s\n' verb=verify "secret=$1" account=git service=sshd rhost=192.0.2.1 ''
}

as_store() {
	setpriv --reuid gltoken --regid gltoken --clear-groups "$@"
}

prepare() {
	printf 'int main(void)\n{\n\treturn 0;\n}\n' >"$T/nothing.c"
	cc -O2 -static -o "$T/nothing" "$T/nothing.c"
	new_token --user alice --scope read_repository,write_repository
	# shellcheck disable=SC2153 # new_token sets it
	WARM=$TOKEN
	request "$WARM" >"$T/request"
	"$HELPER" <"$T/request" | grep -qx verdict=allow
	"$HELPER" <"$T/request" | grep -qx verdict=allow
}

row_hash() {
	"$B/hash" "$HASHES" >"$T/hash.json"
	row 'cold verification in process' 'raw libargon2' "$(ratio .ours.ratio <"$T/hash.json")" '<=' 1.05 x
}

# Of the tenth deciles: a process of a millisecond that is interrupted says nothing about what it does.
beside_nothing() {
	ratio ".\"$HELPER\".p10_us / .\"$T/nothing\".p10_us"
}

row_helper() {
	"$B/spawn" compare "$ROUNDS" "$T/request" "$T/nothing" "$HELPER" >"$T/helper.json"
	row 'gltoken-auth, warm' 'a static program that does nothing' "$(beside_nothing <"$T/helper.json")" '<=' 1.6 x
}

row_pam() {
	echo bob:hunter2-hunter2 | chpasswd
	# shellcheck disable=SC2016 # the mark of yescrypt
	getent shadow bob | grep -qF ':$y$' || wrong "bob's password is no yescrypt"
	local s
	for s in permit unix; do printf 'auth required pam_%s.so\n' $s >"/etc/pam.d/bench-$s"; done
	printf 'auth required pam_gltoken.so services=bench-gltoken\n' >/etc/pam.d/bench-gltoken
	install -m 600 /dev/null "$T/secrets"
	printf '%s\nhunter2-hunter2\n' "$WARM" >"$T/secrets"
	"$B/pam" "$((HASHES * 2))" bob "$T/secrets" "$T/nothing" >"$T/pam.json"
	local j=$T/pam.json
	row 'pam_authenticate, warm: times faster' 'pam_unix with yescrypt' \
		"$(ratio '.unix.median_us / .warm.median_us' <"$j")" '>=' 15 x
	row 'pam_authenticate, warm' 'pam_permit and one start' "$(ratio .warm.ratio <"$j")" '<=' 1.3 x
	if [ -s "$T/hash.json" ]; then
		row 'pam_authenticate, cold' 'raw libargon2 and one start' \
			"$(jq -n --slurpfile p "$j" --slurpfile h "$T/hash.json" \
				'$p[0].cold.median_us / ($h[0].raw.median_us + $p[0].permit.median_us)' | ratio .)" '<=' 1.1 x
	fi
	row 'pam_authenticate, cold' 'pam_unix with yescrypt' "$(ratio '.cold.median_us / .unix.median_us' <"$j")" '<=' 1 x
	by_service
	row 'pam_authenticate, warm, by gltoken-auth.service' 'pam_permit and one start' \
		"$(ratio .warm.ratio <"$T/service.json")" '<=' 1.3 x
}

# The same once more, answered by one process that forks. With it gone, the helper is started again.
by_service() {
	local pid
	setsid "$HELPER" --listen >/dev/null 2>&1 </dev/null &
	pid=$!
	await test -S /run/gltoken-auth.sock
	"$B/pam" "$HASHES" bob "$T/secrets" "$T/nothing" >"$T/service.json"
	kill "$pid"
	wait "$pid" || true
	rm -f /run/gltoken-auth.sock
}

# Microseconds of a command, which must succeed.
elapsed() {
	local from=${EPOCHREALTIME/./}
	"$@" >/dev/null || wrong "$*"
	echo $((${EPOCHREALTIME/./} - from))
}

median() {
	sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

row_ssh() {
	local key
	key=$(new_key)
	gltoken key add alice "$key.pub" >/dev/null 2>&1
	for _ in $(seq 0 "$LOGINS"); do
		client publickey "$key"
		elapsed ssh_ git@host whoami >>"$T/ssh.key"
		client password "$WARM"
		elapsed ssh_ git@host whoami >>"$T/ssh.token"
	done
	# the first of each warms up
	paste "$T/ssh.key" "$T/ssh.token" | tail -n +2 | awk '{ print $2 / $1 }' | median >"$T/ssh"
	row 'SSH login, warm' 'public key, same sshd' "$(ratio . <"$T/ssh")" '<=' 1.15 x
}

row_bulk() {
	local us
	"$B/hash" "$HASHES" >"$T/before.json"
	us=$(elapsed gltoken issue --user carol --scope read_repository --name bulk --count "$BULK" --output "$T/bulk.csv" 2>/dev/null)
	"$B/hash" "$HASHES" >"$T/after.json" # what else the machine does changes
	row "bulk issue on $(nproc) CPUs" "$(nproc) x raw libargon2" \
		"$(jq -s --argjson us "$us" --argjson n "$BULK" --argjson cpus "$(nproc)" \
			'$n / $us / ($cpus / ((.[0].raw.median_us + .[1].raw.median_us) / 2))' "$T/before.json" "$T/after.json" |
			ratio .)" '>=' 0.9 x
	[ "$(tail -n +2 "$T/bulk.csv" | wc -l)" = "$BULK" ] || wrong "bulk issue made $(wc -l <"$T/bulk.csv") lines"
}

row_burst() {
	local token n=0 slots busy
	mkdir -p "$T/burst"
	rm -f "$T/burst.csv"
	gltoken issue --user dave --scope read_repository --name burst --count "$BURST" --output "$T/burst.csv" 2>/dev/null
	while IFS=, read -r _ _ _ token; do
		n=$((n + 1))
		request "$token" >"$T/burst/$n"
	done < <(tail -n +2 "$T/burst.csv")
	slots=$(gltoken stats --quick --json | jq .slots)
	busy=$(gltoken stats --quick --json | jq '.answers.busy // 0')
	"$B/spawn" burst "$T/burst" "$HELPER" >"$T/burst.json"
	busy=$(($(gltoken stats --quick --json | jq '.answers.busy // 0') - busy))
	row "$BURST cold verifications at once, memory" "$slots slots x 19 MiB + $BURST x 3 MiB" \
		"$(jq --argjson slots "$slots" '.peak_kib / ($slots * 19456 + .requests * 3072)' "$T/burst.json" | ratio .)" \
		'<=' 1 x
	# who waited longer than [hash] wait was told so
	[ $(($(jq .allowed "$T/burst.json") + busy)) = "$BURST" ] ||
		wrong "of $BURST cold verifications $busy were told busy, and: $(cat "$T/burst.json")"
}

row_flood() {
	local before now
	before=$(hashes)
	"$B/spawn" flood "$FLOOD" 4 junk "$HELPER" >"$T/flood.json"
	[ "$(jq .allowed "$T/flood.json")" = 0 ] || wrong "junk was allowed: $(cat "$T/flood.json")"
	now=$(hashes)
	row "$FLOOD junk tokens: hashes" - $((now - before)) '<=' 2 ''
	[ $((now - before)) -le 2 ] || wrong "junk cost $((now - before)) hashes"
	before=$now
	"$B/spawn" flood "$FLOOD" 4 "$WARM" "$HELPER" >"$T/flood.json"
	[ "$(jq .allowed "$T/flood.json")" = 0 ] || wrong "a wrong secret was allowed: $(cat "$T/flood.json")"
	now=$(hashes)
	row "$FLOOD wrong secrets of one selector: hashes" - $((now - before)) '<=' 8 ''
	[ $((now - before)) -le 8 ] || wrong "wrong secrets cost $((now - before)) hashes"
}

row_beside() {
	"$HELPER" <"$T/request" >/dev/null
	"$B/spawn" beside "$BESIDE" "$T/request" "$WARM" "$HELPER" >"$T/beside.json"
	row 'warm, p99 beside 4 floods' 'quiet' "$(ratio .ratio <"$T/beside.json")" '<=' 3 x
}

# ---- what grows with the store ----

FILTERS=('' '--state revoked' '--type deploy' '--user user000001' '--project group1/project0001' '--expires-within 30d'
	'--scope write_repository' '--scope self_rotate' '--state expired' '--sort id --after 100')

row_scale() {
	local n have bytes filter us from
	for n in "${SIZES[@]}"; do
		from=$SECONDS
		have=$(gltoken stats --quick --json | jq .entries.tokens)
		bytes=$(as_store "$B/fill" /var/lib/gltoken/store $((n - have)) "$n")
		echo "  $n tokens: filled in $((SECONDS - from)) s" >&2
		"$HELPER" <"$T/request" | grep -qx verdict=allow || wrong "the token is denied at $n"
		"$B/spawn" compare "$((ROUNDS / 2))" "$T/request" "$T/nothing" "$HELPER" >"$T/scale.json"
		us=$(jq ".\"$HELPER\".p10_us" "$T/scale.json")
		printf '%s %s %s %s\n' "$n" "$us" "$(beside_nothing <"$T/scale.json")" "$bytes" >>"$T/scale"
		if wanted list; then
			for filter in "${FILTERS[@]}"; do
				for _ in {1..9}; do
					# shellcheck disable=SC2086 # words of a filter
					elapsed gltoken list $filter --limit 20 --json
				done | sort -n | sed "1!d; s|^|$n |; s|\$| ${filter:-all}|" >>"$T/lists" # the least, as above
			done
		fi
		report
	done
}

row_list() {
	: # with each size of scale
}

# Of the sizes that were reached.
rows_of_scale() {
	local n small at bytes
	read -r small _ at _ <"$T/scale"
	n=$(tail -n 1 "$T/scale" | cut -d' ' -f1)
	row "warm check at $n tokens" "at $small" "$(awk -v a="$at" 'END { print $3 / a }' "$T/scale" | ratio .)" '<=' 1.2 x
	row "gltoken-auth, warm, at $n tokens" 'a static program that does nothing' \
		"$(tail -n 1 "$T/scale" | cut -d' ' -f3)" '<=' 1.6 x
	read -r n bytes < <(awk '$1 <= 1000000 { n = $1; b = $4 } END { print n, b }' "$T/scale")
	row "a token with indexes and audit at $n" - "$bytes" '<=' 450 B
}

rows_of_list() {
	local n small slowest
	n=$(tail -n 1 "$T/lists" | cut -d' ' -f1)
	small=$(head -n 1 "$T/lists" | cut -d' ' -f1)
	slowest=$(awk -v n="$n" '$1 == n { print $2, $0 }' "$T/lists" | sort -n | tail -n 1 | cut -d' ' -f4-)
	row "first page of any filter at $n (slowest: $slowest)" "at $small" \
		"$(awk -v n="$n" -v s="$small" '{ k = $0; sub(/^[0-9]+ [0-9]+ /, "", k); t[k, $1] = $2; f[k] = 1 }
			END { for (k in f) { r = t[k, n] / t[k, s]; if (r > m) m = r }; print m }' "$T/lists" | ratio .)" '<=' 2 x
	row "first page of any filter at $n" - \
		"$(awk -v n="$n" '$1 == n && $2 > m { m = $2 } END { print m / 1000 }' "$T/lists" | ratio .)" '<=' 20 ms
}

# Seconds of a command, which must succeed: as they pass, and of all CPUs.
seconds() {
	local TIMEFORMAT='%R %U %S'
	{ time "$@" >/dev/null 2>"$T/said" || wrong "$*: $(head -c 1000 "$T/said")"; } 2>&1 | awk '{ c = $2 + $3; print ($1 > 0 ? $1 : 0.001), (c > 0 ? c : 0.001) }'
}

# Another store's tokens, and the same data by LMDB's own loader.
row_import() {
	local ours ours_cpu theirs theirs_cpu store=/var/lib/gltoken/store
	command -v mdb_load >/dev/null || return 0
	mv "$store" "$store.full"
	gltoken init 2>/dev/null
	as_store "$B/fill" "$store" "$IMPORT" 7 >/dev/null
	gltoken export >"$T/export"
	as_store mdb_dump -n -a "$store/store.mdb" >"$T/dump"
	rm -rf "$store"
	gltoken init 2>/dev/null
	read -r ours ours_cpu < <(seconds gltoken import "$T/export")
	[ "$(gltoken stats --quick --json | jq .entries.tokens)" -ge "$IMPORT" ] || wrong "import left tokens out"
	read -r theirs theirs_cpu < <(seconds mdb_load -n -f "$T/dump" "$T/loaded.mdb")
	row "import of $IMPORT tokens" 'mdb_load of the same' "$(jq -n "$ours / $theirs" | ratio .)" '<=' 3 x
	row "import of $IMPORT tokens, CPU time" 'mdb_load of the same' "$(jq -n "$ours_cpu / $theirs_cpu" | ratio .)" '<=' 3 x
	rm -rf "$store" "$T/loaded.mdb"* "$T/dump" "$T/export"
	mv "$store.full" "$store"
}

# ---- what is handed out ----

plot() { # FILE TITLE UNIT DATA (with: X Y)
	if ! command -v gnuplot >/dev/null || [ "$(wc -l <"$4")" -lt 2 ]; then return 0; fi
	gnuplot <<-END
		set terminal svg size 640,400 font "sans,12"
		set output "$1"
		set title "$2"
		set logscale x 10
		set yrange [0:*]
		set grid
		set xlabel "tokens"
		set ylabel "$3"
		unset key
		plot "$4" using 1:2 with linespoints lw 2 pt 7
	END
}

# Anew after each part: what was measured stays when a run is broken off.
report() {
	local ROWS=$T/all
	touch "$T/rows"
	cp "$T/rows" "$ROWS"
	if [ -s "$T/scale" ]; then
		rows_of_scale
		plot "$OUT/check.svg" 'a warm check, start of the helper included' microseconds "$T/scale"
		awk '{ print $1, $4 }' "$T/scale" >"$T/bytes"
		plot "$OUT/bytes.svg" 'a token with all indexes and its audit event' bytes "$T/bytes"
	fi
	if [ -s "$T/lists" ]; then
		rows_of_list
		awk '$2 > m[$1] { m[$1] = $2 } END { for (n in m) print n, m[n] / 1000 }' "$T/lists" | sort -n >"$T/pages"
		plot "$OUT/list.svg" 'the slowest first page of gltoken list' milliseconds "$T/pages"
	fi
	jq -Rn --arg cpu "$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)" --argjson cpus "$(nproc)" \
		--arg kernel "$(uname -r)" --arg load "$(cut -d' ' -f1-3 /proc/loadavg)" '
		[inputs | split("\t") | {what: .[0], against: .[1], value: (.[2] | tonumber), sense: .[3],
			target: (.[4] | tonumber), unit: .[5]}
		| . + {met: (if .sense == "<=" then .value <= .target else .value >= .target end)}]
		| {cpu: $cpu, cpus: $cpus, kernel: $kernel, load_average: $load, rows: .}' <"$ROWS" >"$OUT/result.json"
	jq -r '(["what", "against", "got", "target", ""]),
		(.rows[] | [.what, .against, "\(.value) \(.unit)", "\(.sense) \(.target)", (if .met then "" else "missed" end)])
		| @tsv' "$OUT/result.json" | column -t -s "$(printf '\t')" >"$OUT/table.txt"
}
