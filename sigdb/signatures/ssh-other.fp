# SPDX-License-Identifier: LGPL-2.1-or-later
# SSH protocol 2: what was done after a login whose acceptance of the service has no size of its own, or a wrong one.
#
# Clients that send all at once (Dropbear) get the acceptance joined with the refusal of `none`; some servers say a banner
# before they let in; TinySSH adds 0 to 2 blocks to each message.
# The success (1 byte of payload) is 16 bytes smaller than the acceptance (17 bytes) with every cipher and MAC, and the
# answer to OPEN has 17 bytes again: so sizes are relative to the success `F`, and the answer to OPEN is the `A` that
# the definitions of ssh-session.fp want. Nothing of the server before the success is as small.
include "ssh-session.fp"

# A success, after a request and perhaps a banner.
let LET_IN(sizes) = $KEX (~ x2-1700){0,} ~ c24-1700 (~ s24-1700){0,1} ~ s$sizes#F
# A channel is opened, perhaps in one packet with no-more-sessions; host keys; the answer.
let OPENED_F = (~ s@F+1000/960){0,2} ~ c@F+24/8,@F+100/20 (~ s@F+1000/960){0,2} ~ s@F+16/0#A
# Five keys, the first after a pause; as small as the success, or 8 or 16 bytes more.
let KEYS_F = ~ c@F+124/108 ... +400ms-1h c@F/0,@F+8/0,@F+16/0#key ( ( (~ s@key+0/16){1,5} +0ms-1500ms c@key/0 ){2} ( (~ s@key+0/16){0,5} +0ms-1500ms c@key/0 ){2} | ( (~ s@key+0/16){0,5} +0ms-1500ms c@key/0 ){4} ( (+0ms-1500ms c@key/0){0,9} ~ s@key+0/16 ){2} )

# Fails, false friends: as human.typing.ssh.
tcp * = < $LET_IN(20-96) $KEYS_F : SSH2 - a person types in a session
    id = human.typing.ssh.late
    confidence = 95
    severity = low
    attack = T1021.004
    category = ssh
