# SSH protocol 2: what the login does, from sizes alone.
#
# Every cipher pads in its own way, so a size says little; the difference of two sizes says much. The anchor, `A`, is the
# server's acceptance of the service (17 bytes of payload; RFC 4253, 10), the first encrypted message that it sends after
# the client's first. USERAUTH_SUCCESS is a single byte (RFC 4252, 5.1): 16 bytes less with every cipher of block size
# 8 or 16, 8 less from Dropbear's server in chacha20, which sends no packet of less than 16 bytes. USERAUTH_FAILURE lists
# the methods that may continue, so all refusals of one flow have one size, that of the answer to "none".
# Requests, as sizes above `A` (u: user name, p: password): "none" 14 + u before padding, a password 23 + u + p, the
# query for an Ed25519 key 90 + u. OpenSSH pads passwords to a multiple of 64 (40, 104 in chacha20, 32, 96 in AES), PuTTY to
# 256 (208 to 224).
#
# Every signature begins with the flow and passes the clear-text key exchange by its sizes, none of which is as small as
# an encrypted message. So flows that were seen from their middle on never match, and the port does not matter.
#
# Taken from: OpenSSH 9.2p1 and 10.0 (with and without PAM, with a banner), Dropbear 2022.83, asyncssh, PuTTY,
# libssh (hydra), libssh2 (curl, medusa), ncrack, Paramiko, in chacha20-poly1305, aes-gcm, aes-ctr and aes-cbc, MAC before and
# after. Read against older captures: OpenSSH 5 to 8, Cisco, Apple.
# Joined answers: OpenSSH since 9.x sends EXT_INFO and the answer to "none" in one segment. EXT_INFO adds 212 (OpenSSH 10) or 236
# bytes (Debian 12's 9.2) in ciphers of block size 8, 224 or 256 in AES with a MAC of 32: `Y` and `Z` are that segment, and
# a refusal is it less that. A question (keyboard-interactive) is 228 below in OpenSSH 10, and so no refusal.
# Surprising: libssh2 in some versions and PuTTY join NEWKEYS (16 bytes) and the service request; Dropbear's client joins
# these and "none"; OpenSSH 10 adds EXT_INFO to either side's first message, which hides the first refusal's size;
# asyncssh's server sends IGNORE before each message.

# What the signatures share. The clear-text key exchange, up to and with the server's key:
let KEX = ( ( c8-255 (~ c250-1600){0,2} (~ s8-255 | ~ s450-900) | (s8-255 | s450-900) ~ c8-255 | c600-1100 ~ s8-255 ) (~ s8-255){0,2} (~ c250- (~ c16-1400){0,1} | ~ s250- (~ s16-1400){0,1}){1,4} | c600-1100 ~ s450-900 ) (~ c20-40 ~ s100-1200){0,1} (~ c48-1500 (~ c20-1500){0,1}){0,1} ~ s150- (~ s16-){0,4}
# The same and all up to the service request.
let SERVICE = $KEX (~ c16-128 (~ s16/0){0,1} (~ s150-1500){0,1}){0,1} (~ c36-100){0,2} (~ s150-1500){0,1} ~ c40-420 (~ s16/0){0,1} (~ s150-1500){0,1}
# Anything that is not smaller than the acceptance, which every line names A, in any order.
let NOISE = (~ c24-1700 | ~ s@A+1000/1000){0,}
# The same after an IGNORE of the size I before each message of the server; the acceptance is B.
let NOISE2 = (~ c24-1700 | ~ s@I/0 ~ s@B+1000/1000){0,}
# The client's half of the key exchange.
let HALF = ( ~ c48,72,80,112,144,272,400,528,1040,1190-1240 | ~ c1448 ~ c100-300 )

