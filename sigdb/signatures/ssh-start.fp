# SPDX-License-Identifier: LGPL-2.1-or-later
# SSH protocol 2 up to the server's acceptance of the service: definitions for the other files of SSH, no signatures.
#
# Every signature of a login or a session begins with the flow and passes the clear-text key exchange by its sizes, none
# of which is as small as an encrypted message. So flows that were seen from their middle on never match, and the port
# does not matter. Each cipher pads in its own way, so a size says little; the difference of two sizes says much. They
# are related to `A`, the acceptance (17 bytes of payload; RFC 4253, 10), the first encrypted message of the server
# after the client's first.

# Banners, perhaps with an empty line, or the text that a server may say before (RFC 4253, 4.2).
let SAID = ~ x2-255
# Lists of methods (KEXINIT), perhaps joined with the banner or with a guess (Dropbear); what is left of a full segment
# may come after something of the other side.
let LISTED = ( ~ x250- | ~ x1360-1480 (~ x250-){0,1} (~ x2-900){1,2} )
# A group exchange, the two halves of the key exchange; the client's may be in its first packet (Dropbear).
let HALVES = (~ c20-40 ~ s100-1200){0,1} (~ c48-1500 (~ c20-1500){0,1}){0,1} ~ s150- (~ s*){0,4}
# Both sides' must occur.
let LISTED_C = ( ~ c250- | ~ c1360-1480 (~ x250-){0,1} (~ x2-900){1,2} )
let LISTED_S = ( ~ s250- | ~ s1360-1480 (~ x250-){0,1} (~ x2-900){1,2} )
let LISTS = $SAID{0,2} ( $LISTED_S $SAID{0,2} $LISTED_C | $LISTED_C $SAID{0,1} $LISTED_S | ~ s1360-1480 ~ c250- (~ x2-900){1,2} )
# The beginning: a client's banner of so many bytes, before or after what the server says.
let BANNERS(client) = ( ( c$client | s8-255 (~ s2-255){0,2} ~ c$client ) $LISTS | ( s8-255 (~ s2-255){0,2} ~ s250- (~ s2-900){0,1} | s450-1800 ) ~ c$client $LISTED_C )
# Or all of the client's at once (Dropbear, Conch).
let ALL_C = ( c600-800 | c1300-1480 ~ c400-700 | c1800-2000 )
let ALL_AT_ONCE = ( $ALL_C ( ~ s8-80 ~ s230-1800 | ~ s450-1340 ) | c1300-1480 ~ s8-80 (~ s250-){0,1} ~ c400-700 | s8-80 ~ $ALL_C | s450-1340 ~ $ALL_C ) $SAID{0,1}
let KEX = ( $BANNERS(8-64) | $ALL_AT_ONCE ) $LISTED{0,2} $HALVES
# The same where the client's banner is as long as OpenSSH's (with or without the name of a distribution); as others'.
let KEX_OPENSSH = $BANNERS(20-22,32-43) $LISTED{0,2} $HALVES
let KEX_OTHER(sizes) = ( $BANNERS($sizes) | $ALL_AT_ONCE ) $LISTED{0,2} $HALVES
# NEWKEYS (16 bytes), perhaps joined with EXT_INFO or what follows; EXT_INFO of either side.
let NEWKEYS = (~ c16-160 (~ s16){0,1} (~ s104-1500){0,1}){0,1} (~ c36-100){0,2} (~ s104-1500){0,1}
# Up to the client's request for the service, named `I` so that `I` is something everywhere (in pieces: ssh2
# of Node writes the length, the rest and a MAC of its own one by one), and EXT_INFO.
let SERVICE_AFTER(kex, pause) = $kex $NEWKEYS $pause ( c40-420#I | c4 ~ c32-100#I (~ c16){0,1} | c32-64 ~ c20,32#I ) ( ~ s16 (~ s104-1500){0,1} | ~ s104-1500 ){0,1}
let SERVICE = $SERVICE_AFTER($KEX, ~)
let BY_OPENSSH = $SERVICE_AFTER($KEX_OPENSSH, ~)
let BY_OTHER = $SERVICE_AFTER($KEX_OTHER(8-31,44-64), ~)
let BY_STRANGER = $SERVICE_AFTER($KEX_OTHER(8-19,23-31,44-64), ~)
# Where a client does not wait for the acceptance: its first request, of these sizes (by `I`), comes before.
let AHEAD(sizes) = $KEX ~ c16 (~ s16){0,1} (~ s104-1500){0,1} (~ c36-220){0,1} ~ c40-100#I (~ s104-1500){0,1} c$sizes (~ s16){0,1} (~ s104-1500){0,1} ~ s@I#A
# Where EXT_INFO is joined with the acceptance (Twisted): the request has as many bytes as the acceptance would have.
let HIDDEN = $KEX ~ c16 (~ s16){0,1} (~ c24-160){0,2} ~ c36-100#A ~ s@A+1000/930
# The same where the client joins NEWKEYS (16 bytes) with its request (PuTTY, Conch), of `J` bytes: `A` would be 16 less.
let HIDDEN_J = $KEX (~ s16){0,1} ~ c52-116#J ~ s@J+1000/936 ~ c@J+100/100
let NOISE_J = (~ c2-1700 | ~ s@J+984/1000){0,}
# IGNORE without data, which AsyncSSH's server sends before each of its messages, or before each answer alone: as large
# as a success (8 bytes more in chacha20).
let IGN = s@A-8,@A-16
# The acceptance without it, and with or without it.
let PLAIN = s40-100#A
let WITH_I = ( s24-84#I ~ s@I+8,@I+16#A | s40-100#A )
# Anything of the authentication, in any order: nothing of the server's is smaller than `A`.
let NOISE = (~ c2-1700 | ~ s@A+1000/1000){0,}
