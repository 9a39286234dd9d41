#!/usr/bin/env perl
# SPDX-License-Identifier: MIT
# memory-has.pl TEXT PID...: exit status 0 if TEXT stands in the memory of one of the processes, 1 if not.
use strict;
use warnings;

my ($text, @pids) = @ARGV;
@pids or die "usage: memory-has.pl TEXT PID...\n";
my $looked = 0;
for my $pid (@pids) {
	open my $maps, '<', "/proc/$pid/maps" or next; # it has ended
	open my $mem, '<:raw', "/proc/$pid/mem" or next;
	while (<$maps>) {
		my ($from, $to, $name) = /^([0-9a-f]+)-([0-9a-f]+) r\S+ \S+ \S+ \S+\s*(.*)/ or next;
		next if $name =~ /^\[v/; # vvar, vsyscall
		($from, $to) = (hex $from, hex $to);
		next if $to - $from > 1 << 28 || !sysseek $mem, $from, 0;
		sysread $mem, my $bytes, $to - $from;
		$looked += length($bytes // '');
		next if index($bytes // '', $text) < 0;
		print "process $pid has it in $name\n";
		exit 0;
	}
}
if (!$looked) { print STDERR "nothing could be read\n"; exit 2 }
exit 1;
