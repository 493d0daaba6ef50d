# SPDX-License-Identifier: LGPL-2.1-or-later
# SSH protocol 2: what the login does, from sizes alone.
#
# Every cipher pads in its own way, so a size says little; the difference of two sizes says much. The anchor, `A`, is the
# server's acceptance of the service (17 bytes of payload; RFC 4253, 10), the first encrypted message that it sends after
# the client's first. Sizes of payloads (RFC 4252, 4256; u: user name, p: password) and what they are above `A` when padded:
#
#   server                                        | client
#   success              1  -16, chacha20 of      | "none"            31 + u  16 to 32 (AES), 16 to 24 (chacha20)
#                           Dropbear's server -8  | password      40 + u + p  32 to 88; OpenSSH pads it to 104 or 40
#   refusal  6 + methods    0 to 64               |                           (chacha20), 96 (AES), PuTTY: 246 to 272 in all
#   key would do     20 + k 48 and more           | key offered   56 + u + k  96 (Ed25519), 112 and more
#   question             32 16                    | asks to be asked  55 + u  40 to 48, 32 for short names in AES
#   no more questions    17 0                     | answer             9 + p  -16 to 24, 32 or 40 where it is padded
#
# All refusals of one flow have one size, `F`, as they list the methods that may continue. "none" is refused first, and shows it.
# A client without "none" (Paramiko, phpseclib), or an answer that shares its segment with EXT_INFO or a banner, leaves `F` to
# the first credential. Where `F` is 16 a refusal and a question look alike: what follows tells, and the server's delay.
# Where sizes are multiples of 16 (AES), the query for an Ed25519 key and a password that OpenSSH padded look alike, 96.
#
# Every signature begins with the flow and passes the clear-text key exchange by its sizes, none of which is as small as
# an encrypted message. So flows that were seen from their middle on never match, and the port does not matter.
#
# Taken from: OpenSSH 8.4, 9.2 and 10.0 (with and without PAM, with a banner), Dropbear 2022.83 and 2025, AsyncSSH, PuTTY,
# libssh, libssh2 (curl, medusa), ncrack, Paramiko, Net::SSH, Go, in chacha20-poly1305, aes-gcm, aes-ctr and aes-cbc, MAC before
# and after; and from the arithmetic above. Read against older captures: OpenSSH 5 to 8, Cisco,
# Apple.
# Surprising: libssh2 and PuTTY join NEWKEYS (16 bytes) and the service request, Dropbear's client "none" too; OpenSSH 10 adds
# EXT_INFO to either side's first message; AsyncSSH's client and server send IGNORE before each message.
# AsyncSSH of Debian 13 only before authentication replies. Names that end in _I are for a server that does either; its IGNORE has
# the size of a success (IGN; 8 bytes more in chacha20).

