#!/usr/bin/env perl
# SPDX-License-Identifier: MIT
#
# powercut.pl BEFORE TRACE IMAGE COMMAND...: what of a file may be there after a power cut. BEFORE is store.mdb as it was;
# TRACE is what `strace -xx` saw of the programs that wrote it. At each write the power is cut: what was not synced by
# then is there or not, page by page, as chance has it. Each such file is written to IMAGE and COMMAND is run with the
# number of lines "acknowledged" (a write to standard output) until then; it must exit 0.
use strict;
use warnings;

use constant PAGE => 4096;

my ($before, $trace, $image, @command) = @ARGV;
@command or die "usage: powercut.pl BEFORE TRACE IMAGE COMMAND...\n";
srand 1;

my ($durable, %pending, %store, %dsync, %offset); # pending: page number => bytes
my ($acknowledged, $cuts, $bad) = (0, 0, 0);

sub bytes { my ($hex) = @_; $hex =~ s/\\x(..)/chr hex $1/ge; return $hex }

# Bytes at an offset, page by page.
sub put {
	my ($to, $at, $data) = @_;
	while (length $data) {
		my ($page, $in) = (int($at / PAGE), $at % PAGE);
		my $part = substr $data, 0, PAGE - $in, '';
		my $old = $to->{$page} // (length $durable > $page * PAGE ? substr($durable, $page * PAGE, PAGE) : '');
		$old .= "\0" x (PAGE - length $old);
		substr($old, $in, length $part) = $part;
		$to->{$page} = $old;
		$at += length $part;
	}
	return;
}

sub lay {
	my ($onto, $pages) = @_;
	for my $page (keys %$pages) {
		$onto .= "\0" x ($page * PAGE + PAGE - length $onto) if length $onto < $page * PAGE + PAGE;
		substr($onto, $page * PAGE, PAGE) = $pages->{$page};
	}
	return $onto;
}

sub sync_all { $durable = lay($durable, \%pending); %pending = (); return }

# None, all, and some by chance of what is not on the disk.
sub cut {
	my @pages = keys %pending;
	my @kept = @pages ? ([], [@pages], map { [grep { rand() < 0.5 } @pages] } 1 .. 2) : ([]);
	for my $kept (@kept) {
		open my $f, '>', $image or die "$image: $!";
		binmode $f;
		print $f lay($durable, { map { $_ => $pending{$_} } @$kept });
		close $f or die "$image: $!";
		$cuts++;
		next if system(@command, $acknowledged) == 0;
		$bad++;
		print "cut $cuts: " . @$kept . " of " . @pages . " unsynced pages, $acknowledged acknowledged\n";
	}
	return;
}

{
	open my $f, '<', $before or die "$before: $!";
	binmode $f;
	local $/ = undef;
	$durable = <$f>;
}

my %data = (
	openat => sub {
		my ($args, $got) = @_;
		my ($path, $flags) = $args =~ /"([^"]*)", ([A-Z_|]+)/ or return;
		($store{$got}, $dsync{$got}, $offset{$got}) = (bytes($path) =~ m{/store\.mdb$}, $flags =~ /O_D?SYNC/, 0) if $got >= 0;
	},
	close => sub { my ($fd) = $_[0] =~ /^(\d+)/; delete $store{$fd} },
	lseek => sub { my ($fd, $at) = $_[0] =~ /^(\d+), (\d+), SEEK_SET/ or return; $offset{$fd} = $at },
	fdatasync => sub { my ($fd) = $_[0] =~ /^(\d+)/; sync_all() if $store{$fd} },
	pwrite64 => sub {
		my ($fd, $data, $at) = $_[0] =~ /^(\d+), "([^"]*)", \d+, (\d+)$/ or return;
		written($fd, $at, bytes $data);
	},
	writev => sub {
		my ($fd) = $_[0] =~ /^(\d+)/;
		my $data = join '', map { bytes $_ } $_[0] =~ /iov_base="([^"]*)"/g;
		written($fd, $offset{$fd}, $data);
		$offset{$fd} += length $data;
	},
	write => sub {
		my ($fd) = $_[0] =~ /^(\d+)/;
		$acknowledged++ if $fd == 1;
		die "write() to the store is not modelled" if $store{$fd};
	},
);
$data{fsync} = $data{fdatasync};

sub written {
	my ($fd, $at, $data) = @_;
	return if !$store{$fd};
	cut();
	if ($dsync{$fd}) {
		my %now;
		put(\%now, $at, $data);
		# Torn: a page of which a part is on the disk is not modelled, for a meta page is within one sector.
		%pending = (%pending, %now);
		cut();
		$durable = lay($durable, \%now);
		delete @pending{keys %now};
	} else {
		put(\%pending, $at, $data);
		cut();
	}
	return;
}

open my $log, '<', $trace or die "$trace: $!";
while (<$log>) {
	my ($call, $args, $got) = /^\d+ +(\w+)\((.*)\) += (-?\d+)/ or next;
	$data{$call}->($args, $got) if $data{$call} && $got >= 0;
}
cut();
print "$cuts power cuts, $acknowledged changes acknowledged, $bad stores that lost something\n";
exit($bad || !$cuts ? 1 : 0);
