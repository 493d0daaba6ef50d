# SPDX-License-Identifier: LGPL-2.1-or-later
# Perl's Net::OpenSSH, which works OpenSSH's terminal itself: sshopenperl.pl ADDRESS USER ACTION WORD...
# It opens a connection for each word, a password or key:PATH, until one is accepted. ACTION: none, exec, transfer.
use strict;
use warnings;
use Net::OpenSSH;

my ($address, $user, $action, @words) = @ARGV;
my @more = (-F => "none", -o => "StrictHostKeyChecking=no", -o => "UserKnownHostsFile=/root/known");
for my $word (@words) {
    my @given = $word =~ /^key:(.*)/ ? (key_path => $1) : (password => $word);
    my $ssh = Net::OpenSSH->new($address, user => $user, @given, timeout => 30, master_opts => [@more]);
    next if $ssh->error;
    if ($action eq "exec") {
        $ssh->capture($_) for ("uname -a", "id");
    } elsif ($action eq "transfer") {
        $ssh->scp_put("/etc/services", "/tmp/openssh-file");
        $ssh->scp_get("/etc/services", "/root/openssh-back");
    }
    last;
}
