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

# A terminal was asked for: with its modes the request has 180 bytes and more. Programs that send no modes are missed.
tcp * = < $SERVICE ~ s40-100#A $NOISE ~ c24-1700 ~ s@A-12/4 (~ x*){0,8} ~ c@A+360/180 : SSH2 - terminal session
    id = ssh.session.interactive
    severity = low
    attack = T1021.004
    category = ssh

# SFTP: INIT, and the list of extensions in the answer of OpenSSH's sftp-server.
tcp * = < $SERVICE ~ s40-100#A $NOISE ~ c24-1700 ~ s@A-12/4 (~ x*){0,10} ~ c@A+8/8 ~ s@A+316/8 : SSH2 - files transferred (SFTP, scp)
    id = ssh.session.transfer
    severity = low
    attack = T1021.004, T1105
    category = ssh

# Neither: a short session without a terminal request.
tcp * = < $SERVICE ~ s40-100#A $NOISE ~ c24-1700 ~ s@A-12/4 (~ c@A+70/94 | ~ s@A+140/156 | ~ s@A+1000/660){3,32} > : SSH2 - command executed
    id = ssh.session.exec
    confidence = 60
    severity = low
    attack = T1021.004
    category = ssh

# A key pressed is CHANNEL_DATA of one byte: 8 bytes less than the acceptance in chacha20, 16 less in AES. Six in a row with the
# pauses of a hand. Echoes stand anywhere between them: over a long link the person is ahead of what the screen shows.
# WINDOW_ADJUST has the same size in chacha20, but a download has more and larger packets between two of them.
# OpenSSH 9.5 and later hide keystrokes among chaff at a fixed pace of 20 ms: those stay unknown.
tcp * = < $SERVICE ~ s40-100#A ... +30ms-900ms c@A-12/4#key (~ s28-400){0,3} (+30ms-900ms c@key/0 (~ s28-400){0,3}){5} : SSH2 - a person types in a session
    id = human.typing.ssh
    severity = low
    attack = T1021.004
    category = ssh
