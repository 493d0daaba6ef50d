# SPDX-License-Identifier: LGPL-2.1-or-later
# SSH protocol 2: clients that leave before they send a credential, and what they say about the server's key.
include "ssh.fp"

let BIG_S = s250- (~ s16-1460){0,1}
# The client's half by its size, where nothing else follows.
let HALF = ( ~ c48,72,80,112,144,152,272,400,528,1040,1190-1240 | ~ c1448 ~ c100-300 )
# After both KEXINITs the client sends its half of the key exchange (whose sizes the methods fix), sees the server's key
# and is gone: a person who says "no", a client that knows another key (a man in the middle, or a new server). Programs that
# collect keys or methods (ssh-audit, nmap's scripts, ssh-keyscan, those in Go) leave at the same place. The pause of a person
# before the end has no packet after it, so it is not seen. Who leaves without a word must look like a client that people use, by its
# banner and KEXINIT; no scanner completes the exchange, or says DISCONNECT then (NOT_TRUSTED).
# Taken from: OpenSSH as distributions name it and Net::SSH (banners of 29 bytes and more), upstream's OpenSSH (21; its KEXINIT is
# larger than any that ssh-audit sends with the same banner), PuTTY (28), libssh, JSch and PHP (libssh2), which complete the exchange
# before they look, Dropbear and Conch (banner and KEXINIT joined), of which Conch says DISCONNECT in clear text.
# Fails: Go, Paramiko (of which programs leave there for other reasons), AsyncSSH, OpenSSH of 21 bytes with few methods. False friends: the same programs, stopped
# at that place for other reasons; a scanner with a client's banner and lists.
# What is left of the server's banner and KEXINIT; the client's KEXINIT, whose first part may fill a segment.
let SERVERS = (~ s16-3000){0,3}
let CLIENT_LISTS = ( ~ c600-1800!1428,1440,1448,1460 | ~ c1428-1460 $SERVERS ~ c16-500 ) $SERVERS
let LARGE_LISTS = ( ~ c1160-1800!1428,1440,1448,1460 | ~ c1428-1460 $SERVERS ~ c16-500 ) $SERVERS
let OPENSSH = ( c29-60 ~ s8-1800 | s8-1800 ~ c29-60 ) $SERVERS $CLIENT_LISTS (~ c24-32 ~ s100-1200){0,1}
let LIKE_OPENSSH = ( c21,26-28 ~ s8-1800 | s8-1800 ~ c21,26-28 ) $SERVERS $LARGE_LISTS (~ c24-32 ~ s100-1200){0,1}
let LIBSSH = ( c22-24 ~ s8-1800 | s8-1800 ~ c22-24 ) $SERVERS ~ c880-950 $SERVERS
let JSCH = ( c18-24 ~ s8-1800 | s8-1800 ~ c18-24 ) $SERVERS ~ c600-900 $SERVERS ~ c88
let PHP = ( c28 ~ s8-1800 | s8-1800 ~ c28 ) $SERVERS ~ c1100-1200 $SERVERS $HALF
# Any client: after the server's key it says DISCONNECT in clear text, or completes the exchange and leaves; but Paramiko (24, 25), whose
# programs do so for other reasons.
let SEEN(client) = ( c$client ~ s8-1800 | s8-1800 ~ c$client ) $SAID{0,2} $LISTED{1,4} (~ c24-40 ~ s100-1200){0,1} ~ c48-1600 ~ s150- (~ s16-){0,3}
let NOT_TRUSTED = ( $SEEN(8-60) ~ c24-120 (~ s16){0,1} > | c600-800 ~ s8-1800 $LISTED{0,2} $HALF ~ s150- (~ s16-){0,3} ~ c24-120 > | $SEEN(8-23,26-60) ~ c16 (~ s16-){0,2} (~ c36-100){0,1} > )
let HELLO_ALL = ( $ALL_C ( ~ s12-60 ~ $BIG_S | ~ s450-700 ) | s12-60 ~ $ALL_C ~ $BIG_S )
let KEY_SEEN = ~ s150- (~ s16-){0,4}
tcp * = < ( $NOT_TRUSTED | ( $OPENSSH $HALF | $LIKE_OPENSSH $HALF | $HELLO_ALL $HALF{0,1} ) $KEY_SEEN ( + c24-120 ){0,1} > | $LIBSSH $HALF $KEY_SEEN ~ c16 (~ s16-){0,2} (~ c36-100){0,1} > | $LIBSSH $HALF ~ s150-250 ~ c16 (~ s16-){0,2} (~ c36-100){0,1} > | $JSCH $KEY_SEEN ~ c60-120 > | $PHP $KEY_SEEN ~ c16 (~ s16-){0,1} ~ c40-100#service ~ s@service ~ c@service+48/16 > ) : SSH2 - client left after it saw the server's key
    id = ssh.hostkey.refused
    confidence = 90
    severity = medium
    attack = T1557
    category = ssh

# At least 1 s between the server's key and the client's NEWKEYS: somebody had to say "yes". Taken from: OpenSSH, PuTTY, Dropbear.
# Fails: who says "yes" within a second; programs that ask after the exchange. False friends: a very slow client or a busy machine.
tcp * = < $KEX +1s ( c16 | c60-420 (~ s24-84 | ~ s104-600){0,1} ~ s40-100 | c60-160 (~ s16-1500){0,2} ~ c40-100 ~ s24-100 ) : SSH2 - a person accepted the server's key
    id = ssh.hostkey.accepted
    confidence = 95
    severity = low
    category = ssh

# Gone before any credential: after "none" or the first question at the latest.
# In chacha20 (40 above `A`) "none" for a name of 21 to 28 bytes, a request to be asked, an empty password (ncrack), answered at once.
# Fails: "none" for a long name that is answered together with a banner or EXT_INFO, which may be a password. False friends: a password
# where a refusal looks like a question; one in chacha20 that with the name has 12 to 19 bytes, is sent first and refused at once;
# libssh2's one password after "none", which is as large as PuTTY's request to be asked.
let LEFT = $IGNORE (~ c@A+4/20){0,1}
let LEFT_ALIKE = ( $LEFT > | $IGNORE ~ c@A+44/4 $ALIKE(+0ms-229ms, ) > | $IGNORE ~ c@A+48/16 > )
let LEFT_NONE = ( ( $NONE | $NONE_8 ) > | ( $IGNORE ~ c@A+16,@A+24 (~ c20-84){0,1} ){0,1} $BANNER() ( ~ s@A+36/36 | ~ $JOINT ) $LEFT_ALIKE | ( $NONE | $NONE_8 ){0,1} $FIRST_LONG(~, ) $IGNORE c@A+44/4 +0ms-229ms s@F > | $NONE ~ c@A+56/8 > )
let LEFT_I = ( $IGNORE > | ( $NONE | $NONE_8 ) > | ( $NONE | $NONE_8 ){0,1} ~ s@I ~ s@A+36/36 $LEFT > )
let LEFT_PIECES = $NONE_PIECES $BANNER() ( ~ s@A+40/40 | ~ $JOINT ) >
# In pieces.
let LEFT_CUT(pre, off, post) = (~ c@I-8,@I-16){0,1} ~ c@I+20/4 $CUT_F($pre, $off, $post) ( ~ c@I+48/16 $pre ~ s@I+16-$off $post ){0,1} (~ c@I+4/20){0,1} >
# Those that ask for nothing first.
let ASKING = $SERVICE_AFTER($KEX_OTHER(8-23,32-43), ~)
let LEFT_LONG = ~ c@A+32,@A+48 ( ~ s@A+40/40 | ~ $JOINT ) >
tcp * = < ( $SERVICE ( ~ s40-100!@I-40/16#A ( $LEFT > | $LEFT_NONE | $LEFT_PIECES ) | ~ $WITH_I $LEFT_I ) | $CUT(~) ( $LEFT_CUT(~ s4, 4, ) | $LEFT_CUT(~ s4, 20, ~ s16) | $LEFT_CUT(, 32, ~ s32) | $LEFT_CUT(, 20, ~ s20) | $LEFT_CUT(, 64, ~ s64) ) | $BY_OPENSSH ~ s40-100#A $LEFT_LONG | $ASKING ~ s40-100#A c@A+40 +0ms-229ms s@A+527/527!@A+16 > ) : SSH2 - closed before a credential was sent
    id = ssh.preauth.closed.auth
    confidence = 95
    severity = low
    category = ssh

# Left during the key exchange: after a banner, a KEXINIT, in a group exchange, with DISCONNECT in clear text (20 to 120 bytes), after the
# server's key, or after NEWKEYS. Scanners do all of that. Fails: other ports; the server's banner in several packets. False friends:
# anything else on these ports that begins like it; a session of which the capture ends there.
let AFTER_KEX = ~ c16 (~ s16-1500){0,2} (~ c24-100){0,1}
let LEFT_KEX = $SAID{0,4} $LISTED{0,3} $SAID{0,2} $LISTED{0,3} (~ c16-40 ~ s100-1200){0,1} ( ~ c48-1600 | ~ c16-120 | ~ c48-1600 ~ s150- (~ s16-){0,3} ( $AFTER_KEX | ~ c24-120 ){0,1} ){0,1}
tcp 22,222,830,902,2022,2200-2299,8022,10022,22222 = < ( ( c2- (~ c2-900){0,1} ~ s8-1800 | s8-1800 (~ s2-900){0,1} ~ c2- ) $LEFT_KEX | $PHP $KEY_SEEN ~ c16 (~ s16-){0,1} ~ c40-100#service ~ s@service ~ c@service+48/16 ) > : SSH2 - closed before a credential was sent
    id = ssh.preauth.closed
    severity = low
    category = ssh

# ssh-keyscan waits for the server's banner, sends its own of 25 bytes, and leaves with the key. Fails: a server that takes its first
# method only after a second try; newer ones that send both halves at once. False friend: Paramiko of 25 bytes, stopped there.
tcp * = < s8-1800 ~ c25 (~ x250- (~ x16-1400){0,2}){0,2} (~ c24-32 ~ s100-1200){0,1} $HALF ~ s150- (~ s16-){0,4} > : SSH2 - the server's key was collected
    id = ssh.preauth.closed.scan
    severity = low
    attack = T1046
    category = ssh

# The banner alone was read, or answered with something that is none. Only on ports where SSH is usual: elsewhere one packet tells
# nothing. Fails: a scanner that sends a KEXINIT. False friends: whatever greets first and is left alone on these ports (SMTP, FTP).
tcp 22,222,830,902,2022,2200-2299,8022,10022,22222 = < ( s8-1800 | c2-255 ~ s8-1800 (~ s150- (~ s16-1400){0,1}){0,1} | c8-900 ~ s8-1800 ~ s19-60 (~ s2){0,1} | s8-1800 ~ c2-100 ( ~ s19-60 (~ s2){0,1} | ~ s150- (~ s16-1400){0,1} ){0,1} ) > : SSH2 - banner read
    id = ssh.preauth.closed.banner
    severity = low
    attack = T1046
    category = ssh
