# SPDX-License-Identifier: LGPL-2.1-or-later
# Hands on a keyboard, in protocols without encryption.
#
# Taken from: GNU inetutils telnet and telnetd 2.4, netcat-openbsd 1.219, ncat 7.93, socat 1.7.4 in raw mode, the client
# ftp (tnftp), typed at a log-normal pace around 140 ms a key (lab/people.py), at round trips of 0 to 160 ms. Programs:
# curl, smtplib, swaks, ftplib, lftp, wget, expect. Figures: docs/database-tls.md. Where the pause stands before the
# client's packet it does not hold the round trip, so near and far look alike; but over a long link Nagle's algorithm
# (RFC 896) joins the keys that are typed while the first is under way.

# Character by character with echo: telnet, rlogin, serial consoles behind a terminal server.
# Fails: links of more than some 100 ms (see human.typing.far). False friends: programs that type like people.
tcp * = +30ms-2s c1 s1 (+30ms-2s c1 s1){5} : A person types, with echo
    id = human.typing
    confidence = 90
    severity = low
    attack = T1021
    category = interactive

# The same over a long link: what was typed during a round trip comes back as one echo of its size.
# Fails: nothing that was seen. False friends: expect's `send -h`, which imitates a hand.
tcp 23,2323 = (~ c1-3#k ~ s@k/0 | ~ c1 ~ c1 ~ s1 ~ s1){8} : A person types, with echo, over a long link
    id = human.typing.far
    confidence = 90
    severity = low
    attack = T1021
    category = interactive

# Windows telnet and raw terminals send every key at once; servers of lines echo nothing.
# Fails: links with Nagle and a long round trip. False friends: keep-alives of one byte, hence the ports.
tcp 21,23,25,80,110,143,587,2323,2525,8080 = (+30ms-3s c1){6} : A person types, key by key
    id = human.typing.keys
    confidence = 85
    severity = low
    attack = T1021
    category = interactive

# A password at a telnet prompt: keys without echo, then the line's end and the server's new line.
# Fails: passwords of three letters, long links with Nagle. False friends: other questions answered without echo.
tcp 23,2323 = s2-40 +100ms-1min c1 (+30ms-2s c1){3,24} s2-4 : A person types without echo, as at a password prompt
    id = human.password.telnet
    confidence = 85
    severity = low
    attack = T1078
    category = interactive

# FTP: the greeting, a pause, USER, the answer, a pause, PASS. The pause before PASS is shorter than one before a command
# that has to be thought of.
# Fails: clients that know the password and ask for the name only. False friends: scripts that sleep between lines.
tcp 21 = < ~ s10-1448 (~ s4-1448){0,3} +1s-5min c6-100 (c1-2){0,1} ~ s10-100 +800ms-5min c6-100 (c1-2){0,1} ~ s10-1448 : FTP - a person types name and password
    id = human.password.ftp
    confidence = 80
    severity = low
    attack = T1078
    category = interactive

# Lines in a protocol whose server greets first, three in a row, each after a pause of at least 1.2 s: scripts that sleep
# between lines do so for a round second. netcat sends a line and its CR LF as two segments. The client ftp asks for
# SYST and FEAT by itself, hence the exchanges without pause. QUIT, the shortest command, takes a typist 1.5 s with the
# decision to leave.
# Fails: fewer than three lines, fast typists. False friends: programs that wait for something else between lines.
tcp 21,25,110,119,143,587,2525 = < ~ s10-600 (~ x*){0,8} (+1200ms-5min c3-200 (c1-2){0,1} (~ s4-1448){0,8} (c3-200 (~ s4-1448){1,8}){0,3}){3,} : A person types lines (mail, news, FTP)
    id = human.lines
    confidence = 85
    severity = medium
    attack = T1071
    category = interactive

# Commands of a few bytes, each after a pause of at least 800 ms, each answered, from the first packet of the flow on: a
# shell bound to a port. Only on ports that such shells are known to use: instruments (HiSLIP), brokers and databases
# are also spoken to in short lines with pauses, by programs. A shell prints more than an instrument's or a counter's values.
tcp 1234,1337,4242,4443,4444,4445,5554,5555,6666,7777,9001,9999,12345,31337,54321 = < (s*){0,3} ~ c2-60 s2-1448 (s*){0,6} (+800ms-5min c2-60 s2-1448 (s*){0,6}){3,} where s.bytes / s.packets > 40 : A person types lines, as to a shell bound to a port
    id = human.lines.shell
    confidence = 75
    severity = medium
    attack = T1059
    category = interactive

# A program logs in by FTP: four lines at once, each answered.
# Fails: sessions of fewer than four lines. False friends: the client ftp with a stored password, used by a person.
tcp 21 = < ~ s10-1448 (~ s4-1448){0,3} (c4-100 (~ s4-1448){1,8}){4,} : FTP - lines sent by a program
    id = automated.lines.ftp
    confidence = 90
    severity = low
    category = interactive

# A program logs in by telnet: after the negotiation of options (ten packets at least), whole lines at once, where a
# person's keys would come one by one: two, or four of fewer letters (a program that refuses all options has sent its name by then).
# Fails: short sessions with names and passwords of fewer than six letters. False friends: telnet in line mode, which people use with old hosts.
tcp 23,2323 = < (~ x*){10,} ( c7-60 (~ s1-){1,8} c7-60 ~ s1- | ( c3-60 (~ s1-){1,8} ){4} ) : Telnet - lines sent by a program
    id = automated.lines.telnet
    confidence = 85
    severity = low
    category = interactive