# The clear-text key exchange: banners and KEXINITs in any order, perhaps joined; a group exchange; the two halves, of which the
# client's may be in its first packet (Dropbear).
let SAID = ( ~ c8-255 | ~ s8-255 | ~ c2 | ~ s2 )
let LISTED = ( ~ c250- (~ c2-1500){0,1} | ~ s230- (~ s2-1500){0,1} | ~ c1360-1480 (~ s8-){1,2} ~ c2-900 | ~ s1360-1480 (~ c8-){1,2} ~ s2-900 )
let BIG_S = s250- (~ s16-1460){0,1}
let ALL_C = ( c600-800 | c1300-1460 ~ c400-700 | c1800-2000 )
let KEXINITS = ( ~ c250- (~ c16-1460){0,1} | ~ $BIG_S ){1,4} (~ s16-249){0,1}
let HALVES = (~ c20-40 ~ s100-1200){0,1} (~ c48-1500 (~ c20-1500){0,1}){0,1} ~ s150- (~ s*){0,4}
let KEX = $SAID{0,3} $LISTED{0,2} $SAID{0,2} $LISTED{1,4} $HALVES
# The client's half by its size, where nothing else follows.
let HALF = ( ~ c48,72,80,112,144,152,272,400,528,1040,1190-1240 | ~ c1448 ~ c100-300 )
# The same up to the service request, named `I` so that `I` is something everywhere.
let NEWKEYS = (~ c16-160 (~ s16){0,1} (~ s104-1500){0,1}){0,1} (~ c36-100){0,2} (~ s104-1500){0,1}
let SERVICE = $KEX $NEWKEYS ~ c40-420#I ( ~ s16 (~ s104-1500){0,1} | ~ s104-1500 ){0,1}
# Without the pause of a person whose password is sent directly after the service was asked for.
let SERVICE_SOON = $KEX $NEWKEYS +0ms-699ms c40-420#I ( ~ s16 (~ s104-1500){0,1} | ~ s104-1500 ){0,1}
# The acceptance is joined with EXT_INFO (Twisted): the client's request has as many bytes as the acceptance alone.
let HIDDEN = $KEX ~ c16 (~ s16){0,1} (~ c24-160){0,2} ~ c36-100#A ~ s@A+1000/930
# The acceptance, without and with IGNORE before each message.
let PLAIN = s40-100#A
let WITH_I = ( s24-84#I ~ s@I+8,@I+16#A | s40-100#A )
let IGN = s@A-8,@A-16
# Anything of the authentication, in any order: nothing of the server's is smaller than `A`.
let NOISE = (~ c24-1700 | ~ s@A+1000/1000){0,}
let NOISE_I = (~ c24-1700 | ~ $IGN ~ s@A+1000/1000){0,}
let ANY = ( ~ c24-1700 | ~ s@A+1000/1000 | ~ $IGN ~ s@A+32/32 ){0,}

# The client's requests. AsyncSSH's sends IGNORE before each. From 48 on no usual user name makes a "none".
let IGNORE = (~ c@A-8,@A-16){0,1}
let NONE = $IGNORE ~ c@A+16,@A+32 (~ c20-84){0,1}
let NONE_8 = $IGNORE ~ c@A+24 (~ c20-84){0,1}
let PASSWORD = c@A+60/28,@A+104,246-255,257-272
let UNPADDED = c@A+60/28,246-255,257-272
let LARGE = c@A+32,@A+80/8,246-255,257-272
let SMALL = c@A+52/12
let PASSWORD_48 = c@A+68/20,@A+104,246-255,257-272
let CREDENTIAL = c@A+84/52,@A+164/4,246-255,257-272
let KEY = c@A+158/46,@A+960/732!246-255,257-272
let ASK = c@A+48/16 (~ $IGN){0,1} ~ s@A+68/52#Q $IGNORE
let ASK_F = c@A+48/16 (~ $IGN){0,1} ~ s@A+68/52!@F $IGNORE
let ASK_16 = c@A+48/16 (~ $IGN){0,1} ~ s@A+72/48 $IGNORE
let ANSWER = c@A+12/28,@A+96,@A+104,246-255,257-272
# Paramiko asks for the service anew before each attempt.
let AGAIN = ~ c@A ( ~ s@A | ~ $IGN ~ s@A )
let AGAIN_SOON = c@A ( ~ s@A | ~ $IGN ~ s@A )

# The server's answers. The first refusal names `F`, but for 16; FIRST_8 come with chacha20 alone, as does NONE_8.
# FIRST_LONG have room for keyboard-interactive. FIRST_104 are not what says that a key would do (PK_OK), whose query has 104
# for names of 9 bytes and more.
let FIRST = s@A,@A+8,@A+24,@A+32,@A+40,@A+48,@A+56,@A+64#F
let FIRST_SOON = +0ms-229ms s@A,@A+8,@A+24,@A+32,@A+40,@A+48,@A+56,@A+64#F
let FIRST_ASKED = s@A+36/28!@Q#F
let FIRST_104 = s@A,@A+8,@A+24,@A+32,@A+40,@A+48,@A+64#F
let FIRST_SHORT = s@A,@A+8,@A+40#F
let FIRST_LONG = s@A+24,@A+32,@A+48,@A+56,@A+64#F
let FIRST_8 = s@A+8,@A+24,@A+40,@A+56#F
let FIRST_16 = s@A,@A+32,@A+48,@A+64#F
let REFUSED = ( s@F | $IGN ~ s@F )
let REFUSED_SOON = ( +0ms-229ms s@F | +0ms-229ms $IGN ~ s@F )
# A refusal or a question. A question comes soon; Dropbear and PAM make one wait for a refusal.
let ALIKE = ( s@A+16 | $IGN ~ s@A+16 )
let ALIKE_SOON = ( +0ms-229ms s@A+16 | +0ms-229ms $IGN ~ s@A+16 )
let ALIKE_LATER = ( +4ms-229ms s@A+16 | +4ms-229ms $IGN ~ s@A+16 )
# EXT_INFO or a banner, of its own or joined with the first refusal.
let BANNER = (~ s@A+1054/1050){0,1}
let JOINT = s@A+1070/997
let JOINED = ( $NONE | $IGNORE ~ $PASSWORD | ~ c@A+96 | ~ $KEY ){0,1} ~ $JOINT ( $AGAIN ){0,1} $IGNORE
let JOINED_8 = $NONE_8 ~ $JOINT $IGNORE
# PAM has a last question without anything to answer.
let LAST_ANSWER = $IGNORE ~ c@A-16,@A-8,@A+32,@A+40,246-255,257-272
let DONE = ( ~ s@A-16,@A-8 | ~ s@A $LAST_ANSWER ~ s@A-16,@A-8 )
let DONE_I = ( ~ $IGN ~ s@A-16 | ~ $IGN ~ s@A $LAST_ANSWER ~ $IGN ~ s@A-16 )

# How `F` is learnt: from "none"; from the first credential, which counts itself; from something that does not count.
let COUNTED_ASKED = ( $JOINED | $JOINED_8 ){0,1} ~ ( c@A+48/16 (~ $IGN){0,1} ~ s@A+16#Q $IGNORE ~ $ANSWER | $ASK ~ c@A-4/12,@A+24/16 ) ~ $FIRST_ASKED
let COUNTED_JOINED = ( $JOINED | $JOINED_8 ) ( ~ $LARGE ~ $FIRST | + c@A+52/12,@A+96,@A+104 ~ $FIRST | c@A+52/12,@A+96,@A+104 +230ms $FIRST | $SMALL ~ $FIRST_SHORT )
let COUNTED = ( ~ $PASSWORD_48 ~ $FIRST | ~ c@A+96 ~ $FIRST | $COUNTED_JOINED | $COUNTED_ASKED )
let COUNTED_I = ( ~ $PASSWORD_48 ~ $IGN ~ $FIRST | ~ c@A+96 ~ $IGN ~ $FIRST | ~ c@A+40 +230ms $IGN ~ $FIRST )
let LEARNT_JOINED = ( $JOINED | $JOINED_8 ) ~ c@A+52/12,@A+96,@A+104 ~ $FIRST
let LEARNT = ( ( $JOINED | $JOINED_8 ){0,1} ~ $KEY ~ $FIRST | $LEARNT_JOINED | ~ c@A+32 ~ $FIRST $AGAIN_SOON | ~ c@A+32 ~ $FIRST_SHORT | $IGNORE ~ c@A+40 ~ $FIRST )
let LEARNT_I = ( ~ $KEY ~ $IGN ~ $FIRST | ~ c@A+40 ~ $IGN ~ $FIRST )
let KNOWN = ( ( $NONE | $NONE_8 ){0,1} $BANNER ( ~ $FIRST_SHORT | ~ $FIRST_LONG $IGNORE ~ c24-1700 ~ s@A+1000/1000!@A ) | $COUNTED | $LEARNT )
let KNOWN_I = ( ( $NONE | $NONE_8 ){0,1} ~ $IGN ( ~ $FIRST_SHORT | ~ $FIRST_LONG $IGNORE ~ c24-1700 ~ $IGN ~ s@A+1000/1000!@A ) | $COUNTED_I | $LEARNT_I )
let KNOWN_NONE = ( ( $NONE | $NONE_8 ){0,1} $BANNER ~ $FIRST_LONG $IGNORE )
let KNOWN_NONE_I = ( ( $NONE | $NONE_8 ){0,1} ~ $IGN ~ $FIRST_LONG $IGNORE )
let KNOWN_ALL = ( ( $NONE | $NONE_8 ){0,1} $BANNER ~ $FIRST | $COUNTED | $LEARNT )
let KNOWN_ALL_I = ( ( $NONE | $NONE_8 ){0,1} ~ $IGN ~ $FIRST | $COUNTED_I | $LEARNT_I )
# In chacha20 a password is 104, or 40, and 96 a key. Elsewhere 96 may be either.
let KNOWN_8 = ( $NONE_8 $BANNER ~ $FIRST | ( $NONE ){0,1} $BANNER ~ $FIRST_8 )
let KNOWN_8_I = ( $NONE_8 ~ $IGN ~ $FIRST | ( $NONE ){0,1} ~ $IGN ~ $FIRST_8 )
let KNOWN_16 = ( ( $NONE ){0,1} $BANNER ~ $FIRST_16 | $COUNTED | $LEARNT )
let KNOWN_16_I = ( ( $NONE ){0,1} ~ $IGN ~ $FIRST_16 | $COUNTED_I | $LEARNT_I )
# Where a refusal may look like a question.
let MODE_ALIKE = ( ( $NONE | $NONE_8 ){0,1} $BANNER ~ s@A+16 | $JOINED | $JOINED_8 | ( ~ c@A+64/32 | ~ $KEY ) ~ s@A+16 )
let MODE_ALIKE_I = ( ( $NONE | $NONE_8 ){0,1} ~ $IGN ~ s@A+16 | ( ~ c@A+64/32 | ~ $KEY ) ~ $IGN ~ s@A+16 )

# What counts once `F` is known: a password, or an answer, with `F` as reply.
# 104 is a password in chacha20, but for a key that belongs to a name of 9 bytes and more, after which a person types.
let COUNT_104 = ( + c@A+104 ~ $REFUSED | c@A+104 +230ms $REFUSED | c@A+104 $REFUSED_SOON c@A,@A+40,@A+104 | c@A+104 $REFUSED_SOON > )
# Directly after "none" a small one may be a request to be asked that is refused at once, where keyboard-interactive is offered but not to
# be had: before an unpadded password without a pause it counts, or where the reply is slow.
let COUNT_NEXT = ( ~ $LARGE ~ $REFUSED | + $SMALL ~ $REFUSED | $SMALL +230ms $REFUSED | c@A+40 $REFUSED_SOON $IGNORE c@A+60/28 | c@A+56/8 $REFUSED_SOON $IGNORE c@A+32,@A+68/20 | ~ $ASK_F ~ $ANSWER ~ $REFUSED | $COUNT_104 )
let COUNT = ( ~ $UNPADDED | ~ $ASK_F ~ $ANSWER ) ~ $REFUSED
# A request of 96 is a password after a pause (of a person), before a slow reply, or before another one without a pause.
let COUNT_96 = ( + c@A+96 ~ $REFUSED | ~ $ASK_F ~ $ANSWER $REFUSED_SOON c@A+96 $REFUSED_SOON ( + c24-1700 | c@A+52/40 ) | c@A+96 +230ms $REFUSED | c@A+96 $REFUSED_SOON c@A+96 | c@A+96 $REFUSED_SOON > )
let JOINED_SMALL = ( $JOINED | $JOINED_8 ) $SMALL +0ms-229ms $FIRST_LONG $IGNORE c@A+32,@A+68/20
let JOINED_104 = ( $JOINED | $JOINED_8 ) c@A+104 +0ms-229ms $FIRST_104
let COUNTED_96 = ( $JOINED c@A+96 $FIRST_SOON c@A+96 | $JOINED c@A+96 $FIRST_SOON > | $JOINED_104 c@A,@A+40,@A+104 | $JOINED_104 > | $JOINED_SMALL )
# After two refusals: DISCONNECT ("Too many authentication failures"; OpenSSH's sixth), or the end (Dropbear's tenth).
let LAST = $ANY ~ $REFUSED $ANY ( ~ $PASSWORD | ~ c@A+96 | ~ $ASK_F ~ $ANSWER )
# The first request is as small as a "none" for a long name: a password if its refusal is slow, if the client asks for the service
# again, sends one as small, or leaves.
let FIRST_SMALL = ( ~ c@A+32,@A+40 $FIRST_SOON ( $AGAIN | ~ c@A > ) | ~ c@A+32 +3ms-229ms s@A+32/32!@A+16 > | ~ c@A+32 $FIRST_SOON ~ c@A+32 | ~ c@A+40 $FIRST_SOON ~ c@A+40,@A+104 )
let JOINT_48 = ~ c@A+72/16,@A+96,@A+104,246-255,257-272 ~ $JOINT
# One request, a first answer joined with EXT_INFO, and gone.
let SMALL_GONE = c@A+32 +3ms-229ms $JOINT >
let FIRST_JOINT = ( ~ c@A+36/4 +230ms $JOINT | ~ c@A+36/4 ~ $JOINT $AGAIN | $JOINT_48 ~ c@A+60/28,@A+96,@A+104,246-255,257-272 | $JOINT_48 $AGAIN | ~ c@A+48 ~ $JOINT ( $AGAIN | c@A+60/28,@A+96,@A+104 ) | ~ c@A+68/20,246-255,257-272 ~ $JOINT > | $SMALL_GONE )
# Where a refusal may look like a question: what is no request to be asked; or the reply is slow; or what follows is no answer:
# a password, "none" or the service again, DISCONNECT, the end. An answer that is refused counts itself.
let AFTER_ALIKE = ( $IGNORE ~ c@A+64/16 | $IGNORE ~ c@A+0/16 ~ $ALIKE | ~ c@A+16 ~ s@A+32 | ~ c@A > | $AGAIN ~ c@A+600/584 )
let ALIKE_96 = ( + c@A+96 ~ $ALIKE | c@A+96 +230ms $ALIKE | c@A+96 $ALIKE_SOON c@A+96 | c@A+96 $ALIKE_SOON > )
let ALIKE_32 = ( c@A+32 $ALIKE_SOON $IGNORE c@A+32 $ALIKE_SOON | c@A+32 $ALIKE_SOON > | $AGAIN c@A+40/8 $ALIKE_SOON > )
let ALIKE_NEXT = ( c@A+48 $ALIKE_LATER $IGNORE c@A+32 $ALIKE_SOON | c@A+40/8 $ALIKE_LATER $IGNORE c@A+32 ~ s@A-16 )
let COUNT_ALIKE = ( ~ $ASK_16 ~ $ANSWER ~ $ALIKE | ~ c@A+80/8,@A+104,246-255,257-272 ~ $ALIKE | $ALIKE_96 | + c@A+48/16 ~ $ALIKE | c@A+48/16 +230ms $ALIKE | c@A+48/16 $ALIKE_SOON $AFTER_ALIKE | $ALIKE_32 | $ALIKE_NEXT )
let FIRST_AFTER = ( c@A+44/4 $ALIKE_SOON ( c@A+72/24 | $IGNORE ~ c@A+0/16 ~ $ALIKE ) | c@A+40/8 $ALIKE_SOON ( $AGAIN ~ c@A+600/584 | ~ c@A > ) | c@A+44/4 $ALIKE_SOON > | c@A+32 +3ms-229ms s@A+16 > | c@A+32 +3ms-229ms $IGN ~ s@A+16 > )
let FIRST_ALIKE = ( ~ c@A+76/20,@A+104,246-255,257-272 ~ $ALIKE | + c@A+44/4 ~ $ALIKE | ~ c@A+40/8 +230ms $ALIKE | $FIRST_AFTER )

# One hit for each password, or answer to a question (keyboard-interactive), that was refused.
# Fails: passwords of more than 60 bytes that are not padded, or 95 with a pad; more than some 40 packets. Where a refusal
# looks like a question: a password of 48 before one of 32 that are refused soon, the last one of 48.
# False friends: in AES an Ed25519 key that is refused, alone or before a password without a pause; an empty password, which
# ncrack sends and OpenSSH logs as "none"; a password where the server takes none.
let GOODBYE = ~ s@A+40/40!@F >
let LAST_GOODBYE = ( $ANY ~ c@A+80/8,246-255,257-272 $GOODBYE | $ANY ~ c@A+96,@A+104 ~ s@A+20/20,@A+72/8!@F > | $ANY ~ c@A+48/16 +230ms s@A+40/40!@F > )
let FAILED_THEN = ( $LAST_GOODBYE |  $ANY ( $COUNT | $COUNT_104 ) | $LAST ~ s@A+32!@F | ( $ANY ~ $REFUSED ){4} $LAST > )
let FAILED = ( ~ $PLAIN ( $KNOWN | ~ c@A+32 ~ $FIRST $AGAIN ) | ~ $WITH_I $KNOWN_I ) $FAILED_THEN
let FAILED_NEXT = ( ~ $PLAIN $KNOWN_NONE | ~ $WITH_I $KNOWN_NONE_I ) $COUNT_NEXT
let FAILED_96 = ( ~ $PLAIN $KNOWN_16 | ~ $WITH_I $KNOWN_16_I ) $ANY $COUNT_96
let LAST_ALIKE = $ANY ~ $ALIKE $ANY ( ~ c@A+72/16,246-255,257-272 | ~ c@A+32 | ~ c@A+96 ) ~ s@A+32
let FAILED_ALIKE = ( ~ $PLAIN $MODE_ALIKE | ~ $WITH_I $MODE_ALIKE_I ) ( $ANY $COUNT_ALIKE | $LAST_ALIKE )
# 96 that is answered by 48 or 56 may be the query for a key that would do (PK_OK); then a signature follows, larger than any password.
let NO_PK_OK = s@A,@A+8,@A+24,@A+32,@A+40,@A+64#F
let REFUSED_96 = ( ~ $NO_PK_OK | ~ s@A+48,@A+56#F ~ c@A+52/52 | ~ s@A+48,@A+56#F > )
let REFUSED_96_I = ( ~ $IGN ~ $NO_PK_OK | ~ $IGN ~ s@A+48,@A+56#F ~ c@A+52/52 | ~ $IGN ~ s@A+48,@A+56#F > )
# 48 may be "none" for a very long name, or a request to be asked that is refused: then one who types makes a pause, or PuTTY pads.
let PASSWORD_56 = c@A+72/16,@A+104,246-255,257-272
let NEXT_48 = ( c24-245 | c273-1700 | ~ c@A )
let FIRST_48 = ( + c@A+48 ~ $FIRST | c@A+48 +230ms $FIRST | c@A+48 $FIRST_SOON $NEXT_48 | c@A+48 $FIRST_SOON > )
let COUNTED_FIRST = ( ~ $PASSWORD_56 ~ $FIRST | $FIRST_48 | ~ c@A+96 $REFUSED_96 | $COUNTED_JOINED | $COUNTED_ASKED )
let COUNTED_FIRST_I = ( ~ $PASSWORD_48 ~ $IGN ~ $FIRST | ~ c@A+96 $REFUSED_96_I | ~ c@A+40 +230ms $IGN ~ $FIRST )
let FAILED_FIRST = ( $COUNTED_FIRST | $COUNTED_96 | ~ c@A+32,@A+40 +230ms $FIRST | $FIRST_SMALL | $FIRST_JOINT )
let FAILED_AT_ONCE = ( ~ $PLAIN ( $FAILED_FIRST | $FIRST_ALIKE ) | ~ $WITH_I ( $COUNTED_FIRST_I | $FIRST_ALIKE ) )
# libssh2, known by its banner and KEXINIT, asks for a question only where keyboard-interactive is listed, and answers it.
let LIBSSH2 = ( c20-28 ~ s8-255 | s8-255 ~ c20-28 ) ( ~ s16-1460 ){0,2} ~ c1128 ( ~ s16-1460 ){0,2} $HALVES $NEWKEYS ~ c40-420 ( ~ s16 (~ s104-1500){0,1} | ~ s104-1500 ){0,1}
let REPLY_SOON = +0ms-229ms s@A+32/32
let ONLY_48 = ( $NONE ~ $JOINT | $NONE ~ s@A+16 ){0,1} c@A+48 $REPLY_SOON >
let FAILED_LIBSSH2 = ~ s40-100#A $ONLY_48
tcp * = < ( $LIBSSH2 $FAILED_LIBSSH2 | $HIDDEN ( $KNOWN $FAILED_THEN | $KNOWN_NONE $COUNT_NEXT | $KNOWN_16 $ANY $COUNT_96 | $MODE_ALIKE $ANY $COUNT_ALIKE | $FAILED_FIRST ) | $SERVICE ( $FAILED | $FAILED_NEXT | $FAILED_96 | $FAILED_ALIKE | $FAILED_AT_ONCE ) ) : SSH2 - password or answer refused
    id = ssh.auth.failure
    confidence = 97
    severity = low
    attack = T1110
    category = ssh
    reference = RFC 4252

# A key that was offered, or used to sign, and refused. Directly after a refusal: a signature that is refused after the key would
# do is a partial success, in which more is asked for.
# Fails: one Ed25519 key in AES if no more follows, which is taken for a password. False friends: PuTTY's padded passwords where a
# long MAC makes them as large as a signature.
# What follows 96 when that was a key: a credential after a pause, a request to be asked or an unpadded password, another key.
let ELSE = ( + c@A+60/44,246-255,257-272 | c@A+48/16 | ~ $KEY )
let KEY_REFUSED = ( $ANY ~ $REFUSED ){0,1} ( $AGAIN ){0,1} $IGNORE ~ $KEY ~ $REFUSED
let KEY_ALIKE = ( ( $ANY ~ $ALIKE ){0,1} ( $AGAIN ){0,1} $IGNORE ~ $KEY ~ $ALIKE | $ANY c@A+96 $ALIKE_SOON $ELSE )
let KEY_96 = c@A+96 ~ s@A,@A+8,@A+16,@A+24,@A+32,@A+40,@A+64
let KEY_FIRST = ( ( $JOINED | $JOINED_8 ){0,1} ( ~ $KEY ~ s@A+36/36!@A+48,@A+56 | ~ c@A+164/40,@A+960/732 ~ s@A+48,@A+56 ) | ~ $KEY ~ $JOINT $AGAIN | $JOINED_8 $KEY_96 | $JOINED $KEY_96 $ELSE )
let KEYS_REFUSED = ( $KNOWN_ALL $KEY_REFUSED | $KEY_FIRST | $KNOWN_8 $ANY ( c@A+96 ~ $REFUSED | c@A+104 $REFUSED_SOON ( + c@A+104,@A+40 | c@A+68/20 ) ) | $KNOWN_16 $ANY c@A+96 $REFUSED_SOON $ELSE | $MODE_ALIKE $KEY_ALIKE )
let KEYS_REFUSED_I = ( $KNOWN_ALL_I $KEY_REFUSED | ~ $KEY ~ $IGN ~ s@A+36/36 | $KNOWN_8_I $ANY ( c@A+96 ~ $REFUSED | c@A+104 $REFUSED_SOON ( + c@A+104,@A+40 | c@A+68/20 ) ) | $KNOWN_16_I $ANY c@A+96 $REFUSED_SOON $ELSE | $MODE_ALIKE_I $KEY_ALIKE )
tcp * = < $SERVICE ( ~ s40-100#A $KEYS_REFUSED | ~ $WITH_I $KEYS_REFUSED_I ) : SSH2 - key refused
    id = ssh.pubkey.refused
    confidence = 95
    severity = low
    category = ssh
    reference = RFC 4252, 7

# The first message of the server after its acceptance that is smaller than it, by the 16 bytes (8: Dropbear in
# chacha20) of RFC 4252, 5.1; all before it are at least as large. It may be IGNORE, so what follows tells: a packet of the client, a
# second small one, a large one (host keys), the end; a refusal if the server has not replied without IGNORE before (DIRECT).
# Where it shares a segment with what follows, the first small one after it counts (CHANNEL_SUCCESS), or what comes after a banner
# without being asked for (HIDDEN). Fails: compression "zlib" from the start, padding at random, servers that
# send IGNORE only now and then. False friend: a refusal in 3DES that lists "password" or "publickey" alone.
let NOISE_NOW = ( ~ c24-1700 | ~ s@A+1000/1000 | ~ $IGN ~ s@A+32/32 | ~ c@A+850/770#query ~ $IGN ~ s@query-52/20 ){0,}
let SUCCESS = ( ~ s@A-16,36 ( ~ c* | ~ s@A-12/4 | ~ s@A+15000/14928 ) | ~ s@A-16,36 > )
let DONE_NOW = $NOISE_NOW ~ c24-1700 $SUCCESS
let DONE_DIRECT = $NOISE ~ c24-1700 ~ s@A+16/16 $NOISE ~ c24-1700 ~ s@A-12/4 ~ s@A+34/34
let DONE_HIDDEN = $NOISE ~ c@A+150/118 ~ $JOINT ( ~ s@A+15000/14650 ~ c@A+12/12 | ~ s@A+15000/14650 > | ~ c@A+12/12 ~ s@A+15000/14650 )
tcp * = < ( $HIDDEN $DONE_NOW | $SERVICE ( ~ s40-100#A ( $DONE_NOW | $DONE_DIRECT | $DONE_HIDDEN ) | ~ s24-84#I ~ s@I+8,@I+16#A $NOISE_I ~ c24-1700 ~ s@I ~ s@A-16 ) ) : SSH2 - login succeeded
    id = ssh.auth.success
    confidence = 99
    severity = low
    attack = T1021.004
    category = ssh
    reference = RFC 4252, 5.1

# The server would take the key (PK_OK), the client signs, at least 150 bytes more than a password.
tcp * = < $SERVICE ~ s40-100#A $NOISE_NOW ~ c@A+850/770 (~ $IGN){0,1} ~ s@A+450/420 ~ c@A+960/790 $SUCCESS : SSH2 - login by key
    id = ssh.auth.success.key
    severity = low
    attack = T1021.004
    category = ssh

# A pause of at least 0.7 s before a message of a password's or an answer's size that is refused or accepted. Nobody types a
# password faster; a program that waits as long (expect with a delay) is taken for a person. A passphrase typed for a key is not
# meant: what is sent then is a signature. A program on Paramiko asks for the service first.
let TYPED = c@A+56/80,@A+164/4,246-255,257-272
# Paramiko's own: it asks for the service when the password is there, so the pause is before that.
let TYPED_FIRST = c@A+60/28,@A+96,@A+104
let ACCEPTED_OR_NOT = ( ~ s@A-16,36 | ~ s@A+36/36 )
let PAUSE_BEFORE = ~ c16 (~ s16){0,1} (~ s104-1500){0,1} +700ms c40-100
tcp * = < ( $KEX $PAUSE_BEFORE ( ~ $PLAIN $TYPED_FIRST $ACCEPTED_OR_NOT | ~ s24-84#I ~ s@I+8,@I+16#A $TYPED_FIRST ~ $IGN $ACCEPTED_OR_NOT ) | $SERVICE ( ~ $PLAIN $NOISE ~ s@A+1000/1000 ( +700ms $TYPED | +700ms c@A ~ s@A ~ $TYPED ) ~ s@A+28/44 | ~ $WITH_I $NOISE_I ~ $IGN ~ s@A+1000/1000 +700ms $TYPED ~ $IGN ~ s@A+20/36 ) ) : SSH2 - a person typed a password
    id = human.password.ssh
    confidence = 98
    severity = low
    category = ssh

# What is refused as above, or accepted, without a pause of 0.4 s before it. Accepted counts directly after a refusal, a question or the
# service, so that neither a signature nor PAM's last answer is taken for a password.
# Fails and false friends as above; a key manager that types.
let AUTO = ( $UNPADDED ~ $REFUSED | ~ $ASK_F $ANSWER ~ $REFUSED | c@A+104 +230ms $REFUSED | c@A+104 $REFUSED_SOON c@A,@A+40,@A+104 | c@A+104 $REFUSED_SOON > )
let AUTO_NEXT = ( $LARGE ~ $REFUSED | $SMALL +230ms $REFUSED | c@A+40 $REFUSED_SOON $IGNORE c@A+60/28 | c@A+56/8 $REFUSED_SOON $IGNORE c@A+32,@A+68/20 | ~ $ASK_F $ANSWER ~ $REFUSED | c@A+104 +230ms $REFUSED | c@A+104 $REFUSED_SOON c@A,@A+40,@A+104 | c@A+104 $REFUSED_SOON > )
let AUTO_96 = ( ~ $ASK_F ~ $ANSWER $REFUSED_SOON c@A+96 ~ $REFUSED | c@A+96 +230ms $REFUSED | c@A+96 $REFUSED_SOON c@A+96 | c@A+96 $REFUSED_SOON > )
let AUTO_DONE = ( $AGAIN_SOON ){0,1} $IGNORE ( $CREDENTIAL | $ASK $ANSWER ) $DONE
let AUTO_DONE_I = ( $AGAIN_SOON ){0,1} $IGNORE ( $CREDENTIAL | $ASK $ANSWER ) $DONE_I
# A first credential without "none" counts when something follows without a pause, or nothing: a person who is asked before the program
# connects (Paramiko) pauses after it.
let AUTO_ANSWERED = c@A+68/20,@A+96,@A+104,246-255,257-272 ~ s@A+1064/1064
let AUTO_ANSWERED_I = ( c@A+68/20,@A+96,@A+104,246-255,257-272 ~ $IGN | c@A+36/4 +230ms $IGN ) ~ s@A+36/36
let AUTO_SLOW = c@A+36/4 +230ms s@A+1064/1064
let AUTO_JOINED = ( ( $JOINED | $JOINED_8 ) ( $LARGE ~ $FIRST | c@A+52/12,@A+96,@A+104 +230ms $FIRST | $SMALL ~ $FIRST_SHORT ) | $JOINED_SMALL | $JOINED_104 c@A,@A+40,@A+104 | $JOINED_104 > | $JOINED c@A+96 $FIRST_SOON c@A+96 | $JOINED c@A+96 $FIRST_SOON > )
let AUTO_FIRST = ( $AUTO_ANSWERED c@A+52/52,246-255,257-272 | $AUTO_ANSWERED > | ( $JOINED | $JOINED_8 ){0,1} ( $CREDENTIAL $DONE | ~ $ASK c@A-4/12,@A+24/16 ~ $FIRST_ASKED | ~ c@A+48/16 (~ $IGN){0,1} ~ s@A+16#Q $IGNORE $ANSWER ~ $FIRST_ASKED | ~ $ASK $ANSWER $DONE ) )
let AUTO_FIRST_I = ( $AUTO_ANSWERED_I c@A+52/52,246-255,257-272 | $AUTO_ANSWERED_I > | $CREDENTIAL $DONE_I )
let AUTO_SMALL = ( $SMALL_GONE | $AUTO_SLOW c24-1700 | $AUTO_SLOW > | c@A+36/4 +0ms-229ms s@A+1064/1064 ( c@A > | $AGAIN_SOON ) | c@A+32 +3ms-229ms s@A+32/32 > | c@A+32 $FIRST_SOON c@A+32 | c@A+40 $FIRST_SOON c@A+40,@A+104 )
let AUTO_AFTER = ( $IGNORE ~ c@A+64/16 | $IGNORE c@A+0/16 ~ $ALIKE | ~ c@A+16 ~ s@A+32 | c@A > | $AGAIN_SOON ~ c@A+600/584 )
let AUTO_ALIKE_96 = ( c@A+96 +230ms $ALIKE | c@A+96 $ALIKE_SOON c@A+96 | c@A+96 $ALIKE_SOON > )
let AUTO_ALIKE_32 = ( c@A+32 $ALIKE_SOON $IGNORE c@A+32 $ALIKE_SOON | c@A+32 $ALIKE_SOON > | $AGAIN_SOON c@A+40/8 $ALIKE_SOON > )
let AUTO_ALIKE = ( ~ $ASK_16 $ANSWER ~ $ALIKE | c@A+80/8,@A+104,246-255,257-272 ~ $ALIKE | $AUTO_ALIKE_96 | c@A+48/16 +230ms $ALIKE | c@A+48/16 $ALIKE_SOON $AUTO_AFTER | $AUTO_ALIKE_32 | $ALIKE_NEXT )
let SENT = ( ~ $PLAIN $KNOWN | ~ $WITH_I $KNOWN_I ) ( $ANY ~ $REFUSED ){0,1} ( $AGAIN_SOON ){0,1} $IGNORE $AUTO
let SENT_NEXT = ( ~ $PLAIN $KNOWN_NONE | ~ $WITH_I $KNOWN_NONE_I ) $AUTO_NEXT
let SENT_96 = ( ~ $PLAIN ( $NONE ){0,1} $BANNER | ~ $WITH_I ( $NONE ){0,1} ~ $IGN ) ~ $FIRST_16 $ANY $AUTO_96
let SENT_ALIKE = ( ~ $PLAIN $MODE_ALIKE | ~ $WITH_I $MODE_ALIKE_I ) ( $ANY ~ $ALIKE ){0,1} ( $AGAIN_SOON ){0,1} $IGNORE $AUTO_ALIKE
let SENT_DONE = ~ $PLAIN ( $KNOWN_ALL ( $ANY ~ $REFUSED ){0,1} | $MODE_ALIKE ( $ANY ~ $ALIKE ){0,1} ) $AUTO_DONE
let SENT_DONE_I = ~ $WITH_I ( $KNOWN_ALL_I ( $ANY ~ $REFUSED ){0,1} | $MODE_ALIKE_I ( $ANY ~ $ALIKE ){0,1} ) $AUTO_DONE_I
let SENT_AT_ONCE = ( ~ $PLAIN ( $AUTO_JOINED | $AUTO_FIRST | $AUTO_SMALL ) | ~ $WITH_I $AUTO_FIRST_I )
tcp * = < ( $LIBSSH2 $FAILED_LIBSSH2 | $SERVICE ( $SENT | $SENT_NEXT | $SENT_96 | $SENT_ALIKE | $SENT_DONE | $SENT_DONE_I ) | $SERVICE_SOON $SENT_AT_ONCE ) : SSH2 - a program sent a password
    id = automated.password.ssh
    confidence = 97
    severity = low
    category = ssh

# After both KEXINITs the client sends its half of the key exchange (whose sizes the methods fix), sees the server's key
# and is gone: a person who says "no", a client that knows another key (a man in the middle, or a new server). Programs that
# collect keys or methods (ssh-audit, nmap's scripts, ssh-keyscan, those in Go) leave at the same place. The pause of a person
# before the end has no packet after it, so it is not seen; the client must look like one that people use, by its banner and KEXINIT.
# Taken from: OpenSSH as distributions name it and Net::SSH (banners of 29 bytes and more), upstream's OpenSSH (21; its KEXINIT is
# larger than any that ssh-audit sends with the same banner), PuTTY (28), libssh, JSch and PHP (libssh2), which complete the exchange
# before they look, Dropbear and Conch (banner and KEXINIT joined), of which Conch says DISCONNECT in clear text.
# Fails: Go, Paramiko, AsyncSSH, other programs on libssh2, OpenSSH of 21 bytes with few methods. False friends: the same programs, stopped
# at that place for other reasons; a scanner with a client's banner and lists.
# What is left of the server's banner and KEXINIT; the client's KEXINIT, whose first part may fill a segment.
let SERVERS = (~ s16-3000){0,3}
let LISTS = ( ~ c600-1800!1428,1440,1448,1460 | ~ c1428-1460 $SERVERS ~ c16-500 ) $SERVERS
let LARGE_LISTS = ( ~ c1160-1800!1428,1440,1448,1460 | ~ c1428-1460 $SERVERS ~ c16-500 ) $SERVERS
let OPENSSH = ( c29-60 ~ s8-900 | s8-900 ~ c29-60 ) $SERVERS $LISTS (~ c24-32 ~ s100-1200){0,1}
let LIKE_OPENSSH = ( c21,26-28 ~ s8-900 | s8-900 ~ c21,26-28 ) $SERVERS $LARGE_LISTS (~ c24-32 ~ s100-1200){0,1}
let LIBSSH = ( c22-24 ~ s8-900 | s8-900 ~ c22-24 ) $SERVERS ~ c880-950 $SERVERS
let JSCH = ( c18-24 ~ s8-900 | s8-900 ~ c18-24 ) $SERVERS ~ c600-900 $SERVERS ~ c88
let PHP = ( c28 ~ s8-900 | s8-900 ~ c28 ) $SERVERS ~ c1100-1200 $SERVERS $HALF
let HELLO_ALL = ( $ALL_C ( ~ s12-60 ~ $BIG_S | ~ s450-700 ) | s12-60 ~ $ALL_C ~ $BIG_S )
let KEY_SEEN = ~ s150- (~ s16-){0,4}
tcp * = < ( ( $OPENSSH $HALF | $LIKE_OPENSSH $HALF | $HELLO_ALL $HALF{0,1} ) $KEY_SEEN ( + c24-120 ){0,1} > | $LIBSSH $HALF $KEY_SEEN ~ c16 (~ s16-){0,2} (~ c36-100){0,1} > | $LIBSSH $HALF ~ s150-250 ~ c16 (~ s16-){0,2} (~ c36-100){0,1} > | $JSCH $KEY_SEEN ~ c60-120 > | $PHP $KEY_SEEN ~ c16 (~ s16-){0,1} ~ c40-100#service ~ s@service ~ c@service+48/16 > ) : SSH2 - client left after it saw the server's key
    id = ssh.hostkey.refused
    confidence = 90
    severity = medium
    attack = T1557
    category = ssh

# At least 1 s between the server's key and the client's NEWKEYS: somebody had to say "yes". A pause of a very slow client looks the same.
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
let LEFT_ALIKE = ( $LEFT > | $IGNORE ~ c@A+44/4 $ALIKE_SOON > | $IGNORE ~ c@A+48/16 > )
let LEFT_NONE = ( ( $NONE | $NONE_8 ) > | ( $IGNORE ~ c@A+16,@A+24 (~ c20-84){0,1} ){0,1} $BANNER ( ~ s@A+36/36 | ~ $JOINT ) $LEFT_ALIKE | ( $NONE | $NONE_8 ){0,1} ~ $FIRST_LONG $IGNORE c@A+44/4 $REFUSED_SOON > | $NONE ~ c@A+56/8 > | c@A+40 +0ms-229ms s@A+527/527!@A+16 > )
let LEFT_I = ( $IGNORE > | ( $NONE | $NONE_8 ) > | ( $NONE | $NONE_8 ){0,1} ~ s@I ~ s@A+36/36 $LEFT > )
tcp * = < $SERVICE ( ~ s40-100#A ( $LEFT > | $LEFT_NONE ) | ~ $WITH_I $LEFT_I ) : SSH2 - closed before a credential was sent
    id = ssh.preauth.closed.auth
    confidence = 95
    severity = low
    category = ssh

# Left during the key exchange: after a banner, a KEXINIT, in a group exchange, with DISCONNECT in clear text (20 to 120 bytes), after the
# server's key, or after NEWKEYS. Scanners do all of that.
let AFTER_KEX = (~ c16 (~ s16-1500){0,2} (~ c36-100){0,1}){0,1}
let LEFT_HALF = $HALF (~ s150- (~ s16-){0,4} ( $AFTER_KEX | + c24-120 )){0,1}
let LEFT_SHORT = c8-60 ~ s8-900 $SERVERS ~ c150-1800 $SERVERS ( $HALF ~ s150- (~ s16-){0,4} ){0,1}
let LEFT_EARLY = ( c8-900 (~ s8-900){1,3} | s8-900 ~ c8-900 ) $KEXINITS{0,1} (~ c20-40 ~ s100-1200){0,1} ( $LEFT_HALF | ~ c20-120 ){0,1}
let LEFT_BANNER = s8-900 ~ c8-255 ~ s20-60 (~ s2){0,1}
let LEFT_ALL = ( $HELLO_ALL ( $LEFT_HALF | ~ s150- (~ s16-){0,4} ( $AFTER_KEX | + c24-120 ) | ~ c20-120 ) | $ALL_C ~ s12-60 (~ s100-){0,1} )
tcp 22,222,830,902,2022,2200-2299,8022,10022,22222 = < ( $LEFT_EARLY | $LEFT_SHORT | $LEFT_ALL | $LEFT_BANNER | $PHP $KEY_SEEN ~ c16 (~ s16-){0,1} ~ c40-100#service ~ s@service ~ c@service+48/16 | $JSCH $KEY_SEEN ~ c60-120 ) > : SSH2 - closed before a credential was sent
    id = ssh.preauth.closed
    severity = low
    category = ssh

# ssh-keyscan waits for the server's banner, sends its own of 25 bytes, and leaves with the key.
tcp * = < s8-900 ~ c25 (~ x250- (~ x16-1400){0,2}){0,2} (~ c24-32 ~ s100-1200){0,1} $HALF ~ s150- (~ s16-){0,4} > : SSH2 - the server's key was collected
    id = ssh.preauth.closed.scan
    severity = low
    attack = T1046
    category = ssh

# The banner alone was read, or answered with something that is none. Only on ports where SSH is usual: elsewhere one packet tells nothing.
tcp 22,222,830,902,2022,2200-2299,8022,10022,22222 = < ( s8-900 | c8-255 ~ s8-900 (~ s150- (~ s16-1400){0,1}){0,1} | c8-900 ~ s8-255 ~ s20-60 (~ s2){0,1} | s8-900 ~ c8-100 (~ s150-){0,1} ) > : SSH2 - banner read
    id = ssh.preauth.closed.banner
    severity = low
    attack = T1046
    category = ssh
