#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What the admin CLI does for a person: colours, widths, distances, questions, suggestions, completion in three shells.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

setup() {
	syslog_start "$E2E_DEVLOG"
	useradd -m alice
	useradd -m bob
	gltoken init
	gltoken issue --user alice --name laptop --scope read_repository --expires 3d >/dev/null
	gltoken issue --user alice --name 'odd "name' --scope read_repository,write_repository,self_rotate --expires 90d >/dev/null
	gltoken issue --user bob --name old --scope read_repository >/dev/null
	gltoken revoke bob/old
}

# At a terminal of its own; what is typed comes from stdin.
at_terminal() { # COMMAND
	run script -qec "stty cols ${COLUMNS_:-100}; $1" /dev/null
	[ "$RC" = 0 ] || fail "$(outcome)"
	tr -d '\r' <"$T/out" >"$T/clean"
	mv "$T/clean" "$T/out"
}

ESC=$'\e'

test_colours() {
	at_terminal 'TERM=xterm gltoken list --state all'
	says "${ESC}\[32mactive +$ESC\[0m"
	says "${ESC}\[31mrevoked *$ESC\[0m"
	says "${ESC}\[33m20[0-9-]+, in [23] days$ESC\[0m"
	at_terminal 'TERM=xterm NO_COLOR= gltoken list'
	says "${ESC}\["
	at_terminal 'TERM=xterm NO_COLOR=1 gltoken list'
	hides "$ESC"
	at_terminal 'TERM=dumb gltoken list'
	hides "$ESC"
	TERM=xterm ok gltoken list
	hides "$ESC"
	at_terminal 'TERM=xterm gltoken list --json; TERM=xterm gltoken list --csv; TERM=xterm gltoken list --raw'
	hides "$ESC"
}

test_distances_at_a_terminal_only() {
	at_terminal 'TERM=dumb gltoken list'
	says 'active 20[0-9]{2}-[0-9]{2}-[0-9]{2}, in [23] days$'
	says 'in 2 months$'
	at_terminal 'TERM=dumb gltoken show alice/laptop'
	says '^expires +20[0-9-]+ [0-9:]+ UTC \(in [23] days\)$'
	says '^created +20[0-9-]+ [0-9:]+ UTC \((now|[0-9]+ (second|minute)s? ago)\)$'
	ok gltoken list
	says 'active 20[0-9-]+ [0-9]{2}:[0-9]{2} UTC$'
	ok gltoken show alice/laptop
	hides '\(in '
	at_terminal 'TERM=dumb gltoken audit list'
	says ' 20[0-9-]+ [0-9]{2}:[0-9]{2} UTC '
}

test_fits_the_width() {
	local width
	for width in 70 90 120; do
		COLUMNS_=$width at_terminal 'TERM=dumb gltoken list --state all'
		[ "$(wc -L <"$T/out")" -le "$width" ] || fail "wider than $width: $(outcome)"
	done
	says 'read_repository,write_repository,self_rotate'
	# What is cut says so: half a scope would pass for another one.
	COLUMNS_=70 at_terminal 'TERM=dumb LC_ALL=C.UTF-8 gltoken list --state all'
	says ' read_[a-z_,]*… '
	COLUMNS_=70 at_terminal 'TERM=dumb LC_ALL=C gltoken list --state all'
	says ' read_[a-z_,]*~ '
	hides '…'
	ok gltoken issue --user alice --name '日本語のとても長い名前のトークンである' --scope api
	COLUMNS_=70 at_terminal 'TERM=dumb LC_ALL=C.UTF-8 gltoken list --state all'
	says ' 日本[^ ]*… '
	[ "$(wc -L <"$T/out")" -le 70 ] || fail "wider than 70: $(outcome)"
	ok gltoken revoke alice/日本語のとても長い名前のトークンである
}

test_suggestions() {
	rc 2 gltoken isue
	says "did you mean 'issue'"
	rc 2 gltoken member ste
	says "did you mean 'set'"
	rc 2 gltoken list --scop read_api --sorted id
	says "did you mean '--sort'"
	rc 2 gltoken issue --user alice --name x --scope read_repositry
	says "^Did you mean 'read_repository'\?$"
	rc 2 gltoken list --scope write_repo
	says "^Did you mean 'write_repository'\?$"
	rc 2 gltoken scope 1 --add self-rotate
	says "^Did you mean 'self_rotate'\?$"
	rc 2 gltoken list --scope xyz
	hides 'Did you mean'
	# Known, but not for that type: there is nothing to suggest.
	rc 2 gltoken issue --deploy demo --name x --scope self_rotate
	hides 'Did you mean'
}

