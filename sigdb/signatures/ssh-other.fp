# SPDX-License-Identifier: LGPL-2.1-or-later
# SSH protocol 2: what was done after a login whose acceptance of the service has no size of its own, or a wrong one.
#
# Clients that send all at once (Dropbear) get the acceptance joined with the refusal of `none`; some servers say a banner
# before they let in; TinySSH adds 0 to 2 blocks to each message.
# The success (1 byte of payload) is 16 bytes smaller than the acceptance (17 bytes) with every cipher and MAC, and the
# answer to OPEN has 17 bytes again: so sizes are relative to the success `F`, and the answer to OPEN is the `A` that
# the definitions of ssh-forms.fp want. Nothing of the server before the success is as small.
include "ssh-forms.fp"

# A success, after a request and perhaps a banner; not later, where messages of a session look like it.
let LET_IN(sizes) = $KEX (~ x2-1700){0,20} ~ c24-1700 (~ s24-1700){0,1} ~ s$sizes#F
# A channel is opened, perhaps in one packet with no-more-sessions; host keys; the answer.
let OPENED_F = (~ s@F+1000/960){0,2} ~ c@F+24/8,@F+100/20 (~ s@F+1000/960){0,2} ~ s@F+16/0#A
# A channel, then five keys, the first after a pause; as small as the success, or 8 or 16 bytes more.
let KEYS_F = ~ c@F+24/8,@F+100/20,@F+160/0 ... +400ms-1h c@F/0,@F+8/0,@F+16/0#key ( ( (~ s@key+0/16){1,5} +0ms-1500ms c@key/0 ){2} ( (~ s@key+0/16){0,5} +0ms-1500ms c@key/0 ){2} | ( (~ s@key+0/16){0,5} +0ms-1500ms c@key/0 ){4} ( (+0ms-1500ms c@key/0){0,9} ~ s@key+0/16 ){2} )
# A command: one reply, output, the end; or another command after it.
let EXEC_F(two) = ( ( $REQ ( (~ s@A-8/8){1,2} | ~ $two ) ~ s@A+30004/29996 | $REQ ~ s@A+30040/29960 | $IGNORED $JOINED_REQUESTS ~ s@A-12/4 ~ s@A+30004/29996 ) $REST ( $ENDS | $NEXT_CHANNEL ) )
# The request of service by its own size in chacha20, where the acceptance is larger by 8 or 16 bytes (TinySSH knows no other cipher).
let MORE = $KEX $NEWKEYS ~ c44#A ( ~ s16 (~ s104-1500){0,1} | ~ s104-1500 ){0,1} ~ s@A+12/4
let LET_IN_MORE = $MORE (~ c24-1700 | ~ s@A+1000/1000){0,} ~ c24-1700 ~ s@A-8/8
let OPENED_MORE = ~ c@A+8/8,@A+76/16 ~ s@A+8/8 (~ c@A+16/0){0,1}
# Input to a command at once, and its end.
let FED = ( $OPEN_X $REQ | $OPEN_N $IGNORED $JOINED_REQUESTS ) c@A+30008/29992 (c@A+30008/29992){0,} (c@A-12/4){0,2} ~ s@A-12/4 ~ s@A+30000/30000 (~ s*){0,} $ENDS
# A terminal (or a command that was given one) that nobody uses; the connection is kept for more (ControlPersist).
let KEPT = $OPEN_X $IGNORED $JOINED_REQUESTS (~ s*){2,} ~ c@A-12/4 +700ms c@A+16/16 (~ s*){0,1} >
# A dialogue without pauses with one command, of messages that are larger than keys and lines.
let ONE = (~ s@A+1000/960){0,2} ~ c@A+8/8,@A+68/8,@A+84/0,@A+116/0 ( (~ s@A+1000/960){0,2} ~ s@A+4/4 | (~ s@A+1000/960){1,2} ) (~ c@A+16/0){0,1} c@A+404/396
let DIALOGUE = ( ~ s@A-12/4 (~ s@A-8/8){0,1} | ~ s@A+44/36 ) (~ s@A+1000/992){0,1} ( c@A+30000/30000 (c@A+30000/30000){0,} (s@A+30000/30000){1,} ){3} ( c@A+30024/29976 (c@A+30008/29992){0,} (s@A+30016/29984){1,} ){6}

