# Hands on a keyboard, in protocols without encryption.
#
# Taken from: GNU inetutils telnet and telnetd 2.4, netcat-openbsd 1.219, socat 1.7.4 in raw mode, typed at 80 to
# 300 ms per key, over a LAN and over a link of 600 ms. Where the pause stands before the client's packet it does not
# hold the round trip, so both look alike. Telnet over a long link is not covered: Nagle's algorithm (RFC 896) joins the
# keys that are typed while the first is under way.

# Character by character with echo: telnet, rlogin, serial consoles behind a terminal server.
tcp * = +30ms-2s c1 s1 (+30ms-2s c1 s1){5} : A person types, with echo
    id = human.typing
    severity = low
    attack = T1021
    category = interactive

# A password at a telnet prompt: keys without echo, then the line's end and the server's new line.
tcp 23,2323 = s2-40 +100ms-1min c1 (+30ms-2s c1){3,24} s2-4 : A person types without echo, as at a password prompt
    id = human.typing.password
    severity = low
    attack = T1078
    category = interactive

# Commands of a few bytes, each after a pause of at least 800 ms, each answered, from the first packet of the flow on: a
# shell bound to a port. Only on ports that such shells are known to use: instruments (HiSLIP), brokers and databases
# are also spoken to in short lines with pauses, by programs.
tcp 1234,1337,4242,4443,4444,4445,5554,5555,6666,7777,9001,9999,12345,31337,54321 = < (s*){0,3} ~ c2-60 s2-1448 (s*){0,6} (+800ms-5min c2-60 s2-1448 (s*){0,6}){3,} : A person types lines, as to a shell bound to a port
    id = human.typing.lines
    severity = medium
    attack = T1059
    category = interactive
