# SPDX-License-Identifier: LGPL-2.1-or-later
# SSH protocol 2: the forms that sessions take after the login, for ssh-session.fp and the files that it includes.
#
# Sizes are relative to `A`, the service's acceptance (17 bytes of payload), and follow from RFC 4254 and the cipher. Payloads,
# and what they are above `A` in chacha20 | AES-GCM and encrypt-then-MAC | MAC after:
#
#   CHANNEL_SUCCESS, EOF, CLOSE   5   -8 | -16 | -16       a terminal        46 and more   32 and more
#   a key; WINDOW_ADJUST      10, 9   -8 | -16 | 0         OPEN + no-more-sessions         60 to 116 | MAC after: 84 to 128
#   "shell", SFTP's INIT     15, 18    0                   two small replies in one packet  8 to 36, 32 to 48, 64 to 80
#   a session is opened; EXIT    25    8 | 0 | 16          three of them                   40 to 72, 88 to 96, 152 to 160
#
# What shares a packet adds up, so sums depend on the MAC, that is on `A`: 36 to 58, 60 to 72, or 88 to 110. Parameters stand for
# such sums: `two` and `three` replies in one packet, OPEN with no-more-sessions (`open`), a reply and output (`said`).
# Names in _I, and the parameter `i`, are for servers that send IGNORE before each message (AsyncSSH).
# What tells a terminal from a command are its two requests and their two replies, not how long they are: a command with a
# variable, a long command, and a terminal have the same size. OpenSSH's server answers "shell" and "exec" with WINDOW_ADJUST
# as well; that it is OpenSSH's is told by the host keys that it announces (OPEN_K; OPEN_N without). Where that leaves two
# readings, what follows decides (keys, lines with echoes, the end without any input), or nothing is said.
# Taken from: arithmetic, and tests/ssh_actions.py, which makes sessions of messages by 18 kinds of clients and 8 of servers;
# names that begin with SEEN_ from the lab's recordings: compressed sessions, AsyncSSH, JSch, Twisted. Figures, and what cannot
# be told: docs/database-sessions.md.
#
# The key exchange, up to the acceptance, is in a file of its own.
include "ssh-start.fp"

let LOGIN = $NOISE ~ c24-1700 ~ s@A-12/4
let LOGIN_I = (~ c24-1700 | ~ s@A-12/4 ~ s@A+1000/1000){0,} ~ c24-1700 ~ s@A-8/8 ~ s@A-12/4