# The same where the request of service has no size of its own either (Dropbear): a success of 28, an answer of 44 and keys of 36 bytes.
let KEYS_MORE = $KEX (~ x2-1700){0,20} ~ c24-1700 ~ s36,44 ~ c52 ~ s52,60 ... +400ms-1h c36#key ( (~ s@key+8/8){1,5} +0ms-1500ms c@key/0 ){4}
# A banner joined with the success: told by the channel, the host keys (250 to 750 bytes more) and the answer after it.
let BANNER_B = $SERVICE ~ s@I/0#A (~ c24-1700 | ~ s@A+1500/1500){0,} ~ c24-1700 ~ s@A+1500/1460 (~ s@A+1500/1460){0,3}
let OPEN_B = ( (~ c@A-12/4){0,1} ~ s@A+500/250 ~ c@A+8/8 | ~ c@A+8/8,@A+68/8 ~ s@A+500/250 ) ~ s@A+4/4
let ONCE_B = $REQ ~ s@A+48/32 ~ s@A+30004/29996
let RUN_B = $ONCE_B (~ s*){0,} ( (c@A-8/8){1,4} (c@A+16/16){0,1} (~ s*){0,2} > | > | (c@A-12/4){0,4} c@A+8/8 ~ s@A+4/4 (c@A-8/8){0,1} $ONCE_B )
# A command and a larger window at once (libssh2).
let WIDER = $OPEN_N c@A+12/12 c@A/0 ~ s@A-16/0 ~ s@A+30004/29996 $REST ( $ENDS | $NEXT_CHANNEL )
# A server with IGNORE before each answer: two replies and a window are a terminal's; somebody uses it.
let SAYS_I = ( ~ s24-84#I ~ s@I+12/4#A | ~ s40-110#A ) $LOGIN_I $OPEN_I $IGNORED $JOINED_REQUESTS $OK_I{3}
let LONG_I = ~ s24-84#I ~ s44,68,100#A $LOGIN_I $OPEN_I $IGNORED $JOINED_REQUESTS $OK_I{3}
# Three lines at once, no smaller than the acceptance, where a key is smaller (A of chacha20 and of encrypt-then-MAC).
let THREE_LINES = (c@A-12/4 (~ s*){1,}){0,1} ( c@A+100/100 (~ s*){1,} ){2} c@A+100/100 ~ s*
# MAC after: lines of up to 14 letters are as large as a key. Each of five messages has an answer with more than an echo, and two
# come after a pause.
let TERM_Q = ( $SERVICE ~ s@I/0#A $LOGIN $OPEN_X | $BANNER_B $OPEN_B ) $REQS_MORE ~ c@A+226/194 ~ s@A-16/0 c@A/0 (~ s*){0,}
let QUIET(pause) = $pause c@A/0,@A+16/0 (~ s*){0,4} ~ s@A+1024/992 (~ s*){0,6}
let QUIETLY = $QUIET(+250ms-1h) ( $QUIET(+300ms-1h) $QUIET(~) $QUIET(~) $QUIET(~) | $QUIET(~) $QUIET(+300ms-1h) $QUIET(~) $QUIET(~) | $QUIET(~) $QUIET(~) $QUIET(+300ms-1h) $QUIET(~) )
let LINES_F = $OUT{0,} ( $AT_ONCE_LONG | $ANY_PACE | $FLOODED )

# What ssh-session.fp takes.
let TYPED_LATE = ( $LET_IN(20-96) $KEYS_F | $MORE ... $KEYS_PRESSED | $KEYS_MORE )
let PROGRAM_LATE = ( $SERVICE $LONG_I $THREE_LINES | $TERM_Q $QUIETLY | $LET_IN(20-42) $OPENED_F $TERMS(@A+22/14, @A+56/16) $LINES_F | $LET_IN(44-56) $OPENED_F $TERMS(@A+40/8, @A+92/4) $LINES_F | $LET_IN(72-94) $OPENED_F $TERMS(@A+72/8, @A+156/4) $LINES_F )
let TERMINAL_LATE = ( $SERVICE $SAYS_I c@A+92/108 ~ s* | $LET_IN(20-96) $KEYS_F | $MORE ... $KEYS_PRESSED | $KEYS_MORE | $BANNER_B $OPEN_B $WAITED | $LET_IN(20-42) $OPENED_F $TERMS(@A+22/14, @A+56/16) | $LET_IN(44-56) $OPENED_F $TERMS(@A+40/8, @A+92/4) | $LET_IN(72-94) $OPENED_F $TERMS(@A+72/8, @A+156/4) )
let COMMAND_LATE = ( $LET_IN(20-42) $OPENED_F $EXEC_F(s@A+22/14) | $LET_IN(44-56) $OPENED_F $EXEC_F(s@A+40/8) | $LET_IN(72-94) $OPENED_F $EXEC_F(s@A+72/8) | $LET_IN_MORE $OPENED_MORE c@A+38/38 (c@A-12/4){0,2} ~ s@A-4/12 ~ s@A+30000/30000 (~ s*){0,} $ENDS | $BANNER_B $OPEN_B $RUN_B | $SERVICE ~ s@I/0#A $LOGIN ( $FED | $KEPT | $WIDER ) )
let FILES_LATE = ( $LET_IN(20-96) $OPENED_F c@A+8/8 ( c@A/0 ~ s@A-12/4 (~ s@A-8/8){0,3} | ~ s@A-12/4 (~ s@A-8/8){0,2} c@A/0 (~ s@A-8/8){0,3} ) ~ s@A+254/246 ( (~ s@A-8/8){0,2} | (c@A-12/4){0,2} ) c@A+200/200 (~ s@A-8/8){0,5} ~ s@A+30000/30000 (~ s*){0,} ~ c@A+30000/30000 | $LET_IN_MORE $OPENED_MORE c@A+8/8 ( c@A/0 (~ s@A/16){1,2} | ~ s@A-8/8 c@A/0 (~ s@A-8/8){0,1} ) ~ s@A+250/250 (~ c@A+200/200 ~ s@A+30000/30000){2} | $BANNER_B $OPEN_B c@A+8/8 ( ~ s@A+48/32 c@A/0 | c@A/0 ~ s@A+48/32 ) (~ s@A-8/8){0,1} ~ s@A+254/246 c@A+200/200 ~ s@A+30000/30000 ~ c@A+30000/30000 | $SERVICE ~ s@I/0#A $LOGIN $ONE $DIALOGUE )
