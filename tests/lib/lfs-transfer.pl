#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# A server of git-lfs's SSH protocol (docs/proposals/ssh_adapter.md of git-lfs), small enough to read: what
# [git] lfs_transfer is run as in the tests. It keeps to the operation that it was started for.
use strict;
use warnings;

my ($path, $operation) = @ARGV[-2, -1];
chdir $path or die "$path: $!";
mkdir 'lfs';
binmode STDIN;
binmode STDOUT;
$| = 1;
open my $log, '>>', '/tmp/lfs-transfer.log';
print $log "$ENV{GL_PROJECT_PATH} $operation user=", $ENV{GL_USERNAME} // '', ' secret=',
	(grep { /GLTOKEN_SESSION/ } %ENV) ? 'yes' : 'no', "\n";
close $log;

sub get {
	my $n = shift;
	my $data = '';
	while (length $data < $n) {
		read(STDIN, $data, $n - length $data, length $data) or exit 0;
	}
	return $data;
}

# A line's text; 0 flush, 1 delimiter.
sub packet {
	my $n = hex get(4);
	return $n if $n < 4;
	return \get($n - 4);
}

sub put { printf '%04x%s', length($_) + 4, $_ for @_ }
sub flush_packet { print '0000' }
sub delim { print '0001' }
sub status { put("status $_[0]\n") }

put("version=1\n");
flush_packet();
while (1) {
	my (@head, @body);
	my $end;
	while (ref($end = packet())) { push @head, $$end }
	if ($end == 1) {
		while (ref($end = packet())) { push @body, $$end }
	}
	chomp @head;
	my ($command, $oid) = split / /, shift @head // '';
	my %arg = map { split /=/, $_, 2 } grep { /=/ } @head;
	if ($command eq 'version') {
		status(200);
	} elsif ($command eq 'quit') {
		status(200);
		flush_packet();
		exit 0;
	} elsif ($command eq 'batch') {
		status(200);
		delim();
		for (@body) {
			my ($o, $size) = split;
			my $there = -f "lfs/$o";
			my $action = $operation eq 'upload' ? ($there ? 'noop' : 'upload') : ($there ? 'download' : 'noop');
			put("$o $size $action\n");
		}
	} elsif ($command eq 'get-object' && $operation eq 'download' && $oid =~ /^[0-9a-f]{64}$/ && open my $f, '<', "lfs/$oid") {
		status(200);
		put('size=' . (-s $f) . "\n");
		delim();
		while (read $f, my $data, 32768) { put($data) }
	} elsif ($command eq 'put-object' && $operation eq 'upload' && $oid =~ /^[0-9a-f]{64}$/) {
		open my $f, '>', "lfs/$oid" or die;
		print $f @body;
		close $f;
		status(200);
	} elsif ($command eq 'verify-object' && $operation eq 'upload') {
		status(200);
	} else {
		status(403);
		delim();
		put("refused here\n");
	}
	flush_packet();
}
