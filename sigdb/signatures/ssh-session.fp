# SPDX-License-Identifier: LGPL-2.1-or-later
# SSH protocol 2: what was done after the login, and who did it.
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

# A key pressed is CHANNEL_DATA of one byte, the smallest message of that kind: 8 or 16 bytes less than the
# acceptance, or its size where the MAC leaves the length encrypted (`/0`). Five in a row, the first after a pause: a
# program that types line by line never sends the smallest message first. Echoes stand anywhere between them, as over
# a long link the person is ahead of what the screen shows, or zsh and fish repaint the line.
# OpenSSH 9.5 and later hide keys among chaff on a grid of 20 ms: chaff begins with a real key after a pause all the
# same, and looks like keys that follow, so what is seen is that somebody types, not how fast.
# Fails: keys joined by Nagle's algorithm, fewer than five keys in a row. False friends: a program that sends byte by
# byte (`expect`'s send -h and send -s), a line of one letter in chaff, port forwards that carry telnet, which people
# type too.
tcp * = < $SERVICE ( ( ~ s40-110#A | ~ s24-84#I ~ s@I+12/4#A ) ... $KEYS_PRESSED | ~ s40-110#A ... $KEYS_N ) : SSH2 - a person types in a session
    id = human.typing.ssh
    confidence = 97
    severity = low
    attack = T1021.004
    category = ssh

let TYPES(two, three, open) = $LOGIN ( $TERM($two, $three) ( $OUT{0,} ( $AT_ONCE_LONG | $ANY_PACE | $FLOODED ) | (~ s*){0,12} $ADJUST{0,2} ( $CHAFF | $LATER ) ) | $TERM_E($two, $three, $open) $OUT{0,} $AT_ONCE | $OPEN_X $ASKED ( $ECHO ){3} | $OPEN_E($open) $ASKED ( $ECHO_E ){3} )

# A program works a terminal: whole lines arrive in one message each, where a person's keys would come one by one. Two
# lines without a pause, or three of any pace that are longer than any cursor key, or three whose echoes have their size.
# Fails: sessions of one line, lines of two letters at most. False friends: a terminal that answers questions of the
# shell (fish 4, tmux) and then pastes; a person who pastes three lines before anything else.
tcp * = < $SERVICE ( ~ s36-58#A $TYPES(@A+22/14, @A+56/16, @A+64/4) | ~ s60-72#A $TYPES(@A+40/8, @A+92/4, @A+84/0) | ~ s88-110#A $TYPES(@A+72/8, @A+156/4, @A+116/0) | ( ~ s24-84#I ~ s@I+12/4#A | ~ s40-110#A ) $LOGIN_I ( $TERM_I ( $OUT{0,} ( $AT_ONCE_LONG | $ANY_PACE | $FLOODED ) | (~ s*){0,12} $ADJUST{0,2} ( $CHAFF | $LATER ) ) | $OPEN_I ~ c@A+430/400 $OUT{1,} ( $ECHO_I ){3} ) ) : SSH2 - a program types in a session
    id = automated.typing.ssh
    confidence = 95
    severity = low
    attack = T1059.004
    category = ssh

let MIXES(two, three, open) = $LOGIN ( $TERM_E($two, $three, $open) | $TERM($two, $three) ) $MIXED

# A terminal, from the login on or after a long one; the lines that a program types there.
let SEEN_STARTED = ( $SEEN_LOGIN ( $SEEN_TERMINAL ) | $SEEN_LONG_LOGIN ... $SEEN_OPEN() $SEEN_PTY() (~ s* | $ADJUST){1,} ) ($ADJUST){0,2}
let SEEN_STARTED_I(all, two) = ( $SEEN_LOGIN_I ( $SEEN_TERMINAL_I ) | $SEEN_LONG_LOGIN_I ... $SEEN_OPEN(~ s@A-8/8) ( ~ c@A+360/200 ( ~ s@A-8/8 ~ s$all | ~ s@A-8/8 ~ s@A-12/4 ( ~ s@A-8/8 ~ s@A-12/4 | ~ s@A-8/8 ~ s$two ) | ~ s@A-8/8 ~ s$two ~ s@A-8/8 ~ s@A-12/4 ) (~ s*){1,} | $SEEN_PTY(~ s@A-8/8) (~ s* | $ADJUST){1,} ) ) ($ADJUST){0,2}
let SEEN_KEY = (~ c@A-12/4){0,1}
let SEEN_LATER = ... ( ( c@A+116/100 (~ s@A-12/4){0,2} ( ~ s@A+1000/992 | ~ s@A/8 ~ s* ) (~ s*){0,} ){2} c@A+116/100 | ~ s@A+508/500 (~ s@A-8/8){0,2} $TICK{1,3} $LONG (~ s* | $TICK){2,9} $LONG )
let SEEN_TYPED = ( ( $SEEN_KEY c@A+100/100 $SEEN_SHOWN ) ( $SEEN_KEY c@A+104/96 ~ s* ) | ( $SEEN_KEY c@A+100/100 | ~ $LONG ) $SEEN_FLOOD | ($SEEN_KEY ~ c@A+100/100 $SEEN_SHOWN){0,3} ( $SEEN_KEY ~ c@A+104/96 $SEEN_OUTPUT $SEEN_KEY ~ c@A+100/100 ~ s* | $SEEN_KEY ~ c@A+100/100 $SEEN_SHOWN $SEEN_KEY ~ c@A+104/96 ~ s* ) | $CHAFF | $SEEN_LATER )

# The same, as the lab's recordings have it: a library's terminal, AsyncSSH, lines among chaff.
tcp * = < $SERVICE ( ( ~ s36-58#A $MIXES(@A+22/14, @A+56/16, @A+64/4) | ~ s60-72#A $MIXES(@A+40/8, @A+92/4, @A+84/0) | ~ s88-110#A $MIXES(@A+72/8, @A+156/4, @A+116/0) | ~ s40-110#A $LOGIN_N $TERM_N $LINES_N ) | ( ~ s36-110#A $SEEN_STARTED | ( ~ s24-36#I ~ s@I+12/4#A | ~ s36-54#A ) $SEEN_STARTED_I(@A+98/60, @A+22/14) | ( ~ s37-84#I ~ s@I+12/4#A | ~ s55-110#A ) $SEEN_STARTED_I(@A+144/60, @A+45/37) ) $SEEN_TYPED ) : SSH2 - a program types in a session
    id = automated.typing.ssh.terminal
    confidence = 95
    severity = low
    attack = T1059.004
    category = ssh

# A shell without a terminal (`ssh -T HOST sh`): the client's own terminal collects lines. Three of them, each after
# 0.8 s and more, the first not at once, two after pauses that are not round.
# Fails: fewer than three lines. False friends: a script that sleeps between lines, and programs that poll over one
# command.
tcp * = < $SERVICE ( ~ s36-110#A $LOGIN $OPEN_X ( $REQ | $IGNORED $JOINED_REQUESTS ) $REP $LINES | ( ~ s24-84#I ~ s@I+12/4#A | ~ s40-110#A ) $LOGIN_I $OPEN_I ( $REQ | $IGNORED $JOINED_REQUESTS ) $REP $LINES ) : SSH2 - a person types lines to a command
    id = human.lines.ssh
    confidence = 90
    severity = low
    attack = T1021.004
    category = ssh

let TERMINAL(two, three, open) = $LOGIN ( $TERM($two, $three) $USED | $OPEN_X $IGNORED ~ $JOINED_REQUESTS (~ s*){1,} +700ms c@A-12/4 ~ s* | $OPEN_X $ASKED ( $ECHO ){3} | $OPEN_E($open) $ASKED ( $ECHO_E ){3} )

let SEEN_ECHOED = ~ c@A+360/200 ~ s@A-12/4 ~ c@A+24/24#line ~ s@A-8/8 ~ s@line/0
let SEEN_KEYS_ECHOED = ~ c@A+108/24 ( ~ s@A/0 | ~ s@A+1000/960 ) (~ s@A+1000/1000){0,8} ( ~ c@A/0 (~ s@A+1000/1000){1,6} ){2} ~ c@A/0
let SEEN_KEYED = ( $SEEN_ECHOED | $SEEN_KEYS_ECHOED )
let SEEN_USED_I(shown, two) = ( ~ c@A+360/200 (~ c@A+40/40){0,1} ( ~ s@A-8/8 ~ s$shown | ~ s@A-8/8 ~ s@A-8/8 ~ s@A+742/758 | ~ s@A-8/8 ~ s$two ~ s@A-8/8 ~ s@A-12/4 | ~ s@A-8/8 ~ s@A-12/4 +400ms c@A-12/4 | ~ s@A-8/8 ~ s@A+4/8 ) $SEEN_USED_O | $SEEN_PTY(~ s@A-8/8) | ~ c@A+108/24 ( ~ s@A-8/8 ~ s@A/0 | ~ s@A-8/8 ~ s@A+1000/960 ) (~ s@A-8/8 ~ s@A+1000/1000){0,8} ( ~ c@A/0 (~ s@A+992/1008){1,12} ){2} ~ c@A/0 )

# A terminal was asked for (TERM), or somebody types keys, or a program lines that are echoed. Also a command that is given a
# terminal in one breath (`ssh -tt HOST COMMAND`, mosh's login): its messages are those of a shell.
# Fails: terminals without replies in which nobody types. False friends: a command with an agent or X11, a long input line
# to a command whose server acknowledges each input.
tcp * = < $SERVICE ( ( ( ~ s36-58#A $TERMINAL(@A+22/14, @A+56/16, @A+64/4) | ~ s60-72#A $TERMINAL(@A+40/8, @A+92/4, @A+84/0) | ~ s88-110#A $TERMINAL(@A+72/8, @A+156/4, @A+116/0) | ( ~ s24-84#I ~ s@I+12/4#A | ~ s40-110#A ) $LOGIN_I ( $TERM_I $USED | $OPEN_I ~ c@A+430/400 $OUT{1,} ( $ECHO_I ){3} ) ) | ( ~ s40-110#A | ~ s24-84#I ~ s@I+12/4#A ) ... $KEYS_PRESSED | ~ s40-110#A $LOGIN_N $TERM_N | ~ s40-110#A ... $KEYS_N ) | ( ~ s36-54#A $SEEN_LOGIN ( $SEEN_LATE_OPEN $SEEN_PTY() | $SEEN_OPEN() ( $SEEN_PTY() | $SEEN_KEYED ) ) | ~ s55-110#A $SEEN_LOGIN ( $SEEN_LATE_OPEN $SEEN_PTY() | $SEEN_OPEN() ( $SEEN_PTY() | $SEEN_ECHOED | ~ c@A+360/200 ~ s@A+32,@A+64 ~ s@A+400/400 | $SEEN_KEYS_ECHOED ) ) | ( ~ s24-36#I ~ s@I+12/4#A | ~ s36-54#A ) $SEEN_LOGIN_I $SEEN_OPEN(~ s@A-8/8) $SEEN_USED_I(@A+388/350, @A+22/14) | ( ~ s37-84#I ~ s@I+12/4#A | ~ s55-110#A ) $SEEN_LOGIN_I $SEEN_OPEN(~ s@A-8/8) $SEEN_USED_I(@A+434/350, @A+45/37) ) ) : SSH2 - terminal session
    id = ssh.session.interactive
    confidence = 95
    severity = low
    attack = T1021.004
    category = ssh

let COMMAND(two, said) = $LOGIN ( $OPEN_X $WAITED_COMMAND $REST $ENDS | $HAS_SAID($two, $said) ( $REST $ENDS | $REST $NEXT_CHANNEL | (~ s* ){12} ) | $HAS_ENDED($two) (~ s*){1,} ( $ENDS | $NEXT_CHANNEL ) | $IS_TOLD($two) ( $INPUT | $UPLOAD ) | $SMALL_ONE($two) $LINES_AFTER )

# One request with one reply, then output and the end without any input; input and its end (EOF); lines after pauses; several
# such channels.
# Fails: a command that is still running when the recording ends. False friends: terminals whose requests want no reply, in which
# nobody types; scp's own protocol where the program says EOF, too.
tcp * = < $SERVICE ( ~ s40-110#A $LOGIN_N $EXEC_N | ( ~ s36-58#A $COMMAND(@A+22/14, @A+30040/29960) | ~ s60-72#A $COMMAND(@A+40/8, @A+30052/29948) | ~ s88-110#A $COMMAND(@A+72/8, @A+30084/29916) | ( ~ s24-84#I ~ s@I+12/4#A | ~ s40-110#A ) $LOGIN_I ( $SAID_I ( $REST $ENDS | $REST $NEXT_CHANNEL_I | (~ s* ){24} ) | $EOF_I (~ s*){1,} ( $ENDS | $NEXT_CHANNEL_I ) | $TOLD_I ( $INPUT | $UPLOAD ) | $OPEN_I $REQ $OK_I $LINES_AFTER ) ) ) : SSH2 - command executed
    id = ssh.session.exec
    confidence = 93
    severity = low
    attack = T1021.004
    category = ssh

# One or two replies, lists, and data; what each way to copy files does with them.
let SEEN_IGNORED = (c@A-12/4){0,2}
let SEEN_REPLY(i) = ( $i ~ s@A-12/4 ($i ~ s@A-12/4){0,1} | $i ~ s@A+45/37 )
let SEEN_LISTS(i) = ( $i ~ s@A+500/500 | $i ~ s@A-12/4 $i ~ s@A-12/4 $i ~ s@A+500/500 )
let SEEN_MUCH(i) = $i ~ s@A+29992/30008 ($i ~ s@A+29992/30008){0,4}
let SEEN_JSCH(i) = c@A+16/0 $i ~ s@A-16/0 c@A+16/0 $i ~ s@A+160/160 c@A+16/16 $i ~ s@A+500/500 c@A+200/200
let SEEN_RSYNC(i) = $SEEN_IGNORED c@A+146/154 $SEEN_REPLY($i) ( ( $SEEN_IGNORED c@A+0/0 ( $i ~ s@A+150/150 | $i ~ s@A-12/4 $i ~ s@A-12/4 $i ~ s@A+150/150 ) $SEEN_IGNORED c@A+200/200 | c@A-12/4 $SEEN_LISTS($i) c@A+200/200 ) ( $i ~ s@A+29992/30008 | $i ~ s@A-12/4 ($i ~ s@A-12/4){0,1} $i ~ s@A+500/500 ) $SEEN_IGNORED c@A+19996/20004 | ( $SEEN_IGNORED c@A+0/0 $i ~ s@A+0/0 ($i ~ s@A+29992/30008){0,4} | $i ~ s@A+0/0 $SEEN_IGNORED c@A+0/0 $i ~ s@A+29992/30008 ($i ~ s@A+29992/30008){0,4} ) $SEEN_IGNORED c@A+200/200 (c*){0,3} $SEEN_MUCH($i) $SEEN_IGNORED c@A+19996/20004 )
let SEEN_RSYNC_SOON(i) = $SEEN_IGNORED c@A+100/60 $SEEN_IGNORED c@A+0/0 ($SEEN_REPLY($i)){0,1} ( $i ~ s@A+0/0 ($i ~ s@A+29992/30008){0,4} | $i ~ s@A+250/150 ) $SEEN_IGNORED c@A+200/200 (c*){0,3} $SEEN_MUCH($i) $SEEN_IGNORED c@A+19996/20004
let SEEN_SFTP_SOON(i) = $SEEN_IGNORED c@A+10/10 $SEEN_IGNORED c@A+0/0 $SEEN_REPLY($i) $i ~ s@A+500/500 $SEEN_IGNORED c@A+196/204 $i ~ s@A+29992/30008 $SEEN_IGNORED c@A+19996/20004
let SEEN_SCP(i) = $SEEN_IGNORED c@A+79/79 $SEEN_REPLY($i) ( $i ~ s@A-8/8 $SEEN_IGNORED c@A+50/50 ($i ~ s@A-12/4){0,1} $i ~ s@A-8/8 $SEEN_IGNORED c@A+30000/30000 | c@A-12/4 $i ~ s@A+50/50 c@A-12/4 $i ~ s@A+30050/29950 )
let SEEN_SCP_JOINED(i) = $SEEN_IGNORED c@A+79/79 $i ~ s@A+46/38 c@A/0 $i ~ s@A+50/50 c@A/0 $i ~ s@A+30050/29950
let SEEN_GIT(i) = $SEEN_IGNORED c@A+120/120 $SEEN_REPLY($i) $i ~ s@A+30000/30000 (~ s*){0,11} $SEEN_IGNORED c@A+30020/29980 (c*){0,2} (~ s@A+91/107){0,4} $i ~ s@A+30100/29900 $i ~ s@A+30100/29900
let SEEN_SCP_SMALL(i) = $SEEN_IGNORED c@A+79/79 c@A-8/8 $i ~ s@A-12/4 $i ~ s@A+50/50 c@A-8/8 $i ~ s@A+30050/29950
let SEEN_COPIES(i) = ( $SEEN_JSCH($i) | $SEEN_RSYNC($i) | $SEEN_RSYNC_SOON($i) | $SEEN_SFTP_SOON($i) | $SEEN_SCP($i) | $SEEN_SCP_JOINED($i) | $SEEN_GIT($i) | $SEEN_SCP_SMALL($i) )

# SFTP: INIT (9 bytes, the acceptance's size with every cipher), VERSION, and two requests more, all at once; lftp and
# sshfs send INIT with the request, JSch pads by a block more. scp's own protocol: a byte, a line with mode, length and
# name, a byte, data. rsync: versions of 4 bytes each, then lists. git: the server's list of references, the client's
# wishes, a pack. Fails: an empty or refused transfer. False friends: programs that talk to a command line by line
# without a pause.
tcp * = < $SERVICE ( ( ~ s36-110#A $LOGIN $OPEN_X $SFTP | ~ s40-110#A $LOGIN_N $SFTP_N | ( ~ s24-84#I ~ s@I+12/4#A | ~ s40-110#A ) $LOGIN_I $OPEN_I $SFTP ) | ( ~ s40-100#A $SEEN_LOGIN $SEEN_OPEN() ( c@A+8/8 c@A/0 (~ s@A-8/8){0,3} ~ s@A+160/150 (c@A-12/4){0,2} c@A+200/200 (~ s@A-12/4){0,3} ~ s@A+500/500 ( (c@A-12/4){0,1} c@A+200/200 | ~ c@A-16/0 ~ s@A-16/0 ) | $SEEN_COPIES() ) | ( ~ s24-84#I ~ s@I+12/4#A | ~ s40-100#A ) $SEEN_LOGIN_I $SEEN_OPEN(~ s@A-8/8) ( c@A+8/8 c@A-8/8 (~ s@A-8/8){0,6} ~ s@A+160/150 c@A+200/200 ~ s@A-8/8 ~ s@A+500/500 (c@A-12/4){0,1} c@A+200/200 | $SEEN_COPIES(~ s@A-8/8) ) ) ) : SSH2 - files transferred (SFTP, scp)
    id = ssh.session.transfer
    confidence = 95
    severity = low
    attack = T1021.004, T1105
    category = ssh

let SEEN_NEWS(i) = ($i ~ s@A+1000/960){0,3} ($i ~ s@A-12/4){0,1}
let SEEN_FIRST_DATA(i) = $SEEN_NEWS($i) ( $i ~ s@A+6/22 ($i ~ s@A+32/32){0,1} c@A+40/24 ($i ~ s@A+750/750){0,1} | $i ~ s@A+180/140 c@A+40/24 ($i ~ s@A+750/750){0,1} ) c@A+1600/1400 (c*){0,2} ($i ~ s@A-8/8){0,1} $i ~ s@A+1575/1425
let SEEN_FORWARDS(i, name) = ( ~ c@A+56/8#first $SEEN_NEWS($i) $i ~ s@A+46/54 ~ c@first/0 | ( ~ c@A+16/0 $SEEN_NEWS($i) ~ c@A+96/64 | +300ms c@A+86/54 ) $SEEN_NEWS($i) $i ~ s@A+46/54 | ~ c@A+16/0 $SEEN_NEWS($i) ~ c@A+96/64 $SEEN_NEWS($i) ~ c@A+96/64 | (~ c@A+20/12){2} ($i ~ s@A+1000/960){0,3} +300ms s@A+58/18 ~ c@A+12/12 | ~ c@A+20/4 $SEEN_NEWS($i) +300ms c@A+92/68 $SEEN_NEWS($i) $i ~ s@A+46/54 | (~ c@A+16/0 $SEEN_NEWS($i)){0,1} +900ms c@A+8/8 ( $i ~ s@A-16/0 | ~ s@A-16/0 | $i ~ s@A-8/0 +300ms c@A+8/24 ) | ( (~ c@A+20/12){1,2} | ~ c@A+96/40 ) ($i ~ s@A+1000/960){0,3} ( $i ~ s@A-12/4 ($i ~ s@A+1000/960){0,2} +200ms s@A+58/18 ~ c@A+12/12 | +200ms s@A+80/20 ~ c@A+12/12 | $i ~ s@A-12/4 +1s c@A+16/16 > ) | c@A+40/14 $SEEN_FIRST_DATA($i) | c$name $SEEN_FIRST_DATA($i) )

# No session at all: connections forwarded (-L, -D; direct-tcpip, 45 bytes and two names), or opened by the server
# (-R), each answered; or only keep-alives.
# Fails: forwards beside a terminal or a command. False friends: clients that log in and stay silent.
tcp * = < $SERVICE ( ~ s36-54#A $SEEN_LOGIN $SEEN_NEWS() ( ~ c@A+20/12 (~ s@A+1000/960){1,3} ~ c@A+20/12 ~ s@A-12/4 (~ s@A+1000/960){0,2} ~ s@A+58/18 ~ c@A+16/0 | $SEEN_FORWARDS(, @A+142/58) ) | ~ s55-110#A $SEEN_LOGIN $SEEN_NEWS() ( ~ c@A+20/12 (~ s@A+1000/960){1,3} ~ c@A+20/12 ~ s@A-12/4 (~ s@A+1000/960){0,2} ~ s@A+58/18 ~ c@A+16/0 | $SEEN_FORWARDS(, @A+156/44) ) | ( ~ s24-36#I ~ s@I+12/4#A | ~ s36-54#A ) $SEEN_LOGIN_I $SEEN_NEWS(~ s@A-8/8) $SEEN_FORWARDS(~ s@A-8/8, @A+142/58) | ( ~ s37-84#I ~ s@I+12/4#A | ~ s55-110#A ) $SEEN_LOGIN_I $SEEN_NEWS(~ s@A-8/8) $SEEN_FORWARDS(~ s@A-8/8, @A+156/44) ) : SSH2 - port forwarded
    id = ssh.session.forward
    confidence = 85
    severity = medium
    attack = T1572
    category = ssh
