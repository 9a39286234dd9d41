#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gltoken report: the page in a real browser, hostile names, and the same numbers as JSON and CSV.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
# shellcheck source=tests/lib/demo.sh
. "$E2E_LIB/demo.sh"

# What would run or load if it were let: each leaves a trace in the DOM.
HOSTILE=(
	'<script>document.title="ran"</script>'
	'"><img src=x onerror="document.title=1">'
	"'><svg onload=document.title='ran'>"
	'</td></table></svg></title><script>document.title="ran"</script>'
	'&lt;b&gt; & <b>'
	'javascript:document.title=1'
)

setup() {
	syslog_start "$E2E_DEVLOG"
	{
		demo_people
		demo_tokens
	} >/dev/null 2>"$E2E_DIR/demo.err" || { cat "$E2E_DIR/demo.err"; return 1; }
	local name
	for name in "${HOSTILE[@]}"; do
		demo_ago 200 gltoken issue --project demo/hello --role developer --scope api --name "$name" --expires 210d \
			--description "$name" >/dev/null
	done
	sed -i 's/^#max_lifetime = .*/max_lifetime = 300d/' /etc/gltoken/gltoken.conf
	gltoken report "$E2E_DIR/report.html"
	gltoken report --json >"$E2E_DIR/report.json"
	chmod 644 "$E2E_DIR/report.html"
}

# The page as a browser has it after all that could run has run.
browse() { # FILE [OPTION]...
	command -v chromium >/dev/null || { echo 'left out: there is no chromium here'; exit 0; }
	LIMIT=90 ok as_dev chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage "${@:2}" \
		--virtual-time-budget=2000 --dump-dom "file://$1"
}

number() { # JQ
	jq -r "$1" "$E2E_DIR/report.json"
}

