# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What gltoken-setup --json says at its end: one object, whatever became of it. gltoken-setup sets $json, $dry, $undo and,
# before anything is done, $work.

: "${json:?}" "${dry:?}" "${undo:?}" "${work=}"

json_error='' json_back=no

json_text() { # TEXT
	local t=${1//\\/\\\\}
	t=${t//\"/\\\"}
	t=${t//$'\n'/\\n}
	t=${t//$'\t'/\\t}
	printf '"%s"' "${t//[[:cntrl:]]/?}"
}

json_flag() { # yes|no
	if [ "$1" = yes ]; then echo true; else echo false; fi
}

# In a file, as some of it is done at the end of a pipe.
noted() { # ACTION OBJECT
	printf '{"action": %s, "object": %s}\n' "$(json_text "$1")" "$(json_text "$2")" >>"$work/steps"
}

did() { # ACTION OBJECT [MORE FOR PEOPLE]: or what would be done
	say "  $1 $2${3-}"
	noted "$1" "$2"
}

json_next() {
	local command
	for command in 'gltoken repo create PROJECT' 'gltoken member set PATH USER ROLE' \
		'gltoken issue --name NAME --user USER --scope write_repository' 'gltoken doctor'; do
		json_text "$command"
		echo
	done
}

json_result() { # EXIT STATUS
	local steps='' next='' ok=false changed=false
	[ "$json" = yes ] || return 0
	if [ -s "$work/steps" ]; then
		steps=$(sed '$!s/$/,/' "$work/steps")
		# Services are started each time.
		if [ "$dry" = no ] && [ $json_back = no ] && grep -qvE '^\{"action": "(start|restart|reload|keep)"' "$work/steps"; then
			changed=true
		fi
	fi
	if [ "$1" = 0 ]; then
		ok=true
		if [ "$undo$dry" = nono ]; then next=$(json_next | paste -sd,); fi
	else
		json_error=$(json_text "${json_error:-it failed, see standard error}")
	fi
	cat <<-END
		{
		  "ok": $ok,
		  "error": ${json_error:-null},
		  "dry_run": $(json_flag "$dry"),
		  "changed": $changed,
		  "taken_back": $(json_flag $json_back),
		  "steps": [$steps],
		  "next": [$next]
		}
	END
}