# A session's channel is opened, with OpenSSH's no-more-sessions perhaps; answered, perhaps in one packet with the answer to that, or
# compressed. OpenSSH's client may ask for proofs of keys that are new to it (hostkeys-prove) in between.
let OPENS = (~ c@A-12/4){0,1} ( ~ c@A+8/8 | ~ c@A+105/45 ) (~ c@A+16/0){0,1}
let PROVE = (~ c@A+640/560 | ~ c@A-12/4){0,1}
let CONF = ( (~ s@A-12/4){0,1} ~ s@A+4/4 | ~ s@A+56/28 | (~ s@A-12/4){1,2} )
let OPEN_N = (~ s@A-12/4){0,1} $OPENS $CONF (~ c@A+16/0){0,1}
let OPEN_K = ( (~ c@A-12/4){0,1} (~ s@A+1000/960){1,2} $OPENS (~ s@A+1000/960){0,1} | $OPENS (~ s@A+1000/960){1,2} ) ( $PROVE $CONF (~ s@A+640/560){0,1} ){0,1} (~ c@A+16/0){0,1}
let OPEN_X = ( $OPEN_N | $OPEN_K )
# AsyncSSH's client sends IGNORE before its messages.
let IGNORED = (c@A-12/4){0,1}
# Where the answer is compressed.
let OPEN_ZE = (~ s@A+1000/960){0,2} (~ c@A-12/4){0,1} ~ c@A+4/4 (~ s@A+1000/960){0,2} ~ s@A-12/4 $IGNORED
let OPEN_Z = (~ s@A+1000/960){0,2} (~ c@A-12/4){0,1} ~ c@A+8/8 (~ s@A+1000/960){0,2} ~ s@A-12/4 $IGNORED
let REQS = ($IGNORED ~ c@A+18/10 (~ s@A-12/4){0,1}){0,4} $IGNORED
let REQS_MORE = ($IGNORED ~ c@A+38/30 (~ s@A-12/4){0,1}){0,4} $IGNORED
# One request for a command, after such for variables with or without replies. 38/38 is up to 74 letters.
let REQ = ( $IGNORED c@A+38/38 | ($IGNORED ~ c@A+18/10 (~ s@A-12/4){0,1}){1,4} $IGNORED c@A+42/34 )
# A terminal, its reply, "shell", its reply.
let WAITED = $REQS_MORE ~ c@A+226/194 ~ s@A-12/4 (+0ms-200ms c@A-12/4){0,1} +0ms-200ms c@A/0 (~ c@A+50/50){0,2} ( ~ s@A-12/4 | ~ s@A/0 ~ s@A-12/4 | ~ s@A+1000/992 ~ s* )
# A terminal, its reply, a command: programs do that (Ansible), so it is a command.
let WAITED_COMMAND = $REQS ~ c@A+226/194 ~ s@A-12/4 $IGNORED c@A+404/396 ( ~ s@A-12/4 (~ s@A-8/8){0,1} | ~ s@A+44/36 ) ~ s@A+30004/29996
# A terminal and "shell" without waiting for the first reply; a command and its first input have one reply only.
let PIPED = $REQS_MORE ~ c@A+226/194 $IGNORED c@A/0 ( ( ~ s@A-12/4 (~ s@A-8/8){1,2} | ~ s@A+84/76 (~ s@A-8/8){0,1} ) ~ s@A+1000/992 | ~ s@A-12/4 ~ s@A+1000/992 (~ s*){0,} +400ms c@A+200/216 )
# All requests in one packet: a terminal and a shell, or a command with variables, or a long one.
let JOINED_REQUESTS = c@A+440/364
# The replies to a terminal and a shell (TERMS), a command that has printed something (HAS_SAID), its input ended (HAS_ENDED), its reply alone (IS_TOLD).
let TERMS(two, three) = ( $WAITED | $PIPED | $IGNORED ~ $JOINED_REQUESTS ( ~ s$three | ( ~ s@A-12/4 ~ s$two | ~ s$two ~ s@A-8/8 | ~ s@A-12/4 ~ s@A-8/8 (~ s@A-8/8){0,3} ~ s@A-12/4 ) ~ s@A+1000/992 ) )
let OPEN_E(open) = (~ s@A+1000/960){0,2} (~ s@A-12/4){0,1} (~ c@A-12/4){0,1} ( ~ c@A+4/4 | ~ c$open ) (~ c@A+16/0){0,1} ( (~ s@A+1000/960){0,2} $PROVE $CONF (~ s@A+640/560){0,1} | (~ s@A+1000/960){1,2} ) (~ c@A+16/0){0,1}
let TERM(two, three) = ( $OPEN_X $TERMS($two, $three) | $OPEN_N $IGNORED ~ $JOINED_REQUESTS ( ~ s$two ~ s@A+1000/992 | (c@A-12/4){0,1} ~ s@A-12/4 (c@A-12/4){0,1} ~ s@A-12/4 (c@A-12/4){0,1} ~ s@A+1000/1000 (~ s@A+1000/1000 | +400ms c*) ) | $OPEN_Z c@A+360/200 (~ s@A-12/4){1,2} ~ s@A+1000/992 )
let TERM_E(two, three, open) = ( $OPEN_E($open) ( $TERMS($two, $three) | $IGNORED ~ $JOINED_REQUESTS ( ~ s$two | (c@A-12/4){0,1} ~ s@A-12/4 (c@A-12/4){0,1} ~ s@A-12/4 ) ~ s@A+1000/992 ) | $OPEN_ZE c@A+360/200 (~ s@A-12/4){1,2} ~ s@A+1000/992 )
let HAS_SAID(two, said) = ( ( $OPEN_X $REQ ( ~ s@A-8/8 | ~ s$two ) | ( $OPEN_K $REQ | $OPEN_N $IGNORED c@A+20/20 ) (~ s@A-8/8){2,3} ) ~ s@A+30004/29996 | $OPEN_X $REQ ( ~ s$said ) | $OPEN_K $IGNORED $JOINED_REQUESTS ( (~ s@A-8/8){1,2} ~ s@A+30004/29996 | ~ s$two ~ s@A+30004/29996 | ~ s$said ) | $OPEN_N $IGNORED $JOINED_REQUESTS ( ~ s@A-12/4 ~ s@A+30004/29996 | ~ s$said ) )
let HAS_ENDED(two) = ( ( $OPEN_X $REQ | $OPEN_K $IGNORED $JOINED_REQUESTS ) ( (~ s@A-8/8){0,2} | ~ s$two ) (c@A-12/4){1,2} | $OPEN_N $IGNORED $JOINED_REQUESTS (c@A-12/4){1,2} ~ s@A-12/4 ~ s@A+30004/29996 )
let IS_TOLD(two) = ( ( $OPEN_X $REQ | $OPEN_K $IGNORED $JOINED_REQUESTS ) ( (~ s@A-8/8){1,2} | ~ s$two ) | $OPEN_N $IGNORED $JOINED_REQUESTS ~ s@A-12/4 )
# Output, acknowledged at once; the end.
let REST = ( ~ s* | ~ s@A+30000/30000 +0ms-100ms c@A/0 | +0ms-100ms c@A-12/4 ){0,}
let ENDS = ( ~ s* > | (c@A-8/8){1,4} (c@A+16/16){0,1} (~ s*){0,2} > | c@A+46/54 > )
let ADJ_C = (+0ms-60ms c@A-8/8){0,1}
# What a shell shows.
let OUT = ( ~ s* | ~ s@A+1000/1000 +0ms-60ms c@A/0 | +0ms-60ms c@A-12/4 )
# A line of a program whose echo has its size, then more: output, a prompt. ECHO_E where a key is smaller than `A`.
let ECHO_E = ~ c@A+54/54#e (~ s@A-12/4){0,2} ~ s@e+20/20 $ADJ_C ~ s@A+1000/1000 $OUT{0,}
let ASKED = $REQS_MORE ~ c@A+430/398 $OUT{0,3} ($IGNORED c@A/0){0,1} $OUT{1,} (~ c@A-8/8 $OUT{1,}){0,2}
let ECHO = ~ c@A+58/50#e (~ s@A-8/8){0,2} ~ s@e+20/20 $ADJ_C ~ s@A+1000/1000 $OUT{0,}
let ECHO_I = ~ c@A+58/50#e (~ s@A-8/8){0,3} ~ s@e+20/20 $ADJ_C ~ s@A-12/4 ~ s@A+1000/1000 $OUT{0,}
# The same where IGNORE stands before each message of the server.
let KEYS_I = (~ s@A-12/4 ~ s@A+1000/960){0,2}
let OPEN_I = $KEYS_I $OPENS $KEYS_I ( (~ s@A-12/4 ~ s@A-12/4){0,1} ~ s@A-8/8 ~ s@A+4/4 | ~ s@A-12/4 ~ s@A+1000/960 ) (~ c@A+16/0){0,1}
let OK_I = ~ s@A-8/8 ~ s@A-8/8
let WAITED_I = ($IGNORED ~ c@A+38/30 ($OK_I){0,1}){0,4} $IGNORED ~ c@A+226/194 $OK_I (+0ms-200ms c@A-12/4){0,1} +0ms-200ms c@A/0 ~ s@A-12/4 ~ s@A-12/4
let PIPED_I = ($IGNORED ~ c@A+38/30 ($OK_I){0,1}){0,4} $IGNORED ~ c@A+226/194 $IGNORED c@A/0 (~ s@A-12/4 ~ s@A-12/4){1,3} ~ s@A-12/4 ~ s@A+1000/992
let TERM_I = $OPEN_I ( $WAITED_I | $PIPED_I | $IGNORED ~ $JOINED_REQUESTS $OK_I{2,3} ~ s@A-12/4 ~ s@A+1000/992 )
let SAID_I = $OPEN_I ( ($IGNORED ~ c@A+18/10 ($OK_I){0,1}){0,4} $IGNORED c@A+38/38 ($OK_I){0,2} ~ s@A-8/8 | $IGNORED $JOINED_REQUESTS $OK_I ~ s@A-12/4 ) ~ s@A+30004/29996
let EOF_I = $OPEN_I ($IGNORED ~ c@A+18/10 ($OK_I){0,1}){0,4} $IGNORED c@A+38/38 ($OK_I){0,1} (c@A-12/4){1,2}
let TOLD_I = $OPEN_I ($IGNORED ~ c@A+18/10 ($OK_I){0,1}){0,4} $IGNORED c@A+38/38 $OK_I
# Lines to a command that nobody sees echoed.
let LINES_AFTER = (~ s*){0,12} +400ms c@A+50/66
let SMALL_ONE(two) = ( $OPEN_X (~ c@A+18/10 ~ s@A-12/4){0,4} c@A+38/38 ( ~ s@A-12/4 | ~ s$two ) | $OPEN_K c@A+38/38 (~ s@A-8/8){1,2} | $OPEN_N c@A+20/20 (~ s@A-8/8){1,2} )
# Five keys in a row, the first after a pause, each the smallest message of its kind.
let KEYS_PRESSED = ( +400ms-1h c@A-12/4#key ( ( (~ s@key+32/48){1,5} +0ms-1500ms c@key/0 ){2} ( (~ s@key+32/48){0,5} +0ms-1500ms c@key/0 ){2} | ( (~ s@key+0/16,@A+12/0,@A+20/0,@A+28/0,@A+36/0,@A+68/0){0,5} +0ms-1500ms c@key/0 ){2} ( (~ s@key+0/16,@A+12/0,@A+20/0,@A+28/0,@A+36/0,@A+68/0){1,5} +0ms-1500ms c@key/0 ){2} | ( (~ s@key+0/16,@A+12/0,@A+20/0,@A+28/0,@A+36/0,@A+68/0){0,5} +0ms-1500ms c@key/0 ){4} ( (+0ms-1500ms c@key/0){0,9} ~ s@key+0/16,@A+12/0,@A+20/0,@A+28/0,@A+36/0,@A+68/0 ){2} ) | +400ms-1h c@A/0#key ( ( (~ s@key+0/16){1,5} +0ms-1500ms c@key/0 ){2} ( (~ s@key+0/16){0,5} +0ms-1500ms c@key/0 ){2} | ( (~ s@key+0/16,@A+12/0,@A+20/0,@A+28/0,@A+36/0,@A+68/0){0,5} +0ms-1500ms c@key/0 ){2} ( (~ s@key+0/16,@A+12/0,@A+20/0,@A+28/0,@A+36/0,@A+68/0){1,5} +0ms-1500ms c@key/0 ){2} | ( (~ s@key+0/16,@A+12/0,@A+20/0,@A+28/0,@A+36/0,@A+68/0){0,5} +0ms-1500ms c@key/0 ){4} ( (+0ms-1500ms c@key/0){0,9} ~ s@key+0/16,@A+12/0,@A+20/0,@A+28/0,@A+36/0,@A+68/0 ){2} ) )
# Input, or the end: not a close and, later, good-bye, as a kept connection (ControlPersist) has after a command that was given a
# terminal (Ansible).
let USED = (~ s*){0,} ( > | ~ c* ( > | ~ s* | +0ms-700ms c* ) )
# Another channel over the same connection.
let NEXT_CHANNEL = ( (c@A-12/4){1,4} $OPENS | c@A+62/26 ) $CONF $IGNORED c@A+238/238
let NEXT_CHANNEL_I = ( (c@A-12/4){1,4} $OPENS | c@A+62/26 ) (~ s@A-8/8){1,4} c@A+238/238
# Input that ends: lines and EOF, or much.
let INPUT = ~ c@A+30000/30000 (c@A+30000/30000){0,} ( c@A-12/4 ~ s* | (~ s*){1,} $ENDS | (~ s*){1,} c@A-12/4 (~ s*){1,} $ENDS )
let UPLOAD = ~ c@A+30000/29000 (~ s@A-8/8){0,2} ~ c@A+30000/29000
let ADJUST = +0ms-30ms c@A-12/4
let TICK = +0ms-60ms c@A-8/8 (~ s@A-8/8){0,2}
let LONG = c@A+8/0,@A+16/0,@A+24/0,@A+32/0,@A+40/0,@A+48/0,@A+56/0,@A+64/0,@A+72/0,@A+80/0,@A+88/0,@A+96/0,@A+104/0
let SHOWN = (~ s@A-12/4){0,3} ( ~ s@A+1000/992 | ~ s@A/8 $ADJUST{0,1} ~ s* ) (~ s* | $ADJUST){0,14}
let OUTPUT = (~ s@A-12/4){0,3} ( ~ s@A+1000/952 | ~ s@A+992/1008 $ADJUST{0,1} ~ s@A+1000/1000 ) (~ s* | $ADJUST){0,14}
let OUTPUT2 = ( ~ s@A+1000/1000 ($TICK){0,2} ~ s@A+1000/992 | ~ s@A+1000/992 ($TICK){0,2} ~ s@A+1000/1000 | ~ s@A+1000/960 )
let TICK_KEY = (+0ms-60ms c@A-12/4 (~ s@A-8/8){0,2})
let OUTPUT_KEYS = ( ~ s@A+1000/1000 $TICK_KEY{0,2} ~ s@A+1000/992 | ~ s@A+1000/992 $TICK_KEY{0,2} ~ s@A+1000/1000 )
let SHOWS = (~ s@A-8/8){0,3} ~ s@A+1004/996 $OUT{0,}
# Two lines without a pause; three of any pace that are longer than a cursor key; one and much output.
let AT_ONCE = (c@A-12/4 (~ s*){1,}){0,2} c@A+100/100 $SHOWN $IGNORED ~ c@A+100/100 ~ s*
let AT_ONCE_LONG = (c@A-8/8 (~ s*){1,}){0,2} c@A+104/96 $SHOWS $IGNORED ~ c@A+104/96 $SHOWS
let FLOODED = (c@A-12/4 (~ s*){1,}){0,2} ~ $LONG (~ s*){0,6} (~ s@A+30300/29700){3}
# Among chaff: messages of a key's size at 20 ms.
let CHAFF = ( +400ms ( c@A/0 ( $TICK_KEY{1,12} $OUTPUT_KEYS | $OUTPUT_KEYS (~ s*){0,3} (+0ms-60ms c@A-12/4 ~ s@A-12/4){2} ) | $LONG ( ($TICK){1,12} $OUTPUT2 | $OUTPUT2 (~ s*){0,3} $TICK ) ) | c@A+100/100 ($TICK | ~ s*){2,14} $LONG ($TICK){0,3} ~ s* | c@A+100/100 $TICK_KEY ($TICK_KEY | ~ s*){2,14} ~ c@A/0 ~ s* )
let LATER = ... ( ( c@A+116/100 (~ s@A-12/4){0,2} ( ~ s@A+1000/992 | ~ s@A/8 ~ s* ) (~ s*){0,8} ){2} c@A+116/100 | ~ s@A+508/500 (~ s@A-8/8){0,2} $TICK{1,3} $LONG (~ s* | $TICK){2,9} $LONG )
let MIXED = $OUT{0,} ( $IGNORED ~ c@A+100/100 $SHOWN | c@A-12/4 $SHOWN ){0,3} ( $IGNORED ~ c@A+104/96 $OUTPUT $IGNORED ~ c@A+100/100 ~ s* | $IGNORED ~ c@A+100/100 $SHOWN $IGNORED ~ c@A+104/96 $SHOWS )
let ANY_PACE = (~ c@A-8/8 (~ s*){1,}){0,2} ( $IGNORED ~ c@A+104/96 $SHOWS ){3}
# Where the client writes length, message and MAC by themselves (ssh2 of Node.js): 4 bytes and the rest, or the message and 32.
let LOGIN_N = (~ c4-1700 | ~ s@A+1000/1000){0,} ~ c4-1700 ~ s@A-12/4 (~ c4-1700 | ~ s*){2,10}
let OK_N = ( ~ s@A-12/4 (~ s@A-8/8){0,1} | ~ s@A+44/36 )
let TERM_N = ( ~ c4 (~ s*){0,1} ~ c@A+222/194 ~ s@A-12/4 c4 ~ c@A-4/0 | ~ c@A+194/194 ~ c32 ~ s@A-16/0 c32 ~ c32 ) $OK_N
let PART = ( ~ c4 (~ s*){0,1} ~ c@A+96/100 (~ c16){0,1} | ~ c48-200 ~ c32 | ~ c@A+100/100 )
let KEY_N = ( c4 (~ s*){0,1} ~ c@A-18/6 (~ c16){0,1} | c4 (~ s*){0,1} ~ c@A+16/0 | c@A-12/4 | c@A+20/0 | c32 ~ c32 | c@A/0 )
let KEYS_N = ( +400ms-1h c4 (~ s*){0,1} ~ c@A-18/6 | +400ms-1h c32 ~ c32 ) (~ s*){1,6} ( +0ms-1500ms $KEY_N (~ s*){0,6} ){4}
let LINES_N = (~ s*){0,} ( $PART{1,3} (~ s*){2,} ){2} $PART
let EXEC_N = ( ~ c4 (~ s*){0,1} ~ c@A+300/304 | ~ c32-600 ~ c32 ) $OK_N ~ s@A+30004/29996 (~ s*){0,} ( c4 ~ c@A+40/64 (~ c16){0,1} | c16-128 (~ c16-128){0,1} ){0,2} >
let SFTP_N = ( ~ c4 ~ c@A+4/8 ( $OK_N c4 ~ c@A-4/0 (~ s@A-8/8){0,4} | c4 ~ c@A-4/0 $OK_N (~ s@A-8/8){0,3} ) | ~ c48 ~ c32 $OK_N c32 ~ c32 (~ s@A-8/8){0,4} ) ~ s@A+250/250 ( c4 ~ c@A+200/204 | c24-500 ~ c32 ) ~ s@A+30000/30000 ( c4 ~ c@A+30000/30004 | c24-1460 ~ c32 )
# Any replies.
let REP = ( (~ s@A-8/8){0,5} | (~ s@A-12/4){0,1} ~ s@A+84/76 (~ s@A-8/8){0,2} )
let REQ_S = ( $IGNORED | ($IGNORED ~ c@A+18/10 (~ s@A-12/4){0,1}){1,4} $IGNORED ) c@A+8/8
# SFTP: the request, INIT before or after its replies.
let ASKS = ( $REQ_S ( $IGNORED c@A/0 (~ s@A-8/8){1,6} | $REP $IGNORED c@A/0 (~ s@A-8/8){0,5} ) | $IGNORED c@A+133/57 ( (~ s@A-8/8){1,3} | ~ s@A+84/76 ) $IGNORED c@A/0 (~ s@A-8/8){0,2} )
# VERSION, and two requests more.
let SFTP = $ASKS ~ s@A+250/250 ( (~ s@A-8/8){0,1} (c@A-12/4){0,2} | (~ s@A-8/8){2} ) ~ c@A+200/200 (~ s@A-8/8){0,5} ~ s@A+30000/30000 (~ s*){0,} (c@A-12/4){0,3} ~ c@A+30000/30000
let LATE = ( +1100ms-1990ms c@A+50/66 | +2080ms-2990ms c@A+50/66 | +3100ms-4990ms c@A+50/66 | +5110ms-9990ms c@A+50/66 | +10.3s-29.9s c@A+50/66 | +30.4s-59.9s c@A+50/66 | +61s-600s c@A+50/66 )
let LINES = (+1100ms-10min c@A+50/66 (~ s*){0,12}){0,2} ( $LATE (~ s*){0,12} ( $LATE (~ s*){0,12} +1100ms-10min c@A+50/66 | +1100ms-10min c@A+50/66 (~ s*){0,12} $LATE ) | +1100ms-10min c@A+50/66 (~ s*){0,12} $LATE (~ s*){0,12} $LATE )

# Forms taken from recordings.
let SEEN_LOGIN = $NOISE ~ c24-1700 ~ s@A-12/4
let SEEN_LONG_LOGIN = (~ c24-1700 | ~ s@A+1000/1000){6}
let SEEN_KEYS(i) = ($i ~ s@A+1000/960){0,2}
let SEEN_USED_O = (~ s* | +0ms-60ms c@A-12/4){0,} ( +400ms c@A+200/216 | c@A+104/96 )
let SEEN_OPENED(i) = $i ~ s@A+6/22 ($i ~ s@A-4/12){0,1}
let SEEN_OPEN(i) = $SEEN_KEYS($i) ($i ~ s@A-12/4){0,1} (~ c@A-8/8){0,1} $SEEN_KEYS($i) ( ~ c@A+100/44 $SEEN_KEYS($i) ( $SEEN_OPENED($i) | $i ~ s@A+1000/960 ) | c@A+8/8 $SEEN_KEYS($i) $SEEN_OPENED($i) | +400ms c@A+8/8 $SEEN_KEYS($i) $i ~ s@A+4/8 | ~ c@A+4/4 $SEEN_KEYS($i) $i ~ s@A+1000/960 ) (~ c@A-8/8){0,1}
let SEEN_LATE_OPEN = ~ c@A+16/0 (~ s@A+1000/960){1,2}
let SEEN_PTY(i) = ( ( (~ c@A-12/4){0,1} ~ c@A+44/20 | ~ c@A-12/4 ~ c@A+36/20 | ~ c@A+360/200 ) $i ~ s@A-12/4 (~ c@A-12/4){0,1} ~ c@A+0/0 ( $i ~ s@A-12/4 | $i ~ s@A+46/38 ) | ~ c@A+36/4 ~ c@A/0 ( $i ~ s@A-12/4 | $i ~ s@A+46/38 ) | ~ c@A+48/0 ~ c@A+16/0 $i ~ s@A+46/38 )
let SEEN_TERMINAL = ( $SEEN_OPEN() ( ~ c@A+360/200 ~ s@A-12/4 ~ c@A+24/24#line ~ s@A-8/8 ~ s@line/0 (~ s*){0,} | $SEEN_PTY() (~ s* | $ADJUST){0,} ) | $SEEN_LATE_OPEN $SEEN_PTY() (~ s* | $ADJUST){0,} )
let SEEN_LOGIN_I = (~ c24-1700 | ~ s@A-12/4 ~ s@A+1000/1000){0,} ~ c24-1700 ~ s@A-8/8 ~ s@A-12/4
let SEEN_LONG_LOGIN_I = (~ c24-1700 | ~ s@A-8/8 ~ s@A+1000/1000){6}
let SEEN_TERMINAL_I = $SEEN_OPEN(~ s@A-8/8) ( ~ c@A+360/200 (~ c@A+40/40){0,1} (~ s*){1,} | $SEEN_PTY(~ s@A-8/8) (~ s* | $ADJUST){0,} )
let SEEN_FLOOD = (~ s*){0,6} (~ s@A+30300/29700){3}
let SEEN_SHOWN = (~ s@A-12/4){0,3} ( ~ s@A+1000/992 | ~ s@A/8 $ADJUST{0,1} ~ s* ) (~ s* | $ADJUST){0,}
let SEEN_OUTPUT = (~ s@A-12/4){0,3} ( ~ s@A+1000/952 | ~ s@A+992/1008 $ADJUST{0,1} ~ s@A+1000/1000 ) (~ s* | $ADJUST){0,}
