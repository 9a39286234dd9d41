# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# For BASH_ENV: gltoken-setup writes what it is about to change into $STEPS, a line each, and where that line is the
# $STEP_AT-th, it fails before it ($STEP_HOW=fail) or is killed (=kill).

# shellcheck disable=SC2016 # commands as they stand in the script
at_step() { # COMMAND
	case $1 in
	# The journal; files, links and folders; services; what the trial and bots need. No two of them at once, as on both
	# sides of a pipe, or none would be the one.
	printf\ \'%s* | cat\ \>* | cat\ \"\$new\"* | cp\ -a* | install\ * | mv\ * | ln\ * | mkdir\ * | rm\ * | rmdir\ * | \
		kill\ * | pkill\ * | '"${@:2}" > /dev/null' | gltoken\ * | clone_* | reload_service\ * | nginx\ * | sed\ -i*) ;;
	*) return 0 ;;
	esac
	printf '%s\n' "${1//$'\n'/ }" >>"$STEPS"
	[ "$(wc -l <"$STEPS")" = "${STEP_AT-0}" ] || return 0
	trap - DEBUG
	if [ "$STEP_HOW" = kill ]; then kill -9 $$; fi
	exit 1
}

case $0 in
*/gltoken-setup)
	set -o functrace
	trap 'at_step "$BASH_COMMAND"' DEBUG
	;;
esac