test_numbers_are_those_of_list() {
	local type
	for type in personal project group deploy; do
		[ "$(number ".by_type[] | select(.type == \"$type\").active")" = \
			"$(gltoken list --type $type --json | jq length)" ] || fail "$type"
	done
	[ "$(number '[.by_state[].tokens] | add')" = "$(gltoken list --state all --json | jq length)" ] || fail 'by state'
	[ "$(number '.by_scope[] | select(.scope == "self_rotate").tokens')" = \
		"$(gltoken list --scope self_rotate --json | jq length)" ] || fail 'by scope'
	[ "$(number '[.by_expiry[:2][].tokens] | add')" = "$(gltoken list --expires-within 30d --json | jq length)" ] ||
		fail 'by expiry'
	[ "$(number '[.expiry_calendar[].tokens] | add')" = "$(gltoken list --expires-within 365d --json | jq length)" ] ||
		fail 'calendar'
	[ "$(number '.answers[] | select(.reason == "unknown_token").requests')" = 3 ] || fail "$(number .answers)"
	[ "$(number '.answers[] | select(.reason == "ok").requests')" = "$(gltoken stats --quick --json | jq .answers.ok)" ] ||
		fail "$(number .answers)"
	[ "$(number '[.activity[] | .revoked] | add')" = 3 ] || fail "revoked lately: $(number '.activity[] | select(.revoked > 0)')"
	[ "$(number '.by_last_use[] | select(.last_use == "never").tokens')" = \
		"$(gltoken list --json | jq 'map(select(.last_used_at == null)) | length')" ] || fail 'never used'
}

test_findings() {
	[ "$(number '.over_privileged[] | select(.name == "provisioning").why')" = 'scopes beyond Git: api; role owner' ] ||
		fail "$(number .over_privileged)"
	[ "$(number '.over_privileged[] | select(.name == "pipeline").why')" = \
		'may write by scope, but its role pushes nowhere' ] || fail "$(number .over_privileged)"
	[ "$(number '.unused[] | select(.name == "provisioning").last_used')" = never ] || fail "$(number .unused)"
	[ "$(number '[.unused[] | select(.name == "production")] | length')" = 0 ] || fail 'used today'
	[ "$(number '.violations_by_rule[] | select(.rule == "max_lifetime").tokens')" -gt 2 ] || fail "$(number .violations)"
	[ "$(number '.violations | length')" = "$(gltoken policy check --json | jq length)" ] || fail 'policy check differs'
	[ "$(number '[.pushers[] | select(.path == "web/shop").who] | join(" ")')" = 'bob kiosk pipeline' ] ||
		fail "$(number .pushers)"
	[ "$(number '[.pushers[] | select(.path == "research").who] | join(" ")')" = frank ] || fail "$(number .pushers)"
}

test_csv_has_the_same() {
	ok gltoken report --csv
	tr -d '\r' <"$T/out" | head -n 1 | grep -qx 'section,row,field,value' || fail "$(outcome)"
	jq -r 'to_entries[] | select(.value | type == "array") | .key as $s | .value | to_entries[] |
		(.key + 1) as $row | .value | to_entries[] | [$s, ($row | tostring), .key, (.value // "" | tostring)] |
		map(if test("[,\"\n]") then "\"" + gsub("\""; "\"\"") + "\"" else . end) | join(",")' \
		"$E2E_DIR/report.json" >"$T/want"
	tr -d '\r' <"$T/out" | sed 1d | diff "$T/want" - >"$T/diff" || fail "$(head "$T/diff")"
}

# Each row of each table, as JSON has it; a day without any change stands in the picture alone.
test_page_has_the_same() {
	jq -r 'to_entries[] | select(.value | type == "array") | .key as $s | .value[] |
		select($s != "activity" or ([.[] | numbers] | add) > 0) |
		"<tr>" + ([.[] | if type == "number" then "<td class=\"n\">\(.)</td>" else "<td>\(. // "" | @html)</td>" end] |
		join("")) + "</tr>"' "$E2E_DIR/report.json" | sed "s/&apos;/\&#39;/g" | sort >"$T/want"
	[ "$(wc -l <"$T/want")" -gt 80 ] || fail 'too few rows'
	grep '^<tr><td' "$E2E_DIR/report.html" | sort | diff "$T/want" - >"$T/diff" || fail "$(head "$T/diff")"
}

test_nothing_is_loaded() {
	local page=$E2E_DIR/report.html
	no grep -Eiq '<[^>]* (src|srcset|href)="?[^#"]|url\(|@import|<(link|script|iframe|object|embed|img|form|base)' "$page"
	[ "$(grep -oE 'https?://[^"]*' "$page" | sort -u)" = http://www.w3.org/2000/svg ] || fail 'an address'
	grep -q "default-src 'none'" "$page" || fail 'no policy of its own'
}

# The policy of the page is a second wall: the names must be harmless without it.
test_hostile_names_do_not_run() {
	local page
	sed '/Content-Security-Policy/,/>$/d' "$E2E_DIR/report.html" >"$T/open.html"
	no grep -q "default-src" "$T/open.html"
	for page in "$E2E_DIR/report.html" "$T/open.html"; do
		browse "$page"
		says '<title>Access tokens of '
		hides '<title>(ran|1)'
		hides '<(script|img|iframe)'
		hides '<[^>]* on(load|error)='
		[ "$(grep -o '<svg' "$T/out" | wc -l)" = "$(grep -o '<svg role' "$E2E_DIR/report.html" | wc -l)" ] || fail 'a picture too many'
	done
	grep -Fq '&lt;script&gt;document.title=&quot;ran&quot;&lt;/script&gt;' "$E2E_DIR/report.html" || fail 'the name is not there'
}

# Measured where it is drawn.
test_each_chart_is_drawn() {
	local id
	{
		sed '/Content-Security-Policy/,/>$/d; s,</body></html>,,' "$E2E_DIR/report.html"
		cat <<'END'
<script>
for (const s of document.querySelectorAll("svg.chart")) {
	const drawn = [...s.querySelectorAll("rect")].filter(r => r.getBoundingClientRect().width > 1 && r.getBBox().height > 0);
	const named = s.getAttribute("aria-labelledby").split(" ").map(i => document.getElementById(i).textContent);
	s.dataset.drawn = `${s.id} rects=${drawn.length} inside=${drawn.every(r => r.getBBox().x >= 0 &&
		r.getBBox().x + r.getBBox().width <= s.viewBox.baseVal.width)} said=${named.every(t => t.length > 3)} table=${
		!!s.parentElement.querySelector("table caption, table th[scope=col]")}`;
}
document.body.dataset.theme = getComputedStyle(document.body).backgroundColor + " scroll=" +
	(document.documentElement.scrollWidth > innerWidth);
</script></body></html>
END
	} >"$T/probe.html"
	chmod 644 "$T/probe.html"
	browse "$T/probe.html" --blink-settings=preferredColorScheme=1
	says 'data-theme="rgb\(255, 255, 255\) scroll=false"'
	for id in by_type by_state by_scope by_age by_expiry by_last_use expiry_calendar activity answers pushers_by_path violations_by_rule; do
		says "data-drawn=\"chart-$id rects=[1-9][0-9]* inside=true said=true table=true\""
	done
	browse "$T/probe.html" --blink-settings=preferredColorScheme=0 --window-size=400,800
	says 'data-theme="rgb\(18, 22, 28\) scroll=false"'
}

test_file_is_replaced_in_one_step() {
	local dir=$T/dir
	mkdir -m 700 "$dir"
	ok gltoken report "$dir/r.html"
	[ "$(stat -c '%a %U' "$dir/r.html")" = '600 root' ] || fail "$(stat "$dir/r.html")"
	[ ! -s "$T/out" ] || fail 'it was printed as well'
	echo old >"$dir/r.html"
	ok gltoken report --csv "$dir/r.html"
	head -n 1 "$dir/r.html" | grep -q '^section,' || fail 'not replaced'
	[ "$(ls "$dir")" = r.html ] || fail "$(ls "$dir")"
	ln -s r.html "$dir/link"
	rc 1 gltoken report "$dir/link"
	says 'no regular file'
	rc 3 gltoken report "$T/absent/r.html"
	says 'No such file'
	rc 2 gltoken report a b
	rc 3 as_dev gltoken report
	says 'only root may use the store'
	ok gltoken report
	says '</html>'
}

test_no_room_for_it() {
	rc 3 sh -c 'gltoken report >/dev/full'
	says 'cannot write the output: No space left'
}

# The pictures of the README, as tests/screenshots makes them. Last, for they leave faults behind.
test_pictures_for_the_readme() {
	local p
	mkdir "$T/made"
	ok bash "$E2E_LIB/../screenshots" --inside "$T/made"
	chmod -R a+rX "$T/made"
	for p in list doctor report; do
		browse "$T/made/$p.svg"
		says '</svg>'
		hides 'parsererror|errors:|http-equiv'
		[ "$(stat -c %s "$T/made/$p.svg")" -lt 65536 ] || fail "too large a picture"
	done
	grep -q '<tspan class="g">active' "$T/made/list.svg" || fail 'no colours'
	[ "$(grep -c '<svg class="chart"' "$T/made/report.svg")" = 4 ] || fail 'charts are missing'
}

e2e_main "$@"
