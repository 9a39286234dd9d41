# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What gltoken-setup changes, so that it can be taken back: files, links and services, each in a journal before it is
# done. gltoken-setup sets $state (the journal's folder), $work (a folder that goes with it), $dry and $web.

: "${state:?}" "${work:?}" "${dry:?}" "${web=}"

# ---- the journal: what stood there is kept first, and what was written is known by its hash ----

hash_of() {
	if [ -h "$1" ]; then
		echo "link:$(readlink "$1")"
	elif [ -e "$1" ]; then
		sha256sum <"$1" | cut -d' ' -f1
	else
		echo absent
	fi
}

lines() {
	if [ -f "$state/journal" ]; then grep -c . "$state/journal" || true; else echo 0; fi
}

record() { # WHAT ARGUMENT: what is about to be done, and undo must undo
	[ -d "$state" ] || mkdir -m 700 "$state"
	printf '%s\t%s\n' "$1" "$2" >>"$state/journal"
	sync -f "$state" 2>/dev/null || true
}

# Write standard input to FILE, as another program sees it: all or nothing.
put() { # FILE
	local file=$1 new=$work/new n
	cat >"$new"
	if [ -f "$file" ] && cmp -s "$new" "$file"; then return; fi
	did "$([ -e "$file" ] && echo change || echo write)" "$file"
	if [ "$dry" = yes ]; then return; fi
	if [ ! -d "${file%/*}" ]; then
		record folder "${file%/*}"
		mkdir "${file%/*}"
	fi
	n=$(($(lines) + 1))
	[ -d "$state" ] || mkdir -m 700 "$state"
	rm -f "$state/$n.was"
	hash_of "$new" >"$state/$n.wrote"
	hash_of "$file" >"$state/$n.before"
	if [ -e "$file" ]; then cp -a "$file" "$state/$n.was"; fi
	record file "$file"
	if [ -e "$file" ]; then cp -a "$file" "$file.gltoken-new"; else install -m 644 /dev/null "$file.gltoken-new"; fi
	cat "$new" >"$file.gltoken-new"
	mv -f "$file.gltoken-new" "$file"
}

put_link() { # TARGET LINK
	if [ "$(readlink "$2" || true)" = "$1" ]; then return; fi
	did link "$2" " -> $1"
	if [ "$dry" = yes ]; then return; fi
	[ ! -e "$2" ] || die "$2 is in the way"
	record link "$2"
	ln -s "$1" "$2"
}

# One file as it was. False: somebody else has changed it since, and it stays.
put_back() { # FILE NUMBER
	local file=$1 was=$state/$2.was before now
	rm -f "$file.gltoken-new"
	now=$(hash_of "$file")
	before=$(cat "$state/$2.before" 2>/dev/null || hash_of "$was")
	# As it was: never written, or put back by somebody who was killed then.
	if [ "$now" = "$before" ]; then return 0; fi
	if [ "$now" != "$(cat "$state/$2.wrote")" ]; then
		noted keep "$file"
		say "  $file was changed since and stays as it is$([ ! -e "$was" ] || echo "; before setup it was as $was is")"
		return 1
	fi
	noted "$([ -e "$was" ] && echo restore || echo remove)" "$file"
	if [ -e "$was" ]; then
		cp -a "$was" "$file.gltoken-new"
		mv -f "$file.gltoken-new" "$file"
	else
		rm -f "$file"
	fi
}

# Everything in the journal after line FROM, newest first. What somebody has changed since stays in it, with what was
# there before: no later setup takes its number, and a later undo looks again.
take_back() { # FROM
	local n what arg left='' folders='' reload=() again=()
	for ((n = $(lines); n > $1; n--)); do
		IFS=$'\t' read -r what arg < <(sed -n "${n}p" "$state/journal")
		case $what in
		start)
			noted stop "$arg"
			stop_service "$arg"
			again=("${again[@]/#"$arg "*/}")
			;;
		again) again+=("$arg") ;; # with what its files say then
		trial) drop_trial "$arg" ;;
		process) pkill -f -- "-f $arg " 2>/dev/null || true ;;
		reload) reload+=("$arg") ;;
		link)
			noted unlink "$arg"
			rm -f "$arg"
			;;
		folder) rmdir "$arg" 2>/dev/null || folders+=" $n " ;;
		file) put_back "$arg" "$n" || left+=" $n " ;;
		esac
	done
	if [ $systemd = yes ]; then systemctl daemon-reload || true; fi
	for arg in ${reload[@]+"${reload[@]}"}; do reload_service "$arg" || say "  reload $arg yourself"; done
	for arg in ${again[@]+"${again[@]}"}; do
		[ -n "$arg" ] || continue
		noted restart "${arg%% *}"
		# shellcheck disable=SC2086 # a name and a command, as it was recorded
		restart_service $arg || say "  restart ${arg%% *} yourself"
	done
	if [ -n "$left" ]; then
		awk -v from="$1" -v left="$left$folders" 'NR > from && !index(left, " " NR " ") { $0 = "done\t-" } { print }' \
			"$state/journal" >"$state/journal.new"
		mv "$state/journal.new" "$state/journal"
	elif [ "$1" -gt 0 ]; then
		sed -i "$(($1 + 1)),\$d" "$state/journal"
	else
		rm -rf "$state"
	fi
	[ -z "$left" ]
}

