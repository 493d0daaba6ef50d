# SPDX-License-Identifier: LGPL-2.1-or-later
# A client of Perl's Net::SSH2 (libssh2): sshperl.pl ADDRESS USER ACTION WORD...
# It tries each word over one connection: a password, kbd:PASSWORD for keyboard-interactive, key:PATH. ACTION: none,
# exec, shell, transfer, refuse (it does not know the host key).
use strict;
use warnings;
use Net::SSH2;

my ($address, $user, $action, @words) = @ARGV;
my @script = ("uname -a", "id", "ls /etc | head -20", "uptime");

my $ssh = Net::SSH2->new();
$ssh->connect($address, 22, Timeout => 30000) or exit 1;
if ($action eq "refuse") {
    $ssh->check_hostkey("strict", "/root/perl-known");
    $ssh->disconnect();
    exit 2;
}
$ssh->auth_list($user);
my $in = 0;
for my $word (@words) {
    if ($word =~ /^key:(.*)/) {
        $in = $ssh->auth_publickey($user, "$1.pub", $1);
    } elsif ($word =~ /^kbd:(.*)/) {
        $in = $ssh->auth_keyboard($user, $1);
    } else {
        $in = $ssh->auth_password($user, $word);
    }
    last if $in;
}
if ($in && $action eq "exec") {
    for my $line (@script[0, 1]) {
        my $channel = $ssh->channel();
        $channel->exec($line);
        my $data;
        1 while $channel->read($data, 4096);
        $channel->close();
    }
} elsif ($in && $action eq "shell") {
    my $channel = $ssh->channel();
    $channel->pty("xterm");
    $channel->shell();
    for my $line (@script, "exit") {
        select(undef, undef, undef, 0.3);
        $channel->write("$line\n");
    }
    my $data;
    1 while $channel->read($data, 4096);
    $channel->close();
} elsif ($in && $action eq "transfer") {
    my $file = $ssh->sftp()->open("/tmp/perl-file", 0x41 | 0x200, 0644);
    $file->write("x" x 60000);
}
$ssh->disconnect();
