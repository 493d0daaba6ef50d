# SPDX-License-Identifier: LGPL-2.1-or-later
# A web client of Perl: `perl client.pl PLAN`: LWP, a process for each session.
use strict;
use warnings;
use JSON::PP;
use LWP::UserAgent;
use HTTP::Request;
use Time::HiRes qw(sleep);

open(my $file, '<', $ARGV[0]) or die;
my $plan = decode_json(join '', <$file>);
for my $one (@{$plan->{sessions}}) {
    next if fork;
    sleep $one->{at};
    my %options = (SSL_verify_mode => 0, verify_hostname => 0);
    $options{SSL_version} = 'TLSv1_2' if $one->{old};
    my $web = LWP::UserAgent->new(keep_alive => 1, ssl_opts => \%options, timeout => 30, max_redirect => 0);
    for my $step (@{$one->{steps}}) {
        sleep $step->[0] if $step->[0] > 0;
        my $request = HTTP::Request->new($step->[1], $plan->{base} . $step->[2], [%{$step->[3]}]);
        $request->content('y' x $step->[4]) if $step->[4];
        $request->header('Content-Length' => $step->[4]) if $step->[4];
        $web->request($request);
    }
    exit 0;
}
1 while wait > 0;