# ---- services, with systemd or without ----

systemd=no
if [ -d /run/systemd/system ]; then systemd=yes; fi

is_running() { # NAME
	if [ $systemd = yes ]; then
		systemctl -q is-active "$1" && systemctl -q is-enabled "$1"
	else
		[ -s "/run/$1.pid" ] && kill -0 "$(cat "/run/$1.pid")" 2>/dev/null
	fi
}

# Its command is for where there is no systemd, and it does not run: sshd starts itself anew, and what spawn-fcgi has
# started is the same program as before.
restart_service() { # NAME COMMAND...
	if [ $systemd = yes ]; then
		systemctl daemon-reload && timeout 60 systemctl restart "$1"
	elif ! is_running "$1"; then
		"${@:2}" >/dev/null
	elif [[ $1 != *.socket ]]; then
		kill -HUP "$(cat "/run/$1.pid")"
	fi
}

anything_written() { # by this run
	[ -f "$state/journal" ] && tail -n "+$((${base:?} + 1))" "$state/journal" | grep -qE $'^(file|link)\t'
}

start_service() { # NAME COMMAND...
	if is_running "$1"; then
		if [ "$dry" = no ] && ! anything_written; then return; fi
		did restart "$1"
		if [ "$dry" = yes ]; then return; fi
		record again "$*"
		restart_service "$@"
		return
	fi
	did start "$1"
	if [ "$dry" = yes ]; then return; fi
	record start "$1"
	if [ $systemd = yes ]; then
		systemctl daemon-reload && timeout 60 systemctl enable --now "$1"
	else
		"${@:2}" >/dev/null
		say "  there is no systemd here: at boot, your init has to run: ${*:2}"
	fi
}

stop_service() {
	if [ $systemd = yes ]; then
		timeout 60 systemctl disable --now "$1" 2>/dev/null || true
	elif [ -s "/run/$1.pid" ]; then
		case $1 in
		*.socket) # fcgiwrap leaves its children behind; spawn-fcgi has made it the leader of their group
			kill -- "-$(cat "/run/$1.pid")" 2>/dev/null || true
			rm -f "/run/${1%.socket}.sock" "/run/$1.pid"
			;;
		*) kill "$(cat "/run/$1.pid")" 2>/dev/null || true ;;
		esac
	fi
}

reload_service() {
	local unit=$1 how=reload pid
	if [ $systemd = yes ]; then
		case $1 in
		sshd) if systemctl -q is-active ssh; then unit=ssh; fi ;;
		# It opens ports and keys as root, which it is only where it begins.
		lighttpd) how=restart ;;
		esac
		if systemctl -q is-active "$unit"; then timeout 60 systemctl "$how" "$unit"; fi
		return
	fi
	case $1 in lighttpd) say "  restart lighttpd yourself"; return ;; esac
	pid=$(pid_of "$1")
	if [ -n "$pid" ]; then kill -HUP "$pid"; fi
}

pid_of() { # SERVICE, where it runs
	local file
	for file in "/run/$1.pid" "/run/$1/$1.pid"; do
		if [ -s "$file" ] && kill -0 "$(cat "$file")" 2>/dev/null; then cat "$file"; fi
	done
}

web_runs() {
	if [ $systemd = yes ]; then
		systemctl -q is-active "${web/apache/apache2}"
	else
		[ "$web" != lighttpd ] && [ -n "$(pid_of "${web/apache/apache2}")" ]
	fi
}

switch() { # SERVICE
	did reload "$1"
	if [ "$dry" = yes ]; then return; fi
	record reload "$1"
	reload_service "$1"
}
