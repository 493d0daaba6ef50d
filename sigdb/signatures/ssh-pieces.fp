# SPDX-License-Identifier: LGPL-2.1-or-later
# SSH protocol 2: what was done at a server that writes each message in two packets (ssh2 of Node.js and what is built on it).
#
# AEAD and encrypt-then-MAC: the length (4 bytes), then the rest. MAC after: the message, then its MAC, `A` - 32 bytes; either
# may come joined. `A` is the client's request of the service, 17 bytes of payload as the acceptance has.
include "ssh-forms.fp"

let ASKED_P = $KEX $NEWKEYS ~ c40-110#A
# A success in pieces, after which the session is: nothing else before it has so few bytes.
let LOGIN_4 = $ASKED_P (~ c4-1700 | ~ s*){0,} ~ c24-1700 ~ s4 (~ c*){0,1} ( ~ s@A-20/0 | ~ s@A-36/0 ~ s16 )
let LOGIN_M = $ASKED_P (~ c4-1700 | ~ s*){0,} ~ c24-1700 ~ s16 ~ s@A-32/0
# A channel, and its confirmation.
let OPEN_4 = $IGNORED ~ c@A+8/8,@A+68/8,@A+84/0,@A+116/0 ~ s4 (~ c*){0,1} ~ s@A-4/0 (~ c@A+16/0){0,1}
let OPEN_M = $IGNORED ~ c@A+16/0,@A+128/0,@A+64/0 ( ~ s@A-32/0 ~ s@A-32/0 | ~ s@A/0 )
# A command: one request, perhaps the input's end at once, output.
let RUN_4 = $IGNORED c@A+38/38 (c@A-12/4){0,2} ~ s4 (~ c@A-12/4 | ~ s*){1,}
let FED_4 = c@A+440/364 c@A+30008/29992 (c@A-12/4){0,2} ~ s4 (~ c@A-12/4 | ~ s*){1,}
let RUN_M = $IGNORED c@A+38/38 (c@A-12/4){0,2} ~ s16 (~ c@A-16/0 | ~ s*){1,}
let BYE = (~ c@A+16/16){0,1} (~ s*){0,1} >
# Five keys with their echoes.
let KEYS_4 = +400ms-1h c@A-12/4#key ( (~ s4 (~ c@key/0){0,1} ~ s@key+20/24){1,3} +0ms-1500ms c@key/0 ){4}
let KEYS_M = +400ms-1h c@A/0#key ( ( (~ s@A-32/0,@A/0,@A+64/0){0,4} +0ms-1500ms c@key/0 ){2} ( (~ s@A-32/0,@A/0,@A+64/0){1,4} +0ms-1500ms c@key/0 ){2} )
let SFTP_4 = ~ c@A+8/8 ~ s4 (~ c*){0,1} ~ s@A-16/4 ~ c@A/0 ~ s4 ~ s@A+250/254 ~ c@A+200/200 ~ s4 ~ s@A+30000/30012 ~ c@A+30000/30000
let SFTP_M = ~ c@A+16/0 ~ s16 ~ s@A-32/0 ~ c@A/0 ~ s@A+200/232 ~ s@A-32/0 ~ c@A+200/200 ~ s* ~ s@A-32/0 ~ c@A+30000/30000

# What ssh-session.fp takes.
let TYPED_PIECES = ( $LOGIN_4 ... $KEYS_4 | $LOGIN_M ... $KEYS_M )
let LINES_PIECES = ( $LOGIN_4 $OPEN_4 $IGNORED c@A+38/38 ~ s4 ~ s* $LINES | $LOGIN_M $OPEN_M $IGNORED c@A+38/38 ~ s16 ~ s* $LINES )
let TERMINAL_PIECES = ( $LOGIN_4 ( ... $KEYS_4 | $OPEN_4 $REQS_MORE ~ c@A+226/194 ~ s4 ~ s@A-16/4 (c@A-12/4){0,1} c@A/0 ~ s4 | $OPEN_4 c@A+440/364 ~ s4 ~ s@A+16/0,@A+24/0 ~ s4 $USED ) | $LOGIN_M ( ... $KEYS_M | $OPEN_M $REQS_MORE ~ c@A+226/194 ~ s16 ~ s@A-32/0 c@A/0 ~ s16 ) )
let COMMAND_PIECES = ( $LOGIN_4 $OPEN_4 ( $RUN_4 ( $OPEN_4 $RUN_4 ){0,} | $FED_4 ) $BYE | $LOGIN_4 $OPEN_4 $RUN_4 +400ms c@A+50/66 | $LOGIN_M $OPEN_M $RUN_M ( $OPEN_M $RUN_M ){0,} $BYE )
let FILES_PIECES = ( $LOGIN_4 (~ x*){3,8} $SFTP_4 | $LOGIN_M $OPEN_M $SFTP_M )