# One hit for each password, or answer to a question (keyboard-interactive), that was refused. The refusal's size is that
# of the answer to "none", or after a banner that of the first refused password. OpenSSH says DISCONNECT instead of
# the sixth refusal. Clients without "none" (Paramiko) show themselves by the size of the first request, which no user name
# makes, or because they ask for the service again. After an IGNORE before each message (asyncssh) the same is looked for.
# Fails: passwords of more than 50 bytes that are not padded; a user name of 13 bytes or more in the first request,
# when the server is slow. False friends: the query for an Ed25519 key has the size of a padded password in AES; only the
# server's time tells them apart (a refused key takes OpenSSH 5 to 9 ms, a refused password 10 ms and more) and the
# person's. A question may have the size of a refusal (40 bytes more payload), then the order decides.
tcp * = < $SERVICE ( ~ s40-100#A ( ((~ c@A-8/0){0,1} ~ c@A+20/4 (~ c20-84){0,1}){0,1} ( ~ s@A+4/4#F ( $NOISE ( ~ c@A+60/32 ~ s@F/0 | ~ c@A+104/0 ~ s@F/0 | ~ c@A+96/0 +10ms s@F/0 | + c@A+96/0 ~ s@F/0 | ~ c@A+216/8 ~ s@F/0 | ~ c@A+48/16 ~ s@A+20/4 ~ c@A+6/22 ~ s@F/0 ) | ($NOISE ~ s@F/0){3} $NOISE ~ c@A+58/74 ~ s@A+32/0 ) | ~ s@A+16/0#K $NOISE ( ~ c@A+32/0 ~ s@K/0 | ~ c@A+48/0 +25ms s@K/0 | ~ c@A+78/14 ~ s@K/0 | ~ c@A+104/0 ~ s@K/0 | ~ c@A+96/0 +10ms s@K/0 | + c@A+96/0 ~ s@K/0 | ~ c@A+216/8 ~ s@K/0 | ~ c@A+48/0 ~ s@A+16/0 ~ c@A+6/22 ~ s@K/0 ) | ~ s@A+38/18#L ( $NOISE ( ~ c@A+60/32 ~ s@L/0 | ~ c@A+104/0 ~ s@L/0 | ~ c@A+96/0 +10ms s@L/0 | + c@A+96/0 ~ s@L/0 | ~ c@A+216/8 ~ s@L/0 | ~ c@A+48/16 ~ s@A+20/4 ~ c@A+6/22 ~ s@L/0 ) | ($NOISE ~ s@L/0){3} $NOISE ~ c@A+58/74 ~ s@A+32/0 ) ) | ~ c@A+32/0 (~ c20-84){0,1} +0ms-2ms s@A+28/28#P ~ c@A/0 ~ s@A/0 ( $NOISE ( ~ c@A+60/32 ~ s@P/0 ) ){0,1} | ~ c@A+40/0 (~ c20-84){0,1} +0ms-19ms s@A+28/28#P2 ~ c@A/0 ~ s@A/0 ( $NOISE ( ~ c@A+60/32 ~ s@P2/0 ) ){0,1} | ( ~ c@A+32/0 (~ c20-84){0,1} +3ms s@A+28/28#Q | ~ c@A+40/0 (~ c20-84){0,1} +20ms s@A+28/28#Q2 ) ( $NOISE ( ~ c@A+68/36 ~ s@A+28/28 ) ){0,1} | ~ c@A+74/30 (~ c20-84){0,1} ~ s@A+28/28#G ( $NOISE ( ~ c@A+60/32 ~ s@G/0 | ~ c@A+104/0 ~ s@G/0 | ~ c@A+96/0 +10ms s@G/0 | + c@A+96/0 ~ s@G/0 | ~ c@A+216/8 ~ s@G/0 | ~ c@A+48/16 ~ s@A+20/4 ~ c@A+6/22 ~ s@G/0 ) ){0,1} | ((~ c@A-8/0){0,1} ~ c@A+24/8 (~ c20-84){0,1}){0,1} ( ~ s@A+230/10#Y $NOISE ( ~ c@A+62/30 | ~ c@A+104/0 | + c@A+96/0 | ~ c@A+216/8 ) ( ~ s@Y-212/0 | ~ s@Y-224/0 ) | ~ s@A+258/14#Z $NOISE ( + c@A+96/0 ~ s@Z-244/0 | ( ~ c@A+36/4 | ~ c@A+74/18 | ~ c@A+104/0 | + c@A+96/0 | ~ c@A+216/8 ) ( ~ s@Z-212/0 | ~ s@Z-224/0 | ~ s@Z-236/0 | ~ s@Z-256/0 ) | ~ c@A+48/0 ( ~ s@Z-212/0 | ~ s@Z-224/0 | ~ s@Z-236/0 ) ) | ( ~ s@A+128/71 | ~ s@A+1168/895 ) $NOISE ( ~ c@A+62/30 | ~ c@A+104/0 | + c@A+96/0 | ~ c@A+216/8 | ~ c@A+48/16 ~ s@A+20/4 ~ c@A+100/125 ) ~ s@A+20/20#H ( $NOISE ( ~ c@A+60/32 ~ s@H/0 | ~ c@A+100/4 +10ms s@H/0 | + c@A+96/0 ~ s@H/0 | ~ c@A+48/16 ~ s@A+20/4 ~ c@A+6/22 ~ s@H/0 ) ){0,1} | ~ c@A+74/30 ~ s@A+240/40 ~ c@A/0 ~ s@A/0 ) ) | ~ s24-84#I ~ s@I+12/4#B ( ((~ c@I/0){0,1} ~ c@B+24/8 ){0,1} ~ s@I/0 ~ s@B+28/28#M $NOISE2 ( ~ c@B+60/32 ~ s@I/0 ~ s@M/0 | ~ c@B+104/0 ~ s@I/0 ~ s@M/0 | ~ c@B+96/0 ~ s@I/0 ~ s@M/0 | ~ c@B+216/8 ~ s@I/0 ~ s@M/0 | ~ c@B+48/16 ~ s@I/0 ~ s@B+20/4 ~ c@B+6/22 ~ s@I/0 ~ s@M/0 ) | ~ c@B+66/34 ~ s@I/0 ~ s@B+28/28#N ( $NOISE2 ( ~ c@B+66/34 ~ s@I/0 ~ s@N/0 ) ){0,1} ) ) : SSH2 - password or answer refused
    id = ssh.auth.failure
    confidence = 90
    severity = low
    attack = T1110
    category = ssh
    reference = RFC 4252

# A key that was offered, or used to sign, and refused at once. See above for the one size that may be a password.
tcp * = < $SERVICE ( ~ s40-100#A (~ c@A+24/8 (~ c20-84){0,1}){0,1} ( ~ s@A+28/28#F $NOISE ( c@A+96/0 +0ms-9ms s@F/0 | ~ c@A+134/22 ~ s@F/0 | ~ c@A+188/16 ~ s@F/0 | ~ c@A+964/736 ~ s@F/0 ) | ~ s@A+1060/1003 ( c@A+96/0 ~ s@A+20/20 | ~ c@A+134/22 ~ s@A+20/20 | ~ c@A+188/16 ~ s@A+20/20 | ~ c@A+964/736 ~ s@A+20/20 ) ) | ~ s24-84#I ~ s@I+12/4#B ((~ c@I/0){0,1} ~ c@B+24/8){0,1} ~ s@I/0 ~ s@B+28/28#G $NOISE2 ( c@B+96/0 ~ s@I/0 +0ms-9ms s@G/0 | ~ c@B+134/22 ~ s@I/0 ~ s@G/0 | ~ c@B+188/16 ~ s@I/0 ~ s@G/0 | ~ c@B+964/736 ~ s@I/0 ~ s@G/0 ) ) : SSH2 - key refused
    id = ssh.pubkey.refused
    confidence = 40
    severity = low
    category = ssh
    reference = RFC 4252, 7

# The first message of the server after its acceptance that is smaller than it, by the 16 bytes (8: Dropbear in
# chacha20) of RFC 4252, 5.1; all before it are at least as large. Where it shares a segment with what follows,
# the first small one after it counts (CHANNEL_SUCCESS), so the login is seen, a few packets late. With IGNORE before each
# message: two small ones in a row. Fails: compression "zlib" from the start, padding at random, servers that
# send IGNORE only now and then.
tcp * = < $SERVICE ( ~ s40-100#A $NOISE ~ c24-1700 ~ s@A-12/4 | ~ s24-84#I ~ s@I+12/4#B $NOISE2 ~ c24-1700 ~ s@I/0 ~ s@B-16/0 ) : SSH2 - login succeeded
    id = ssh.auth.success
    confidence = 98
    severity = low
    attack = T1021.004
    category = ssh
    reference = RFC 4252, 5.1

# The server would take the key (PK_OK), the client signs, at least 150 bytes more than a password.
tcp * = < $SERVICE ~ s40-100#A $NOISE ~ c@A+850/770 ~ s@A+450/420 ~ c@A+960/790 ~ s@A-12/4 : SSH2 - login by key
    id = ssh.auth.success.key
    severity = low
    attack = T1021.004
    category = ssh

# A pause of at least 0.7 s before a message of a password's size that is refused or accepted. Nobody types a password
# faster; a program that waits as long (expect with a delay) is taken for a person.
tcp * = < $SERVICE ( ~ s40-100#A $NOISE ~ s@A+1000/1000 +700ms c@A+100/125 ~ s@A+28/44 | ~ s24-84#I ~ s@I+12/4#B $NOISE2 ~ s@I/0 ~ s@B+1000/1000 +700ms c@B+100/125 ~ s@I/0 ~ s@B+20/36 ) : SSH2 - a person typed a password
    id = human.password.ssh
    confidence = 95
    severity = low
    category = ssh

# The same without a pause of 0.4 s before it.
tcp * = < $SERVICE ( ~ s40-100#A ( ((~ c@A-8/0){0,1} ~ c@A+20/4 (~ c20-84){0,1}){0,1} ( ~ s@A+4/4#F ( ($NOISE ~ s@F/0){0,1} (c@A-8/0){0,1} ( c@A+60/32 ( ~ s@F/0 | ~ s@A-12/4 ) | c@A+130/38 ~ s@A-12/4 | c@A+216/8 ( ~ s@F/0 | ~ s@A-12/4 ) | c@A+104/0 ~ s@F/0 | c@A+96/0 +10ms s@F/0 ) | $NOISE ~ c@A+48/16 ~ s@A+20/4 c@A+104/126 ( ~ s@F/0 | ~ s@A-12/4 | ~ s@A/0 ~ c@A+100/126 ~ s@A-12/4 ) ) | ~ s@A+38/18#L ( ($NOISE ~ s@L/0){0,1} (c@A-8/0){0,1} ( c@A+60/32 ( ~ s@L/0 | ~ s@A-12/4 ) | c@A+130/38 ~ s@A-12/4 | c@A+216/8 ( ~ s@L/0 | ~ s@A-12/4 ) | c@A+104/0 ~ s@L/0 | c@A+96/0 +10ms s@L/0 ) | $NOISE ~ c@A+48/16 ~ s@A+20/4 c@A+104/126 ( ~ s@L/0 | ~ s@A-12/4 | ~ s@A/0 ~ c@A+100/126 ~ s@A-12/4 ) ) | ~ s@A+16/0#K ( ($NOISE ~ s@K/0){0,1} (c@A-8/0){0,1} ( c@A+32/0 ( ~ s@K/0 | ~ s@A-12/4 ) | c@A+48/0 ( +25ms s@K/0 | ~ s@A-12/4 ) | c@A+78/14 ( ~ s@K/0 | ~ s@A-12/4 ) | c@A+130/38 ~ s@A-12/4 | c@A+216/8 ( ~ s@K/0 | ~ s@A-12/4 ) | c@A+104/0 ~ s@K/0 | c@A+96/0 +10ms s@K/0 ) | $NOISE ~ c@A+48/16 ~ s@A+20/4 c@A+104/126 ( ~ s@K/0 | ~ s@A-12/4 | ~ s@A/0 ~ c@A+100/126 ~ s@A-12/4 ) ) ) | c@A+32/0 (~ c20-84){0,1} +3ms s@A+28/28 | c@A+40/0 (~ c20-84){0,1} +20ms s@A+28/28 | c@A+74/30 (~ c20-84){0,1} ~ s@A+28/28 | c@A+100/68 ~ s@A-12/4 | (~ c@A+24/8 (~ c20-84){0,1}){0,1} ( ~ s@A+230/10#Y (~ c20-40){0,1} ( ( c@A+62/30 | c@A+104/0 | c@A+216/8 ) ( ~ s@Y-212/0 | ~ s@Y-224/0 ) | c@A+122/94 ~ s@A-12/4 | ~ c@A+48/16 ~ s@A+20/4 c@A+104/126 ( ~ s@Y-212/0 | ~ s@Y-224/0 | ~ s@A-12/4 ) ) | ~ s@A+258/14#Z (~ c20-40){0,1} ( ( c@A+36/4 | c@A+74/18 | c@A+104/0 | c@A+216/8 ) ( ~ s@Z-212/0 | ~ s@Z-224/0 | ~ s@Z-236/0 | ~ s@Z-256/0 ) | c@A+48/0 ( ~ s@Z-212/0 | ~ s@Z-224/0 | ~ s@Z-236/0 ) | c@A+122/94 ~ s@A-12/4 | ~ c@A+48/16 ~ s@A+20/4 c@A+104/126 ( ~ s@Z-212/0 | ~ s@Z-224/0 | ~ s@A-12/4 ) ) | ( ~ s@A+128/71 | ~ s@A+1168/895 ) ( c@A+62/30 ~ s@A+20/20 | c@A+104/0 ~ s@A+20/20 | c@A+216/8 ~ s@A+20/20 | c@A+122/94 ~ s@A-12/4 | ~ c@A+48/16 ~ s@A+20/4 c@A+104/126 ~ s@A+20/36 ) ) ) | ~ s24-84#I ~ s@I+12/4#B ( ((~ c@I/0){0,1} ~ c@B+24/8){0,1} ~ s@I/0 ~ s@B+28/28#M ($NOISE2 ~ s@I/0 ~ s@M/0){0,1} (c@I/0){0,1} ( c@B+62/30 | c@B+104/0 | c@B+216/8 ) ~ s@I/0 ( ~ s@M/0 | ~ s@B-16/0 ) | c@B+66/34 ~ s@I/0 ( ~ s@B+28/28 | ~ s@B-16/0 ) ) ) : SSH2 - a program sent a password
    id = automated.password.ssh
    severity = low
    category = ssh

# After both KEXINITs the client sends its half of the key exchange (whose sizes the methods fix), sees the server's key
# and is gone: a person who says "no", a client that knows another key (a man in the middle, or a new server).
# False friend: a scanner that collects keys and does not look like ssh-keyscan.
tcp * = < ( c26-900 (~ s8-900){1,3} | s8-900 ~ c8-24 | s8-900 ~ c26-900 ) (~ x250- (~ x16-1400){0,2}){0,2} (~ c24-32 ~ s100-1200){0,1} $HALF ~ s150- (~ s16-){0,4} > : SSH2 - client left after it saw the server's key
    id = ssh.hostkey.refused
    confidence = 90
    severity = medium
    attack = T1557
    category = ssh

# At least 1 s between the server's key and the client's NEWKEYS: somebody had to say "yes". A pause of a very slow client looks the same.
tcp * = < $KEX +1s ( c16 | c60-420 (~ s24-84 | ~ s150-600){0,1} ~ s40-100 ) : SSH2 - a person accepted the server's key
    id = ssh.hostkey.accepted
    severity = low
    category = ssh

# Gone before any credential: after "none" or the first question at the latest.
tcp * = < $SERVICE ( ~ s40-100#A ( ( ~ c@A+20/4 | ~ c@A+40/0 ) (~ c20-84){0,1} ){0,1} ( ~ s@A+1000/1000 ( ~ c@A+48/16 ~ s@A+20/4 ){0,1} ){0,1} (~ c20-100){0,1} | ~ s24-84#I ~ s@I+12/4#B ( ~ c@B+24/8 ~ s@I/0 ~ s@B+28/28 ){0,1} ) > : SSH2 - closed before a credential was sent
    id = ssh.preauth.closed.auth
    severity = low
    category = ssh

# Left during the key exchange.
tcp 22,222,830,902,2022,2200-2299,8022,10022,22222 = < ( c8-900 (~ s8-900){1,3} | s8-900 ~ c8-900 ) (~ x250- (~ x16-1400){0,2}){0,2} (~ c24-32 ~ s100-1200){0,1} ( $HALF (~ s150- (~ s16-){0,4}){0,1} ){0,1} > : SSH2 - closed before a credential was sent
    id = ssh.preauth.closed
    severity = low
    category = ssh

# ssh-keyscan waits for the server's banner, sends its own of 25 bytes, and leaves with the key.
tcp * = < s8-900 ~ c25/0 (~ x250- (~ x16-1400){0,2}){0,2} (~ c24-32 ~ s100-1200){0,1} $HALF ~ s150- (~ s16-){0,4} > : SSH2 - the server's key was collected
    id = ssh.preauth.closed.scan
    severity = low
    attack = T1046
    category = ssh

# The banner alone was read. Only on ports where SSH is usual: elsewhere one packet tells nothing.
tcp 22,222,830,902,2022,2200-2299,8022,10022,22222 = < ( s8-900 | c8-255 ~ s8-900 (~ s150- (~ s16-1400){0,1}){0,1} | s8-900 ~ c8-100 (~ s150-){0,1} ) > : SSH2 - banner read
    id = ssh.preauth.closed.banner
    severity = low
    attack = T1046
    category = ssh

# Sessions. What was done after the login, from the sizes of requests by RFC 4254 and their replies, and who did it.
# Sizes are relative to `A` as above, with every cipher: 5 bytes of payload (CHANNEL_SUCCESS, EOF) are 8 or 16 bytes
# less; a key or WINDOW_ADJUST (10, 9) the same or, where the length is encrypted and the MAC comes after, as much as
# `A`; "shell" (15) `A`; a session's opening (24) up to 16 more. Taken from the lab's recordings (docs/database-sessions.md
# has figures, and what cannot be told); tests/test_database_sessions.py builds such sessions from messages.
# A library acknowledges output at once (WINDOW_ADJUST, which has the size of a key).
let ADJUST = +0ms-30ms c@A-12/4
# Up to USERAUTH_SUCCESS. Names that end in _I: where IGNORE stands before each message of the server (asyncssh).
let LOGIN = $NOISE ~ c24-1700 ~ s@A-12/4
# The server's host keys (hostkeys-00@openssh.com), which may be behind the reply they come with.
let KEYS = (~ s@A+1000/960){0,2}
# A channel was opened (17 bytes, so `A`; less with compression).
let OPENED = ~ s@A+6/22 (~ s@A-4/12){0,1}
# A session is opened; OpenSSH says no-more-sessions in the same breath.
let OPEN = $KEYS (~ s@A-12/4){0,1} (~ c@A-8/8){0,1} $KEYS ( ~ c@A+96/40 $KEYS ( $OPENED | ~ s@A+1000/960 ) | c@A+8/8 $KEYS $OPENED | +400ms c@A+8/8 $KEYS ~ s@A+4/8 | ~ c@A+4/4 $KEYS ~ s@A+1000/960 ) (~ c@A-8/8){0,1}
# A terminal, then a shell, in two requests.
let PTY = ( (~ c@A-12/4){0,1} ~ c@A+44/20 | ~ c@A-12/4 ~ c@A+36/20 | ~ c@A+360/200 ) ~ s@A-12/4 (~ c@A-12/4){0,1} ~ c@A+0/0 ( ~ s@A-12/4 | ~ s@A+46/38 )
# A terminal with a shell that has shown something.
let TERMINAL = $OPEN ( ~ c@A+360/200 (~ c@A+40/40){0,1} (~ s@A-10/10){0,4} ~ s@A+1000/992 (~ s*){0,12} | $PTY (~ s* | $ADJUST){0,14} )
let TTY = $OPEN ~ c@A+107/51
let LOGIN_I = (~ c24-1700 | ~ s@I/0 ~ s@A+1000/1000){0,} ~ c24-1700 ~ s@I+8/8 ~ s@A-12/4
let KEYS_I = (~ s@I+8/8 ~ s@A+1000/960){0,2}
let OPENED_I = ~ s@I+8/8 ~ s@A+6/22 (~ s@I+8/8 ~ s@A-4/12){0,1}
let OPEN_I = $KEYS_I (~ s@I+8/8 ~ s@A-12/4){0,1} (~ c@A-8/8){0,1} $KEYS_I ( ~ c@A+96/40 $KEYS_I ( $OPENED_I | ~ s@I+8/8 ~ s@A+1000/960 ) | c@A+8/8 $KEYS_I $OPENED_I | +400ms c@A+8/8 $KEYS_I ~ s@I+8/8 ~ s@A+4/8 | ~ c@A+4/4 $KEYS_I ~ s@I+8/8 ~ s@A+1000/960 ) (~ c@A-8/8){0,1}
let PTY_I = ( (~ c@A-12/4){0,1} ~ c@A+44/20 | ~ c@A-12/4 ~ c@A+36/20 | ~ c@A+360/200 ) ~ s@I+8/8 ~ s@A-12/4 (~ c@A-12/4){0,1} ~ c@A+0/0 ( ~ s@I+8/8 ~ s@A-12/4 | ~ s@I+8/8 ~ s@A+46/38 )
let TERMINAL_I = $OPEN_I ( ~ c@A+360/200 (~ c@A+40/40){0,1} (~ s*){1,14} | $PTY_I (~ s* | $ADJUST){0,14} )
let TTY_I = $OPEN_I ~ c@A+107/51
# Chaff: the client's messages of a key's size at 20 ms, and the replies.
let TICK = +0ms-60ms c@A-8/8 (~ s@A-8/8){0,2}
# A line of 11 bytes or more; two keys joined have no such size.
let LONG = c@A+8/0,@A+16/0,@A+24/0,@A+32/0,@A+40/0,@A+48/0,@A+56/0,@A+64/0,@A+72/0,@A+80/0,@A+88/0,@A+96/0,@A+104/0
# What a line makes appear: its echo, output, a prompt.
let SHOWN = (~ s@A-12/4){0,3} ( ~ s@A+1000/992 | ~ s@A/8 $ADJUST{0,1} ~ s* ) (~ s* | $ADJUST){0,14}
# What a command prints and not only the echo of a paste.
let OUTPUT = (~ s@A-12/4){0,3} ( ~ s@A+1000/952 | ~ s@A+992/1008 $ADJUST{0,1} ~ s@A+1000/1000 ) (~ s* | $ADJUST){0,14}
# The same among chaff.
let OUTPUT2 = ( ~ s@A+1000/992 ($TICK){0,2} ~ s@A+1000/1000 | ~ s@A+1000/952 ) (~ s*){0,3}
# What a line of two letters makes appear, to tell it from a key.
let MUCH = (~ s@A/24){0,4} ~ s@A+1000/960 (~ s* | $ADJUST){0,14}

# A key pressed is CHANNEL_DATA of one byte, the smallest message of that kind: 8 or 16 bytes less than the
# acceptance, or its size where the MAC leaves the length encrypted (`/0`). Five in a row, the first after a pause: a
# program that types line by line never sends the smallest message first. Echoes stand anywhere between them, as over
# a long link the person is ahead of what the screen shows, or zsh and fish repaint the line.
# OpenSSH 9.5 and later hide keys among chaff on a grid of 20 ms: chaff begins with a real key after a pause all the
# same, and looks like keys that follow, so what is seen is that somebody types, not how fast.
# Fails: keys joined by Nagle's algorithm, fewer than five keys in a row. False friends: a program that sends byte by
# byte (`expect`'s send -h and send -s), a line of one letter in chaff, port forwards that carry telnet, which people
# type too.
tcp * = < $SERVICE ( ~ s40-100#A | ~ s24-84#I ~ s@I+12/4#A ) ... ( +400ms-1h c@A-12/4#key ( (~ s@key+32/48){0,5} +0ms-1500ms c@key/0 ){4} | +400ms-1h c@A/0#key ( (~ s@key+0/16){0,5} +0ms-1500ms c@key/0 ){4} ) : SSH2 - a person types in a session
    id = human.typing.ssh
    confidence = 97
    severity = low
    attack = T1021.004
    category = ssh


# A program works a terminal: whole lines arrive in one message each, where a person's keys would come one by one. Two
# lines, the first within 0.4 s of the prompt, or three of any pace, one of them longer than any cursor key; later in
# a session three longer ones without a pause. Libraries ask for a terminal without modes and reply to much output
# with WINDOW_ADJUST at once.
# Fails: sessions of one line, lines of two letters at most, more than 25 packets of login. False friends: a terminal
# that answers questions of the shell (fish 4, tmux) and then pastes; a person who logs in and presses cursor keys
# three times before anything else.
tcp * = < $SERVICE ( ~ s36-54#A $LOGIN ( $TERMINAL | $TTY ( ~ s@A+68/30 | ~ s@A-12/4 ~ s@A-12/4 ) (~ s*){1,14} ) ($ADJUST){0,2} | ~ s55-110#A $LOGIN ( $TERMINAL | $TTY ( ~ s@A+114/30 | ~ s@A-12/4 ~ s@A-12/4 ) (~ s*){1,14} ) ($ADJUST){0,2} | ~ s24-36#I ~ s@I+12/4#A $LOGIN_I ( $TERMINAL_I | $TTY_I ( ~ s@I+8/8 ~ s@A+68/30 | ~ s@I+8/8 ~ s@A-12/4 ~ s@I+8/8 ~ s@A-12/4 ) (~ s*){1,14} ) ($ADJUST){0,2} | ~ s37-84#I ~ s@I+12/4#A $LOGIN_I ( $TERMINAL_I | $TTY_I ( ~ s@I+8/8 ~ s@A+114/30 | ~ s@I+8/8 ~ s@A-12/4 ~ s@I+8/8 ~ s@A-12/4 ) (~ s*){1,14} ) ($ADJUST){0,2} ) ( ( (~ c@A-12/4){0,1} c@A+100/100 $SHOWN | c@A-12/4 $MUCH ) ( (~ c@A-12/4){0,1} ~ c@A+100/100 ~ s* | ~ c@A-12/4 $MUCH ) | ((~ c@A-12/4){0,1} ~ c@A+100/100 $SHOWN){0,3} ( (~ c@A-12/4){0,1} ~ c@A+104/96 $OUTPUT (~ c@A-12/4){0,1} ~ c@A+100/100 ~ s* | (~ c@A-12/4){0,1} ~ c@A+100/100 $SHOWN (~ c@A-12/4){0,1} ~ c@A+104/96 ~ s* ) | ( ~ $LONG ($TICK){0,3} $OUTPUT2 ($TICK){2} | c@A+100/100 ($TICK | ~ s*){2,14} $LONG ($TICK){0,3} ~ s* ) | ... ( ( c@A+116/100 (~ s@A-12/4){0,2} ( ~ s@A+1000/992 | ~ s@A/8 ~ s* ) (~ s*){0,8} ){2} c@A+116/100 | ~ s@A+508/500 (~ s@A-8/8){0,2} $TICK{1,3} $LONG (~ s* | $TICK){2,9} $LONG ) ) : SSH2 - a program types in a session
    id = automated.typing.ssh
    confidence = 95
    severity = low
    attack = T1059.004
    category = ssh

# A line after the time that it takes to type it. Round pauses are those of `sleep`.
let LATE = ( +1100ms-1990ms c@A+50/66 | +2080ms-2990ms c@A+50/66 | +3100ms-4990ms c@A+50/66 | +5110ms-9990ms c@A+50/66 | +10.3s-29.9s c@A+50/66 | +30.4s-59.9s c@A+50/66 | +61s-600s c@A+50/66 )

# A shell without a terminal (`ssh -T HOST sh`): the client's own terminal collects lines. Three of them, each after
# 0.8 s and more, the first not at once.
# Fails: fewer than three lines. False friends: a script that sleeps between lines, and programs that poll over one
# command.
tcp * = < $SERVICE ( ~ s40-100#A $LOGIN $OPEN ~ c@A+64/64 ~ s@A+32/48 (~ s@A-12/4){0,2} | ~ s24-84#I ~ s@I+12/4#A $LOGIN_I $OPEN_I ~ c@A+64/64 ~ s@I+8/8 ~ s@A+32/48 (~ s@I+8/8 ~ s@A-12/4){0,2} ) (+1100ms-10min c@A+50/66 (~ s*){0,12}){0,2} ( $LATE (~ s*){0,12} ( $LATE (~ s*){0,12} +1100ms-10min c@A+50/66 | +1100ms-10min c@A+50/66 (~ s*){0,12} $LATE ) | +1100ms-10min c@A+50/66 (~ s*){0,12} $LATE (~ s*){0,12} $LATE ) : SSH2 - a person types lines to a command
    id = human.lines.ssh
    confidence = 90
    severity = low
    attack = T1021.004
    category = ssh


# A terminal was asked for. With its modes the request has 180 bytes and more, as have long commands; but a terminal
# and a shell get two replies, a command one. Or a small request without modes and then "shell", as libraries send
# them.
# Fails: more than some 40 packets before it. False friends: a long command to a server without WINDOW_ADJUST
# (Dropbear).
tcp * = < $SERVICE ( ~ s36-54#A $LOGIN $OPEN ( ~ c@A+107/51 ( ~ s@A+68/30 | ~ s@A-12/4 ~ s@A-12/4 ~ s@A+758/742 ) | ~ c@A+360/200 (~ c@A+40/40){0,1} ( ~ s@A+388/350 | ~ s@A-8/8 ~ s@A+742/758 | ~ s@A+22/14 ~ s@A-12/4 | ~ s@A-12/4 +400ms c@A-12/4 ) | $PTY ) | ~ s55-110#A $LOGIN $OPEN ( ~ c@A+107/51 ( ~ s@A+114/30 | ~ s@A-12/4 ~ s@A-12/4 ~ s@A+758/742 ) | ~ c@A+360/200 (~ c@A+40/40){0,1} ( ~ s@A+434/350 | ~ s@A-8/8 ~ s@A+742/758 | ~ s@A+45/37 ~ s@A-12/4 | ~ s@A-12/4 +400ms c@A-12/4 ) | $PTY ) | ~ s24-36#I ~ s@I+12/4#A $LOGIN_I $OPEN_I ( ~ c@A+107/51 ( ~ s@I+8/8 ~ s@A+68/30 | ~ s@I+8/8 ~ s@A-12/4 ~ s@I+8/8 ~ s@A-12/4 ~ s@A+758/742 ) | ~ c@A+360/200 (~ c@A+40/40){0,1} ( ~ s@I+8/8 ~ s@A+388/350 | ~ s@I+8/8 ~ s@A-8/8 ~ s@A+742/758 | ~ s@I+8/8 ~ s@A+22/14 ~ s@I+8/8 ~ s@A-12/4 | ~ s@I+8/8 ~ s@A-12/4 +400ms c@A-12/4 | ~ s@I+8/8 ~ s@A+4/8 ) | $PTY_I ) | ~ s37-84#I ~ s@I+12/4#A $LOGIN_I $OPEN_I ( ~ c@A+107/51 ( ~ s@I+8/8 ~ s@A+114/30 | ~ s@I+8/8 ~ s@A-12/4 ~ s@I+8/8 ~ s@A-12/4 ~ s@A+758/742 ) | ~ c@A+360/200 (~ c@A+40/40){0,1} ( ~ s@I+8/8 ~ s@A+434/350 | ~ s@I+8/8 ~ s@A-8/8 ~ s@A+742/758 | ~ s@I+8/8 ~ s@A+45/37 ~ s@I+8/8 ~ s@A-12/4 | ~ s@I+8/8 ~ s@A-12/4 +400ms c@A-12/4 | ~ s@I+8/8 ~ s@A+4/8 ) | $PTY_I ) ) : SSH2 - terminal session
    id = ssh.session.interactive
    confidence = 95
    severity = low
    attack = T1021.004
    category = ssh


# One request with one reply, and then output, or input that ends (EOF), or lines after a pause. What looks like SFTP,
# scp, rsync or git is not meant. False friends: git and rsync that end with an error message.
tcp * = < $SERVICE ( ~ s36-54#A $LOGIN $OPEN ( ( (c@A-12/4){0,2} c@A+75/83 ( ~ s@A-12/4 | ~ s@A+22/14 ) | (c@A-12/4){0,2} c@A+23/31 ~ s@A-12/4 ~ s@A-12/4 | (c@A-12/4){0,2} c@A+380/220 ~ s@A+22/14 ) ( ( ~ s@A+30000/30000 ( (~ s*){0,11} ~ c@A-12/4 | (~ s*){0,11} ~ c@A+26/30 > | (~ s*){12} ) | ~ s@A+30000/30000 (~ s*){0,11} > | ~ s@A+30004/29996 (~ s*){0,11} c@A+8/8 ~ s@A+0/0 ) | ~ c@A-12/4 ( ~ s* ~ s* | ~ s@A+30000/30000 ~ c@A-12/4 ~ c@A+26/30 | ~ s@A+30000/30000 ~ c@A-12/4 > | ~ s@A+30000/30000 > | ~ c@A-12/4 ~ s* ~ s* | ~ s@A+30004/29996 ~ c@A-12/4 ~ s@A+41/57 ~ c@A-12/4 ) | (c@A-12/4){0,2} c@A+30200/29800 c@A+30200/29800 | (~ c@A-12/4){0,1} ~ c@A+1500/1500 ~ c@A-12/4 ~ s* | (~ c@A-12/4){0,1} ~ c@A+204/196 ~ s@A+500/500 ~ s@A+29992/30008 | +400ms c@A+50/66 ) | (c@A-12/4){0,2} c@A+75/83 ( (c@A-12/4){0,2} c@A+30200/29800 c@A+30200/29800 | ( (~ c@A-12/4){1,2} | (~ c@A-12/4){0,1} ~ c@A+1500/1500 ~ c@A-12/4 ) ~ s* ~ s* | (~ c@A-12/4){0,1} ~ c@A+1504/1496 ~ s* ~ s* | ~ s@A+30019/29981 ~ s* ) ) | ~ s55-110#A $LOGIN $OPEN ( ( (c@A-12/4){0,2} c@A+75/83 ( ~ s@A-12/4 | ~ s@A+45/37 ) | (c@A-12/4){0,2} c@A+23/31 ~ s@A-12/4 ~ s@A-12/4 | (c@A-12/4){0,2} c@A+380/220 ~ s@A+45/37 ) ( ( ~ s@A+30000/30000 ( (~ s*){0,11} ~ c@A-12/4 | (~ s*){0,11} ~ c@A+26/30 > | (~ s*){12} ) | ~ s@A+30000/30000 (~ s*){0,11} > | ~ s@A+30004/29996 (~ s*){0,11} c@A+8/8 ~ s@A+0/0 ) | ~ c@A-12/4 ( ~ s* ~ s* | ~ s@A+30000/30000 ~ c@A-12/4 ~ c@A+26/30 | ~ s@A+30000/30000 ~ c@A-12/4 > | ~ s@A+30000/30000 > | ~ c@A-12/4 ~ s* ~ s* | ~ s@A+30004/29996 ~ c@A-12/4 ~ s@A+41/57 ~ c@A-12/4 ) | (c@A-12/4){0,2} c@A+30200/29800 c@A+30200/29800 | (~ c@A-12/4){0,1} ~ c@A+1500/1500 ~ c@A-12/4 ~ s* | (~ c@A-12/4){0,1} ~ c@A+204/196 ~ s@A+500/500 ~ s@A+29992/30008 | +400ms c@A+50/66 ) | (c@A-12/4){0,2} c@A+75/83 ( (c@A-12/4){0,2} c@A+30200/29800 c@A+30200/29800 | ( (~ c@A-12/4){1,2} | (~ c@A-12/4){0,1} ~ c@A+1500/1500 ~ c@A-12/4 ) ~ s* ~ s* | (~ c@A-12/4){0,1} ~ c@A+1504/1496 ~ s* ~ s* | ~ s@A+30042/29958 ~ s* ) ) | ~ s24-36#I ~ s@I+12/4#A $LOGIN_I $OPEN_I ( ( (c@A-12/4){0,2} c@A+75/83 ( ~ s@I+8/8 ~ s@A-12/4 | ~ s@I+8/8 ~ s@A+22/14 ) | (c@A-12/4){0,2} c@A+23/31 ~ s@I+8/8 ~ s@A-12/4 ~ s@I+8/8 ~ s@A-12/4 | (c@A-12/4){0,2} c@A+380/220 ~ s@I+8/8 ~ s@A+22/14 ) ( ( ~ s@I+8/8 ~ s@A+30000/30000 ( (~ s*){0,11} ~ c@A-12/4 | (~ s*){0,11} ~ c@A+26/30 > | (~ s*){12} ) | ~ s@I+8/8 ~ s@A+30000/30000 (~ s*){0,11} > | ~ s@I+8/8 ~ s@A+30004/29996 (~ s*){0,11} c@A+8/8 ~ s@I+8/8 ~ s@A+0/0 ) | ~ c@A-12/4 ( ~ s* ~ s* | ~ s@I+8/8 ~ s@A+30000/30000 ~ c@A-12/4 ~ c@A+26/30 | ~ s@I+8/8 ~ s@A+30000/30000 ~ c@A-12/4 > | ~ s@I+8/8 ~ s@A+30000/30000 > | ~ c@A-12/4 ~ s* ~ s* | ~ s@I+8/8 ~ s@A+30004/29996 ~ c@A-12/4 ~ s@I+8/8 ~ s@A+41/57 ~ c@A-12/4 ) | (c@A-12/4){0,2} c@A+30200/29800 c@A+30200/29800 | (~ c@A-12/4){0,1} ~ c@A+1500/1500 ~ c@A-12/4 ~ s* | (~ c@A-12/4){0,1} ~ c@A+204/196 ~ s@I+8/8 ~ s@A+500/500 ~ s@I+8/8 ~ s@A+29992/30008 | +400ms c@A+50/66 ) | (c@A-12/4){0,2} c@A+75/83 ( (c@A-12/4){0,2} c@A+30200/29800 c@A+30200/29800 | ( (~ c@A-12/4){1,2} | (~ c@A-12/4){0,1} ~ c@A+1500/1500 ~ c@A-12/4 ) ~ s* ~ s* | (~ c@A-12/4){0,1} ~ c@A+1504/1496 ~ s* ~ s* | ~ s@I+8/8 ~ s@A+30019/29981 ~ s* | ~ s@I+8/8 ~ s@A+500/500 ~ s* ) ) | ~ s37-84#I ~ s@I+12/4#A $LOGIN_I $OPEN_I ( ( (c@A-12/4){0,2} c@A+75/83 ( ~ s@I+8/8 ~ s@A-12/4 | ~ s@I+8/8 ~ s@A+45/37 ) | (c@A-12/4){0,2} c@A+23/31 ~ s@I+8/8 ~ s@A-12/4 ~ s@I+8/8 ~ s@A-12/4 | (c@A-12/4){0,2} c@A+380/220 ~ s@I+8/8 ~ s@A+45/37 ) ( ( ~ s@I+8/8 ~ s@A+30000/30000 ( (~ s*){0,11} ~ c@A-12/4 | (~ s*){0,11} ~ c@A+26/30 > | (~ s*){12} ) | ~ s@I+8/8 ~ s@A+30000/30000 (~ s*){0,11} > | ~ s@I+8/8 ~ s@A+30004/29996 (~ s*){0,11} c@A+8/8 ~ s@I+8/8 ~ s@A+0/0 ) | ~ c@A-12/4 ( ~ s* ~ s* | ~ s@I+8/8 ~ s@A+30000/30000 ~ c@A-12/4 ~ c@A+26/30 | ~ s@I+8/8 ~ s@A+30000/30000 ~ c@A-12/4 > | ~ s@I+8/8 ~ s@A+30000/30000 > | ~ c@A-12/4 ~ s* ~ s* | ~ s@I+8/8 ~ s@A+30004/29996 ~ c@A-12/4 ~ s@I+8/8 ~ s@A+41/57 ~ c@A-12/4 ) | (c@A-12/4){0,2} c@A+30200/29800 c@A+30200/29800 | (~ c@A-12/4){0,1} ~ c@A+1500/1500 ~ c@A-12/4 ~ s* | (~ c@A-12/4){0,1} ~ c@A+204/196 ~ s@I+8/8 ~ s@A+500/500 ~ s@I+8/8 ~ s@A+29992/30008 | +400ms c@A+50/66 ) | (c@A-12/4){0,2} c@A+75/83 ( (c@A-12/4){0,2} c@A+30200/29800 c@A+30200/29800 | ( (~ c@A-12/4){1,2} | (~ c@A-12/4){0,1} ~ c@A+1500/1500 ~ c@A-12/4 ) ~ s* ~ s* | (~ c@A-12/4){0,1} ~ c@A+1504/1496 ~ s* ~ s* | ~ s@I+8/8 ~ s@A+30042/29958 ~ s* | ~ s@I+8/8 ~ s@A+500/500 ~ s* ) ) ) : SSH2 - command executed
    id = ssh.session.exec
    confidence = 93
    severity = low
    attack = T1021.004
    category = ssh


# SFTP: INIT (9 bytes, the acceptance's size with every cipher), VERSION, and two requests more, all at once. scp's
# own protocol: a byte, a line with mode, length and name, a byte, data. rsync: versions of 4 bytes each, then lists.
# git: the server's list of references, the client's wishes, a pack. Fails: an empty or refused transfer. False
# friends: programs that talk to a command line by line without a pause.
tcp * = < $SERVICE ( ~ s40-100#A $LOGIN $OPEN ( (c@A-12/4){0,2} c@A+196/204 ( ~ s@A-12/4 (~ s@A-12/4){0,1} | ~ s@A+45/37 ) ( (c@A-12/4){0,2} c@A-8/8 ( ~ s@A+500/500 | ~ s@A-12/4 ~ s@A-12/4 ~ s@A+500/500 ) (c@A-12/4){0,2} c@A+200/200 ( ~ s@A+29992/30008 | ~ s@A-12/4 (~ s@A-12/4){0,1} ~ s@A+500/500 ) (c@A-12/4){0,2} c@A+19996/20004 | ( (c@A-12/4){0,2} c@A+0/0 ~ s@A+0/0 (~ s@A+29992/30008){0,4} | ~ s@A+0/0 (c@A-12/4){0,2} c@A+0/0 ~ s@A+29992/30008 (~ s@A+29992/30008){0,4} ) (c@A-12/4){0,2} c@A+200/200 (c*){0,3} ~ s@A+29992/30008 (~ s@A+29992/30008){0,4} (c@A-12/4){0,2} c@A+19996/20004 ) | (c@A-12/4){0,2} c@A+80/80 (c@A-12/4){0,2} c@A+0/0 ( ~ s@A-12/4 (~ s@A-12/4){0,1} | ~ s@A+45/37 ) ( ~ s@A+500/500 (c@A-12/4){0,2} c@A+196/204 ~ s@A+29992/30008 (c@A-12/4){0,2} c@A+19996/20004 | ~ s@A+0/0 (~ s@A+29992/30008){0,4} (c@A-12/4){0,2} c@A+200/200 (c*){0,3} ~ s@A+29992/30008 (~ s@A+29992/30008){0,4} (c@A-12/4){0,2} c@A+19996/20004 ) | (c@A-12/4){0,2} c@A+79/79 ( ~ s@A-12/4 (~ s@A-12/4){0,1} | ~ s@A+45/37 ) ( ~ s@A-8/8 (c@A-12/4){0,2} c@A+50/50 ~ s@A-8/8 (c@A-12/4){0,2} c@A+30000/30000 | c@A-8/8 ~ s@A+50/50 c@A-8/8 ~ s@A+30050/29950 ) | (c@A-12/4){0,2} c@A+120/120 ( ~ s@A-12/4 (~ s@A-12/4){0,1} | ~ s@A+45/37 ) ~ s@A+30000/30000 (~ s*){0,11} (c@A-12/4){0,2} c@A+30020/29980 (c*){0,2} (~ s@A+91/107){0,4} ~ s@A+30100/29900 ~ s@A+30100/29900 | (c@A-12/4){0,2} c@A+79/79 c@A-8/8 ~ s@A-12/4 ~ s@A+50/50 c@A-8/8 ~ s@A+30050/29950 ) | ~ s24-84#I ~ s@I+12/4#A $LOGIN_I $OPEN_I ( (c@A-12/4){0,2} c@A+196/204 ( ~ s@I+8/8 ~ s@A-12/4 (~ s@I+8/8 ~ s@A-12/4){0,1} | ~ s@I+8/8 ~ s@A+45/37 ) ( (c@A-12/4){0,2} c@A-8/8 ( ~ s@I+8/8 ~ s@A+500/500 | ~ s@I+8/8 ~ s@A-12/4 ~ s@I+8/8 ~ s@A-12/4 ~ s@I+8/8 ~ s@A+500/500 ) (c@A-12/4){0,2} c@A+200/200 ( ~ s@I+8/8 ~ s@A+29992/30008 | ~ s@I+8/8 ~ s@A-12/4 (~ s@I+8/8 ~ s@A-12/4){0,1} ~ s@I+8/8 ~ s@A+500/500 ) (c@A-12/4){0,2} c@A+19996/20004 | ( (c@A-12/4){0,2} c@A+0/0 ~ s@I+8/8 ~ s@A+0/0 (~ s@I+8/8 ~ s@A+29992/30008){0,4} | ~ s@I+8/8 ~ s@A+0/0 (c@A-12/4){0,2} c@A+0/0 ~ s@I+8/8 ~ s@A+29992/30008 (~ s@I+8/8 ~ s@A+29992/30008){0,4} ) (c@A-12/4){0,2} c@A+200/200 (c*){0,3} ~ s@I+8/8 ~ s@A+29992/30008 (~ s@I+8/8 ~ s@A+29992/30008){0,4} (c@A-12/4){0,2} c@A+19996/20004 ) | (c@A-12/4){0,2} c@A+80/80 (c@A-12/4){0,2} c@A+0/0 ( ~ s@I+8/8 ~ s@A-12/4 (~ s@I+8/8 ~ s@A-12/4){0,1} | ~ s@I+8/8 ~ s@A+45/37 ) ( ~ s@I+8/8 ~ s@A+500/500 (c@A-12/4){0,2} c@A+196/204 ~ s@I+8/8 ~ s@A+29992/30008 (c@A-12/4){0,2} c@A+19996/20004 | ~ s@I+8/8 ~ s@A+0/0 (~ s@I+8/8 ~ s@A+29992/30008){0,4} (c@A-12/4){0,2} c@A+200/200 (c*){0,3} ~ s@I+8/8 ~ s@A+29992/30008 (~ s@I+8/8 ~ s@A+29992/30008){0,4} (c@A-12/4){0,2} c@A+19996/20004 ) | (c@A-12/4){0,2} c@A+79/79 ( ~ s@I+8/8 ~ s@A-12/4 (~ s@I+8/8 ~ s@A-12/4){0,1} | ~ s@I+8/8 ~ s@A+45/37 ) ( ~ s@I+8/8 ~ s@A-8/8 (c@A-12/4){0,2} c@A+50/50 ~ s@I+8/8 ~ s@A-8/8 (c@A-12/4){0,2} c@A+30000/30000 | c@A-8/8 ~ s@I+8/8 ~ s@A+50/50 c@A-8/8 ~ s@I+8/8 ~ s@A+30050/29950 ) | (c@A-12/4){0,2} c@A+120/120 ( ~ s@I+8/8 ~ s@A-12/4 (~ s@I+8/8 ~ s@A-12/4){0,1} | ~ s@I+8/8 ~ s@A+45/37 ) ~ s@I+8/8 ~ s@A+30000/30000 (~ s*){0,11} (c@A-12/4){0,2} c@A+30020/29980 (c*){0,2} (~ s@A+91/107){0,4} ~ s@I+8/8 ~ s@A+30100/29900 ~ s@I+8/8 ~ s@A+30100/29900 | (c@A-12/4){0,2} c@A+79/79 c@A-8/8 ~ s@I+8/8 ~ s@A-12/4 ~ s@I+8/8 ~ s@A+50/50 c@A-8/8 ~ s@I+8/8 ~ s@A+30050/29950 ) ) : SSH2 - files transferred (SFTP, scp)
    id = ssh.session.transfer
    confidence = 95
    severity = low
    attack = T1021.004, T1105
    category = ssh


# No session at all: connections forwarded (-L, -D; direct-tcpip, 45 bytes and two names), or opened by the server
# (-R), each answered; or only keep-alives.
# Fails: forwards beside a terminal or a command. False friends: clients that log in and stay silent.
tcp * = < $SERVICE ( ~ s36-54#A $LOGIN (~ s@A+1000/960){0,3} (~ s@A-12/4){0,1} ( ~ c@A+56/8#first (~ s@A+1000/960){0,3} (~ s@A-12/4){0,1} ~ s@A+46/54 ~ c@first/0 | ( ~ c@A+16/0 (~ s@A+1000/960){0,3} (~ s@A-12/4){0,1} ~ c@A+96/64 | +300ms c@A+90/50 ) (~ s@A+1000/960){0,3} (~ s@A-12/4){0,1} ~ s@A+46/54 | (~ c@A+16/0 (~ s@A+1000/960){0,3} (~ s@A-12/4){0,1}){0,1} +900ms c@A+8/8 ( ~ s@A-16/0 | ~ s@A-8/0 +300ms c@A+8/24 ) | ( (~ c@A+20/12){1,2} | ~ c@A+96/40 ) (~ s@A+1000/960){0,3} ( ~ s@A-12/4 (~ s@A+1000/960){0,2} +200ms s@A+58/18 ~ c@A+12/12 | +200ms s@A+80/20 ~ c@A+12/12 | ~ s@A-12/4 +1s c@A+16/16 > ) | ~ c@A+148/52 (~ s@A+1000/960){0,3} ~ s@A-8/8 c@A+40/24 ~ s@A+40/24 ~ c@A+1700/1300 ) | ~ s55-110#A $LOGIN (~ s@A+1000/960){0,3} (~ s@A-12/4){0,1} ( ~ c@A+56/8#first (~ s@A+1000/960){0,3} (~ s@A-12/4){0,1} ~ s@A+46/54 ~ c@first/0 | ( ~ c@A+16/0 (~ s@A+1000/960){0,3} (~ s@A-12/4){0,1} ~ c@A+96/64 | +300ms c@A+90/50 ) (~ s@A+1000/960){0,3} (~ s@A-12/4){0,1} ~ s@A+46/54 | (~ c@A+16/0 (~ s@A+1000/960){0,3} (~ s@A-12/4){0,1}){0,1} +900ms c@A+8/8 ( ~ s@A-16/0 | ~ s@A-8/0 +300ms c@A+8/24 ) | ( (~ c@A+20/12){1,2} | ~ c@A+96/40 ) (~ s@A+1000/960){0,3} ( ~ s@A-12/4 (~ s@A+1000/960){0,2} +200ms s@A+58/18 ~ c@A+12/12 | +200ms s@A+80/20 ~ c@A+12/12 | ~ s@A-12/4 +1s c@A+16/16 > ) ) | ~ s24-36#I ~ s@I+12/4#A $LOGIN_I (~ s@I+8/8 ~ s@A+1000/960){0,3} (~ s@I+8/8 ~ s@A-12/4){0,1} ( ~ c@A+56/8#first (~ s@I+8/8 ~ s@A+1000/960){0,3} (~ s@I+8/8 ~ s@A-12/4){0,1} ~ s@I+8/8 ~ s@A+46/54 ~ c@first/0 | ( ~ c@A+16/0 (~ s@I+8/8 ~ s@A+1000/960){0,3} (~ s@I+8/8 ~ s@A-12/4){0,1} ~ c@A+96/64 | +300ms c@A+90/50 ) (~ s@I+8/8 ~ s@A+1000/960){0,3} (~ s@I+8/8 ~ s@A-12/4){0,1} ~ s@I+8/8 ~ s@A+46/54 | (~ c@A+16/0 (~ s@I+8/8 ~ s@A+1000/960){0,3} (~ s@I+8/8 ~ s@A-12/4){0,1}){0,1} +900ms c@A+8/8 ( ~ s@A-16/0 | ~ s@A-8/0 +300ms c@A+8/24 ) | ( (~ c@A+20/12){1,2} | ~ c@A+96/40 ) (~ s@I+8/8 ~ s@A+1000/960){0,3} ( ~ s@I+8/8 ~ s@A-12/4 (~ s@I+8/8 ~ s@A+1000/960){0,2} +200ms s@A+58/18 ~ c@A+12/12 | +200ms s@A+80/20 ~ c@A+12/12 | ~ s@I+8/8 ~ s@A-12/4 +1s c@A+16/16 > ) | ~ c@A+148/52 (~ s@I+8/8 ~ s@A+1000/960){0,3} ~ s@I+8/8 ~ s@A-8/8 c@A+40/24 ~ s@A+40/24 ~ c@A+1700/1300 ) | ~ s37-84#I ~ s@I+12/4#A $LOGIN_I (~ s@I+8/8 ~ s@A+1000/960){0,3} (~ s@I+8/8 ~ s@A-12/4){0,1} ( ~ c@A+56/8#first (~ s@I+8/8 ~ s@A+1000/960){0,3} (~ s@I+8/8 ~ s@A-12/4){0,1} ~ s@I+8/8 ~ s@A+46/54 ~ c@first/0 | ( ~ c@A+16/0 (~ s@I+8/8 ~ s@A+1000/960){0,3} (~ s@I+8/8 ~ s@A-12/4){0,1} ~ c@A+96/64 | +300ms c@A+90/50 ) (~ s@I+8/8 ~ s@A+1000/960){0,3} (~ s@I+8/8 ~ s@A-12/4){0,1} ~ s@I+8/8 ~ s@A+46/54 | (~ c@A+16/0 (~ s@I+8/8 ~ s@A+1000/960){0,3} (~ s@I+8/8 ~ s@A-12/4){0,1}){0,1} +900ms c@A+8/8 ( ~ s@A-16/0 | ~ s@A-8/0 +300ms c@A+8/24 ) | ( (~ c@A+20/12){1,2} | ~ c@A+96/40 ) (~ s@I+8/8 ~ s@A+1000/960){0,3} ( ~ s@I+8/8 ~ s@A-12/4 (~ s@I+8/8 ~ s@A+1000/960){0,2} +200ms s@A+58/18 ~ c@A+12/12 | +200ms s@A+80/20 ~ c@A+12/12 | ~ s@I+8/8 ~ s@A-12/4 +1s c@A+16/16 > ) ) ) : SSH2 - port forwarded
    id = ssh.session.forward
    confidence = 85
    severity = medium
    attack = T1572
    category = ssh

