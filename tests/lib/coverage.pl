#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# coverage.pl INFO SOURCE LIST: are 95 % of the lines of lcov's INFO run, and is each other line in LIST? Prints what
# is not, and the figures; status 1 where a check fails. A line of LIST is
#
#   FILE FUNCTION /TEXT/ WHY
#
# with FILE and FUNCTION patterns as of a shell, TEXT a regular expression that the line of the source must match. One
# that names a file may explain MOST lines, so that nothing new hides behind what was explained for something else.
use strict;
use warnings;

use constant {LEAST => 95, MOST => 8};

my ($info, $source, $list) = @ARGV;

sub glob_to_re {
	my $re = quotemeta shift;
	$re =~ s/\\\*/.*/g;
	return qr/^$re$/;
}

sub read_list {
	my @known;
	open(my $in, '<', $list) or die "$list: $!\n";
	while (<$in>) {
		next if /^#/ || /^\s*$/;
		my ($file, $function, $text) = m{^(\S+)\s+(\S+)\s+/(.*)/\s+\S}
			or die "$list line $.: not FILE FUNCTION /TEXT/ WHY\n";
		push @known, {file => glob_to_re($file), function => glob_to_re($function), text => qr/$text/,
			named => $file ne '*', line => $., used => 0};
	}
	close $in;
	return @known;
}

sub explained {
	my ($file, $function, $text, @known) = @_;
	my $n = 0;
	for my $k (@known) {
		next unless $file =~ $k->{file} && $function =~ $k->{function} && $text =~ $k->{text};
		$n++;
		$k->{used}++;
	}
	return $n > 0;
}

my @known = read_list();
my ($file, $all, $run, $unknown, %functions, @text) = ('', 0, 0, 0);
open(my $in, '<', $info) or die "$info: $!\n";
while (<$in>) {
	chomp;
	if (/^SF:(.*)$/) {
		my $path = $1;
		$file = $path =~ s{^.*/src/}{}r;
		%functions = ();
		open(my $f, '<', "$source/$file") or die "$file: $!\n";
		@text = <$f>;
		close $f;
	} elsif (/^FN:(\d+),(?:\d+,)?(\w+)$/) {
		$functions{$1} = $2;
	} elsif (/^DA:(\d+),(\d+)/) {
		my ($line, $count) = ($1, $2);
		$all++;
		if ($count > 0) { $run++; next }
		my ($start) = sort { $b <=> $a } grep { $_ <= $line } keys %functions;
		my $function = defined $start ? $functions{$start} : '-';
		my $text = $text[$line - 1] =~ s/^\s+|\s+$//gr;
		next if explained($file, $function, $text, @known);
		$unknown++;
		print "no test runs, and nothing explains: $file:$line $function: $text\n";
	}
}
close $in;
$all or die "no line was counted\n";
my $percent = int(1000 * $run / $all) / 10;
printf "%d lines of the request path, %d run by tests (%.1f %%), %d not, of which %d are not explained\n",
	$all, $run, $percent, $all - $run, $unknown;
my $wide = 0;
for my $k (@known) {
	print "$list line $k->{line} explains nothing now\n" unless $k->{used};
	next unless $k->{named} && $k->{used} > MOST;
	print "$list line $k->{line} explains $k->{used} lines: more than ", MOST, "\n";
	$wide++;
}
exit($unknown > 0 || $wide > 0 || $percent < LEAST ? 1 : 0);