test_asks_before_many_are_revoked() {
	local i
	useradd -m many
	for i in 1 2 3; do new_token --user many --scope read_repository; done
	INPUT=$'n\n' run script -qE never -ec 'gltoken revoke --user many' /dev/null
	[ "$RC" = 1 ] || fail "$(outcome)"
	says 'Revoke 3 tokens, for good\? \[y/N\]'
	says 'nothing was revoked'
	INPUT=$'\n' run script -qE never -ec 'gltoken revoke --user many' /dev/null
	[ "$(gltoken list --user many --json | jq length)" = 3 ] || fail 'they are gone'
	INPUT=$'y\n' run script -qE never -ec 'gltoken revoke --user many' /dev/null
	says '3 revoked'
	for i in 1 2 3; do new_token --user many --scope read_repository; done
	at_terminal 'gltoken revoke --user many --yes'
	hides 'y/N'
	says '3 revoked'
	new_token --user many --scope read_repository
	at_terminal "gltoken revoke $ID"
	hides 'y/N'
	# A script is never asked.
	for i in 1 2; do new_token --user many --scope read_repository; done
	ok gltoken revoke --user many
	says '2 revoked'
}

# ---- completion ----

by_bash() { # LINE
	# shellcheck disable=SC2016 # for the other shell
	ok bash -c '. /usr/share/bash-completion/completions/gltoken; read -ra COMP_WORDS <<<"$1"; [[ $1 != *" " ]] || COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _gltoken; printf "%s\n" "${COMPREPLY[@]}"' x "$1"
}

by_fish() { # LINE
	ok env HOME="$T" fish --no-config -c "source /usr/share/fish/vendor_completions.d/gltoken.fish; complete -C '$1'"
	cut -f1 "$T/out" >"$T/words"
	mv "$T/words" "$T/out"
}

# zsh completes at a line editor only; a tab lists what there is, which is read from its screen. The key behind the tab
# says that the listing is over.
by_zsh() { # LINE
	cat >"$T/drive.zsh" <<-'END'
		zmodload zsh/zpty
		zpty z 'HOME=$T TERM=vt100 zsh -f -i'
		zpty -w z 'stty cols 200 rows 500; PS1=; fpath=(/usr/share/zsh/site-functions $fpath); autoload -Uz compinit; compinit -u -D'
		zpty -w z 'LISTMAX=1000; unsetopt beep; zle_highlight=(none); zstyle ":completion:*" list-separator "#"; bindkey "^I" list-choices; fin() { print -r -- FIN""ISHED }; zle -N fin; bindkey "^T" fin; echo REA""DY'
		zpty -r -m z out '*READY*'
		zpty -w -n z "$1"$'\t\C-t'
		zpty -r -m z out '*FINISHED*'
		print -rn -- $out
		zpty -d z
	END
	export T
	LIMIT=40 ok zsh -f "$T/drive.zsh" "$1"
	tr -d '\r' <"$T/out" | sed "s/$ESC\[[0-9;?]*[A-Za-z]//g" | tr -s ' #' '\n' >"$T/words"
	mv "$T/words" "$T/out"
}

offers() { # WORD...
	local w
	for w; do grep -qxF -- "$w" "$T/out" || fail "no $w: $(outcome)"; done
}

completes_all() { # SHELL
	"by_$1" 'gltoken '
	offers issue list revoke report member config
	"by_$1" 'gltoken member '
	offers set remove list
	"by_$1" 'gltoken revoke --'
	offers --user --reason --dry-run --yes --help
	"by_$1" 'gltoken list --state '
	offers active inactive revoked expired all
	"by_$1" 'gltoken revoke '
	offers 1 2
	no grep -qx 3 "$T/out"
	"by_$1" 'gltoken show '
	offers 1 2 3
	"by_$1" 'gltoken explain --id '
	offers 1 3
}

test_bash() {
	completes_all bash
	by_bash 'gltoken revoke alice/'
	[ "$(cat "$T/out")" = alice/laptop ] || fail "only names that need no quotes: $(outcome)"
	# Who may not list is told nothing, and not that it was refused.
	# shellcheck disable=SC2016 # for the other shell
	ok as_dev bash -c '. /usr/share/bash-completion/completions/gltoken; COMP_WORDS=(gltoken show ""); COMP_CWORD=2; _gltoken; echo "[${COMPREPLY[*]}]"'
	[ "$(cat "$T/out" "$T/err")" = '[]' ] || fail "$(outcome)"
}

test_fish() {
	completes_all fish
	by_fish 'gltoken issue --scope read_api,read_rep'
	offers read_api,read_repository
}

test_zsh() {
	completes_all zsh
}

e2e_main "$@"
