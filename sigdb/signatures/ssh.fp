# SPDX-License-Identifier: LGPL-2.1-or-later
# SSH protocol 2: what the login does, from sizes alone.
#
# Payloads (RFC 4252, 4256; u: user name, p: password) and what they are above `A`, the acceptance of the service, when padded:
#
#   server                                        | client
#   success              1  -16, chacha20 of      | "none"            31 + u  16 to 32 (AES), 16 to 24 (chacha20)
#                           Dropbear's server -8  | password      40 + u + p  32 to 88; OpenSSH pads it to 104 or 40
#   refusal  6 + methods    0 to 80               |                           (chacha20), 96 (AES), PuTTY: 246 to 272 in all
#   key would do     20 + k 48 and more           | key offered   56 + u + k  96 (Ed25519), 112 and more
#   question      22 + text 16 and more           | asks to be asked  55 + u  40 to 48, 32 for short names in AES
#   no more questions    17 0                     | answer             9 + p  -16 to 24, 32 or 40 where it is padded
#
# All refusals of one flow have one size, `F`, as they list the methods that may continue. "none" is refused first, and shows it.
# A client without "none" (Paramiko, phpseclib), or an answer that shares its segment with EXT_INFO or a banner, leaves `F` to
# the first credential. Where `F` is 16 a refusal and a question look alike: what follows tells, and the server's delay.
# Where sizes are multiples of 16 (AES), the query for an Ed25519 key and a password that OpenSSH padded look alike, 96.
#
# Taken from: the arithmetic above; OpenSSH 8.4, 9.2 and 10.0 (with and without PAM, with a banner), Dropbear 2022.83 and 2025,
# AsyncSSH, PuTTY, libssh, libssh2 (curl, medusa), ncrack, Paramiko, Net::SSH, Go, Twisted, Erlang, ProFTPD, ssh2 of Node, phpseclib,
# in chacha20-poly1305, aes-gcm, aes-ctr and aes-cbc, MAC before and after. Read against older captures: OpenSSH 5 to 8,
# Cisco, Apple. tests/test_database_logins.py makes logins of messages as unknown programs may send them.
# Surprising: libssh2 and PuTTY join NEWKEYS (16 bytes) and the service request, Dropbear's client "none" too; OpenSSH 10 adds
# EXT_INFO to either side's first message; AsyncSSH's client and server send IGNORE before each message, AsyncSSH of
# Debian 13 only before authentication replies; Node's client writes a message in two or three pieces, and so does Node's server;
# tunnels of Microsoft's send the first request before the service is accepted; sshesame sends a banner before it accepts.
#
# A parameter `pause` is the mark before a message: `~` where any will do, `+0ms-399ms` where a program sends at once. `ign` is
# what stands before each of the server's replies: nothing, or `~ $IGN`.
include "ssh-start.fp"

# Up to the acceptance.
let START = ( $SERVICE ~ $PLAIN (~ s@A+1000/940){0,1} | $HIDDEN )
# Anything of the authentication, in any order, IGNORE among it; NOISE is without.
let NOISE_I = (~ c2-1700 | ~ $IGN ~ s@A+1000/1000){0,}
let ANY = ( ~ c2-1700 | ~ s@A+1000/1000 | ~ $IGN ~ s@A+40/40 ){0,}

# The client's requests. AsyncSSH's sends IGNORE before each.
let IGNORE = (~ c@A-8,@A-16){0,1}
let NONE = $IGNORE ~ c@A+16,@A+32 (~ c20-84){0,1}
let NONE_8 = $IGNORE ~ c@A+24 (~ c20-84){0,1}
let PASSWORD = c@A+60/28,@A+104,246-255,257-272
let UNPADDED = c@A+60/28,246-255,257-272
let LARGE = c@A+32,@A+80/8,246-255,257-272
let SMALL = c@A+52/12
let CREDENTIAL = c@A+84/52,@A+164/4,246-255,257-272
let KEY = c@A+158/46,@A+960/732!246-255,257-272

# The server's answers. The first refusal names `F`.
let REPLY(pause, sizes, ign) = $pause $ign ~ s$sizes
let FIRST(pause, sizes, ign) = $pause $ign ~ s$sizes#F
# Where `F` is `A` (one method) PAM's last question, which is as large, is a refusal's twin: EQUAL counts there after refusals alone (ONLY).
let EQUAL(pause, ign) = $REPLY($pause, @F, $ign)
let REFUSED(pause, ign) = $pause $ign ~ s@F!@A
let PK_OK(ign) = c@A+850/770 $ign ~ s@A+450/410 $IGNORE ~ c@A+960/790
let ONLY(ign) = ( ~ c2-1700 | $EQUAL(~, $ign) | ~ $PK_OK($ign) $EQUAL(~, $ign) ){0,}
let BEFORE(ign) = ( $ANY $REFUSED(~, $ign) | $ONLY($ign) ( ~ $PK_OK($ign) ){0,1} $EQUAL(~, $ign) ){0,1}
# A refusal or a question. A question comes soon; Dropbear and PAM make one wait for a refusal.
let ALIKE(pause, ign) = $REPLY($pause, @A+16, $ign)
# Sizes: all but 16; with room for keyboard-interactive; without it; those of chacha20 alone; those of AES; with none
# that says that a key would do (PK_OK), which answers 104 for names of 9 bytes and more.
let FIRST_ANY(pause, ign) = $pause $ign ~ s@A+40/40!@A+16#F
let FIRST_LONG(pause, ign) = $FIRST($pause, @A+24,@A+32,@A+48,@A+56,@A+64,@A+72,@A+80, $ign)
let FIRST_SHORT(pause, ign) = $FIRST($pause, @A,@A+8,@A+40, $ign)
let FIRST_8(pause, ign) = $FIRST($pause, @A+8,@A+24,@A+40,@A+56,@A+72, $ign)
let FIRST_16(pause, ign) = $FIRST($pause, @A,@A+32,@A+48,@A+64,@A+80, $ign)
let FIRST_104(pause, ign) = $FIRST($pause, @A,@A+8,@A+24,@A+32,@A+40,@A+48,@A+64,@A+72,@A+80, $ign)
# Paramiko asks for the service anew before each attempt.
let AGAIN(pause, ign) = $pause c@A $REPLY(~, @A, $ign)
# Keyboard-interactive: asks to be asked, the question. `F` is known; or not, and the question is no refusal; or it is 16.
let ASK_F(ign) = c@A+48/16 $ign ~ s@A+68/52!@F $IGNORE
let ASK(ign) = c@A+48/16 $ign ~ s@A+68/52#Q $IGNORE
let ASK_Q(ign) = c@A+48/16 $ign ~ s@A+16#Q $IGNORE
let ASK_ALIKE(ign) = c@A+48/16 $REPLY(~, @A+72/48, $ign) $IGNORE
let ANSWER = c@A+12/28,@A+96,@A+104,246-255,257-272
let SHORT_ANSWER = c@A-4/12,@A+24/16
let ANSWERED(pause) = ( $ASK_Q() $pause $ANSWER | $ASK() $pause $SHORT_ANSWER ) ~ s@A+44/36!@Q#F
# EXT_INFO or a banner, of its own or joined with the first refusal.
# A long banner fills segments.
let BANNER(ign) = ( $REPLY(~, @A+1054/1050, $ign) ){0,1}
let JOINT_ONE = s@A+1070/997
let JOINT = ( $JOINT_ONE | s1360-1480 (~ s1360-1480){0,2} ~ s16-1480 )
let JOINED(ign) = ( ( $NONE | $IGNORE ~ $PASSWORD | ~ c@A+96 | ~ $KEY ){0,1} | $NONE_8 ) ~ $JOINT ( $AGAIN(~, $ign) ){0,1} $IGNORE
let JOINED_16(ign) = ( $NONE | $IGNORE ~ $PASSWORD | ~ c@A+96 | ~ $KEY ){0,1} ~ $JOINT ( $AGAIN(~, $ign) ){0,1} $IGNORE
# PAM has a last question without anything to answer; a banner may come before.
let DONE(ign) = ( (~ s@A+1000/960){0,1} $REPLY(~, @A-16,36, $ign) | $REPLY(~, @A, $ign) $IGNORE ~ c@A-16,@A-8,@A+32,@A+40,246-255,257-272 $REPLY(~, @A-16,36, $ign) )

# How `F` is learnt: from "none"; from the first credential, which counts itself; from something that does not count.
let COUNTED_JOINED(ign) = $JOINED($ign) ( ~ $LARGE $FIRST_ANY(~, $ign) | + c@A+52/12,@A+96,@A+104 $FIRST_ANY(~, $ign) | c@A+52/12,@A+96,@A+104 $FIRST_ANY(+230ms, $ign) | $SMALL $FIRST_SHORT(~, $ign) )
let COUNTED(ign) = ( ~ c@A+72/16,@A+104,246-255,257-272 $FIRST_ANY(~, $ign) | ~ c@A+48 $FIRST_ANY(~, $ign) ( $AGAIN(+0ms-399ms, $ign) | ~ $UNPADDED $EQUAL(~, $ign) ) | ~ c@A+96 $FIRST_ANY(~, $ign) | $COUNTED_JOINED($ign) | $JOINED($ign){0,1} ~ $ANSWERED(~) )
let LEARNT(ign) = ( $JOINED($ign){0,1} ~ $KEY $FIRST_ANY(~, $ign) | $JOINED($ign) ~ c@A+52/12,@A+96,@A+104 $FIRST_ANY(~, $ign) | ~ c@A+32 $FIRST_ANY(~, $ign) $AGAIN(+0ms-399ms, $ign) | ~ c@A+32 $FIRST_SHORT(~, $ign) | $IGNORE ~ c@A+40 $FIRST_ANY(~, $ign) )
# A signature that is a partial success, after which other methods are listed.
let HALFWAY(ign) = ( ~ c2-1700 | $REPLY(~, @A, $ign) ){0,} ~ $PK_OK($ign)
let PARTIAL(ign) = $HALFWAY($ign) $ign ~ s@A+44/36!@A+16#F
let REFUSED_NONE(ign) = ( $NONE | $NONE_8 ){0,1} $BANNER($ign)
let KNOWN(ign) = ( $REFUSED_NONE($ign) ( $FIRST_SHORT(~, $ign) | $FIRST_LONG(~, $ign) $IGNORE ~ c24-1700 $ign ~ s@A+1000/1000!@A ) | $COUNTED($ign) | $LEARNT($ign) | $PARTIAL($ign) )
let KNOWN_NONE(ign) = $REFUSED_NONE($ign) $FIRST_LONG(~, $ign) $IGNORE
let KNOWN_ALL(ign) = ( $REFUSED_NONE($ign) $FIRST_ANY(~, $ign) | $COUNTED($ign) | $LEARNT($ign) )
# In chacha20 a password is 104, or 40, and 96 a key. Elsewhere 96 may be either.
let KNOWN_8(ign) = ( $NONE_8 $BANNER($ign) $FIRST_ANY(~, $ign) | $NONE{0,1} $BANNER($ign) $FIRST_8(~, $ign) )
let KNOWN_16(ign) = ( $NONE{0,1} $BANNER($ign) $FIRST_16(~, $ign) | $COUNTED($ign) | $LEARNT($ign) )
# Where a refusal may look like a question.
let MODE_ALIKE(ign) = ( $REFUSED_NONE($ign) $ALIKE(~, $ign) | $HALFWAY($ign) $ALIKE(~, $ign) | $JOINED($ign) | ( ~ c@A+64/32 | ~ $KEY ) $ALIKE(~, $ign) )

# What counts once `F` is known: a password, or an answer, with `F` as reply.
let COUNT(pause, ign) = ( ( $pause $UNPADDED | ~ $ASK_F($ign) $pause $ANSWER ) $REFUSED(~, $ign) | ~ $ASK_F($ign) $pause $ANSWER $EQUAL(+700ms, $ign) )
# 104 is a password in chacha20, but for a key that belongs to a name of 9 bytes and more, after which a person types.
let COUNT_104(pause, ign) = $pause c@A+104 ( $REFUSED(+230ms, $ign) | $REFUSED(+0ms-229ms, $ign) ( c@A,@A+40,@A+104 | > ) )
let COUNT_A(pause, ign) = ( $pause $UNPADDED $EQUAL(~, $ign) | $pause c@A+104 ( $EQUAL(+230ms, $ign) | $EQUAL(+0ms-229ms, $ign) ( c@A,@A+40,@A+104 | > ) ) )
# Directly after "none" a small one may be a request to be asked that is refused at once, where keyboard-interactive is offered but not to
# be had: before an unpadded password without a pause it counts, or where the reply is slow.
let COUNT_NEXT(pause, ign) = ( $pause $LARGE $REFUSED(~, $ign) | $pause $SMALL $REFUSED(+230ms, $ign) | c@A+40 $REFUSED(+0ms-229ms, $ign) $IGNORE c@A+60/28 | c@A+56/8 $REFUSED(+0ms-229ms, $ign) $IGNORE c@A+32,@A+68/20 | ~ $ASK_F($ign) $pause $ANSWER $REFUSED(~, $ign) | $COUNT_104($pause, $ign) )
# A request of 96 is a password after a pause (of a person), before a slow reply, or before another one without a pause.
let COUNT_96(ign) = ( ~ $ASK_F($ign) ~ $ANSWER $REFUSED(+0ms-229ms, $ign) c@A+96 $REFUSED(+0ms-229ms, $ign) ( + c24-1700 | c@A+52/40 ) | c@A+96 ( $REFUSED(+230ms, $ign) | $REFUSED(+0ms-229ms, $ign) ( c@A+96 | > ) ) )
let COUNT_96_A(ign) = c@A+96 ( $EQUAL(+230ms, $ign) | $EQUAL(+0ms-229ms, $ign) ( c@A+96 | > ) )
let COUNT_TYPED(ign) = + c@A+96,@A+104 $REFUSED(~, $ign)
# Where a refusal may look like a question: what is no request to be asked; or the reply is slow; or what follows is no answer:
# a password, "none" or the service again, DISCONNECT, the end. An answer that is refused counts itself.
let AFTER_ALIKE(pause, ign) = ( $IGNORE ~ c@A+64/16 | $IGNORE $pause c@A+0/16 $ALIKE(~, $ign) | ~ c@A+16 ~ s@A+32 | $pause c@A > | $AGAIN($pause, $ign) ~ c@A+600/584 )
let ALIKE_96(ign) = c@A+96 ( $ALIKE(+230ms, $ign) | $ALIKE(+0ms-229ms, $ign) ( c@A+96 | > ) )
let ALIKE_32(pause, ign) = ( c@A+32 $ALIKE(+0ms-229ms, $ign) ( $IGNORE c@A+32 $ALIKE(+0ms-229ms, $ign) | > ) | $AGAIN($pause, $ign) c@A+40/8 $ALIKE(+0ms-229ms, $ign) > )
let ALIKE_NEXT(ign) = ( c@A+48 $ALIKE(+4ms-229ms, $ign) $IGNORE c@A+32 $ALIKE(+0ms-229ms, $ign) | c@A+40/8 $ALIKE(+4ms-229ms, $ign) $IGNORE c@A+32 ~ s@A-16 )
let COUNT_ALIKE(pause, ign) = ( ~ $ASK_ALIKE($ign) $pause $ANSWER $ALIKE(~, $ign) | $pause c@A+80/8,@A+104,246-255,257-272 $ALIKE(~, $ign) | c@A+48/16 $ALIKE(+230ms, $ign) | c@A+48/16 $ALIKE(+0ms-229ms, $ign) $AFTER_ALIKE($pause, $ign) | $ALIKE_32($pause, $ign) | $ALIKE_NEXT($ign) )
# After two refusals: DISCONNECT ("Too many authentication failures"; OpenSSH's sixth), or the end (Dropbear's tenth).
let LAST(ign) = $ANY $REFUSED(~, $ign) $ANY ( ~ $PASSWORD | ~ c@A+96 | ~ $ASK_F($ign) ~ $ANSWER )
# After one: DISCONNECT of any text for what can be no other request (servers that allow one or two tries).
let GOODBYE(pause) = ( $pause c@A+80/8,246-255,257-272 ~ s@A+40/40!@F | $pause c@A+96,@A+104 ~ s@A+20/20,@A+72/8!@F | $pause c@A+48/16 +230ms s@A+40/40!@F | ~ $ASK_F() $pause $ANSWER +230ms s@A+40/40!@F ) (~ c16-200){0,1} >
# The same for any password where no keyboard-interactive is offered.
let GOODBYE_SHORT(noise, pause) = $REFUSED_NONE() $FIRST_SHORT(~, ) $noise $pause c@A+60/28 ~ s@A+40/40!@F (~ c16-200){0,1} >
# Without `F`. The first request is as small as a "none" for a long name: a password if its refusal is slow, if the client asks for the
# service again, sends one as small, or leaves.
let FIRST_SMALL(ign) = ( ~ c@A+32,@A+40 $FIRST_ANY(+0ms-229ms, $ign) ( $AGAIN(~, $ign) | ~ c@A > ) | ~ c@A+32 +0ms-229ms s@A+40/40!@A+16 > | ~ c@A+32 $FIRST_ANY(+0ms-229ms, $ign) ~ c@A+32 | ~ c@A+40 $FIRST_ANY(+0ms-229ms, $ign) ~ c@A+40,@A+104 )
let JOINED_SMALL(ign) = $JOINED($ign) $SMALL $FIRST_LONG(+0ms-229ms, $ign) $IGNORE c@A+32,@A+68/20
let JOINED_96(ign) = ( $JOINED_16($ign) c@A+96 $FIRST_ANY(+0ms-229ms, $ign) ( c@A+96 | > ) | $JOINED($ign) c@A+104 $FIRST_104(+0ms-229ms, $ign) ( c@A,@A+40,@A+104 | > ) | $JOINED_SMALL($ign) )
let JOINT_48 = ~ c@A+72/16,@A+96,@A+104,246-255,257-272 ~ $JOINT
# One request, a first answer joined with EXT_INFO, and gone.
let SMALL_GONE = c@A+32 +3ms-229ms $JOINT_ONE >
let FIRST_JOINT(ign) = ( ~ c@A+36/4 +230ms $JOINT | ~ c@A+36/4 ~ $JOINT $AGAIN(~, $ign) | $JOINT_48 ( ~ c@A+60/28,@A+96,@A+104,246-255,257-272 ~ s@A+40/40 | $AGAIN(~, $ign) ) | ~ c@A+48 ~ $JOINT ( $AGAIN(~, $ign) | c@A+60/28,@A+96,@A+104 ) | ~ c@A+68/20,246-255,257-272 ~ $JOINT_ONE > | $SMALL_GONE )
let FIRST_AFTER(ign) = ( c@A+44/4 $ALIKE(+0ms-229ms, $ign) ( c@A+72/24 | $IGNORE ~ c@A+0/16 $ALIKE(~, $ign) | > ) | c@A+40/8 $ALIKE(+0ms-229ms, $ign) ( $AGAIN(~, $ign) ~ c@A+600/584 | ~ c@A > ) | c@A+32 $ALIKE(+0ms-229ms, $ign) > )
let FIRST_ALIKE(ign) = ( ~ c@A+76/20,@A+104,246-255,257-272 $ALIKE(~, $ign) | + c@A+44/4 $ALIKE(~, $ign) | ~ c@A+40/8 $ALIKE(+230ms, $ign) | $FIRST_AFTER($ign) )
# 48 may be "none" for a very long name, or a request to be asked that is refused: then one who types makes a pause, or PuTTY pads.
let FIRST_48(ign) = ( + c@A+48 $FIRST_ANY(~, $ign) | c@A+48 $FIRST_ANY(+230ms, $ign) | c@A+48 $FIRST_ANY(+0ms-229ms, $ign) ( ~ c@A+60/28 | $AGAIN(~, $ign) | > ) )
let COUNTED_FIRST(ign) = ( ~ c@A+48 $FIRST_ANY(~, $ign) ~ $UNPADDED $EQUAL(~, $ign) | ~ c@A+72/16,@A+104,246-255,257-272 $FIRST_ANY(~, $ign) | $FIRST_48($ign) )

# In pieces (ssh2 of Node): the length, 4 bytes, where it is apart; a MAC of its own, 16, 20 or 32.
let NONE_PIECES = ( ~ c4 ~ c@A+20/8 (~ c16){0,1} | ~ c@A-20/40 ~ c20,32 )
let PIECES(pause) = ( $pause c4 ( ~ c@A+56/28 | ~ c@A+40/28 ~ c16 ) | $pause c@A+28/28 ~ c32 | $pause c@A+40/28 ~ c20 )
let KNOWN_PIECES(ign) = $NONE_PIECES ( $BANNER($ign) | ~ $JOINT $PIECES(~) ) $ign ~ s@A+40/40#F
let FAILED_PIECES(ign) = ( $KNOWN_PIECES($ign) ( $ANY $PIECES(~) $REFUSED(~, $ign) | $ONLY($ign) $PIECES(~) $EQUAL(~, $ign) ) | $NONE_PIECES ~ $JOINT $PIECES(~) $ign ~ s@A+40/40 )

# A server that writes in pieces (ssh2 of Node without its helper): the length and the rest, or a message and its MAC, `off` bytes of
# which are not in the piece that is looked at. `I` stands for `A`, which may be in pieces or joined with EXT_INFO.
let CUT(pause) = $KEX ~ c16 (~ s16){0,1} (~ s104-1500){0,1} (~ c36-100){0,1} $pause c40-100#I (~ s4-1500){1,3}
let CUT_ANY(pre, off, post) = ( ~ c16-1700 | $pre ~ s@I+1000-$off/1000 $post ){0,}
let CUT_F(pre, off, post) = $pre ~ s@I+40-$off/40!@I+16-$off#F $post
let CUT_EQUAL(pre, post) = $pre ~ s@F $post
let CUT_ASKED(pre, off, post) = c@I+48/16 $pre ~ s@I+68-$off/52!@F $post
let CUT_DONE(pre, off, post) = $pre ~ s@I-$off-16 $post ( ~ c* | ~ s* | > )
let CUT_NONE = (~ c@I-8,@I-16){0,1} ~ c@I+24/8
let CUT_PASSWORD = c@I+60/28,@I+104,246-255,257-272
let CUT_ANSWER = c@I+12/28,@I+104,246-255,257-272
# Without "none"; not where FIRST_ANY counts the piece that is as large as `A`.
let CUT_FIRST(pre, off, post) = ( c@I+60/28 $pre ~ s@I+40-$off/40!@I+16-$off,@I $post ) ( ~ c@I $pre ~ s@I-$off $post | ~ c@I > | > )
let CUT_FAILED(pre, off, post) = ( $CUT_NONE $CUT_F($pre, $off, $post) $CUT_ANY($pre, $off, $post) ( ~ $CUT_PASSWORD | ~ $CUT_ASKED($pre, $off, $post) ~ $CUT_ANSWER ) $CUT_EQUAL($pre, $post) | $CUT_FIRST($pre, $off, $post) )
let CUT_SENT(pre, off, post) = $CUT_NONE $CUT_F($pre, $off, $post) ( $CUT_ANY($pre, $off, $post) $CUT_EQUAL($pre, $post) ){0,1} (c@I-8,@I-16){0,1} ( $CUT_PASSWORD | $CUT_ASKED($pre, $off, $post) $CUT_ANSWER ) ( $CUT_EQUAL($pre, $post) | $CUT_DONE($pre, $off, $post) )
let CUT_SENT_FIRST(pre, off, post) = ( c@I+60/28 $CUT_DONE($pre, $off, $post) | $CUT_FIRST($pre, $off, $post) )
let CUT_ACCEPTED(pre, off, post) = $CUT_ANY($pre, $off, $post) ~ c16-1700 $CUT_DONE($pre, $off, $post)
let CUT_KEY(pre, off, post) = $CUT_NONE $CUT_F($pre, $off, $post) $CUT_ANY($pre, $off, $post) ~ c@I+158/46,@I+960/732!246-255,257-272 $CUT_EQUAL($pre, $post)
let CUT_TYPED(pre, off, post) = $CUT_ANY($pre, $off, $post) $pre ~ s@I+1000-$off/1000 $post +700ms c@I+56/80,@I+164/4,246-255,257-272 $pre ~ s@I+24-$off/48 $post

# One hit for each password, or answer to a question (keyboard-interactive), that was refused.
# Fails: passwords of more than 60 bytes that are not padded, or 95 with a pad; more than some 40 packets. Where a refusal
# looks like a question: a password of 48 before one of 32 that are refused soon, the last one of 48.
# False friends: in AES an Ed25519 key of OpenSSH that is refused, alone or before a password without a pause; a P-521 key, as large as
# PuTTY's password; a "none" for a name of 9 bytes and more, of a program that is not OpenSSH and leaves; of 25 and more, of libssh2.
# An empty password counts: it was sent and refused, though OpenSSH's log calls it "none" (ncrack; Enter at a prompt). So does one
# that the server takes from nobody.
let FAILED(ign) = ( $KNOWN($ign) | ~ c@A+32,@A+48 $FIRST_ANY(~, $ign) $AGAIN(~, $ign) ) ( $ANY ( $COUNT(~, $ign) | $COUNT_104(~, $ign) | $COUNT_TYPED($ign) ) | $LAST($ign) ~ s@A+56/24!@F (~ c16-200){0,1} > | $ONLY($ign) ( $COUNT_A(~, $ign) | + c@A+96,@A+104 $EQUAL(~, $ign) | $EQUAL(~, $ign) ( ~ $PASSWORD | ~ c@A+96 ) ~ s@A+56/24!@F (~ c16-200){0,1} > ) | $ANY $GOODBYE(~) | ( $ANY $REFUSED(~, $ign) ){4} $LAST($ign) > | ( $ONLY($ign) $EQUAL(~, $ign) ){5} ( ~ $PASSWORD | ~ c@A+96 ) > )
let FAILED_NEXT(ign) = $KNOWN_NONE($ign) ( + $SMALL $REFUSED(~, $ign) | + c@A+104 $REFUSED(~, $ign) | $COUNT_NEXT(~, $ign) )
let FAILED_96(ign) = $KNOWN_16($ign) ( $ANY ( $COUNT_96($ign) | + c@A+96 $REFUSED(~, $ign) ) | $ONLY($ign) ( $COUNT_96_A($ign) | + c@A+96 $EQUAL(~, $ign) ) )
let LAST_ALIKE(ign) = $ANY $ALIKE(~, $ign) $ANY ( ~ c@A+72/16,246-255,257-272 | ~ c@A+32 | ~ c@A+96 ) ~ s@A+56/24 (~ c16-200){0,1} >
let FAILED_ALIKE(ign) = $MODE_ALIKE($ign) ( $ANY ( $COUNT_ALIKE(~, $ign) | + c@A+48/16 $ALIKE(~, $ign) | ~ c@A+76/12,246-255,257-272 ~ s@A+56/24 (~ c16-200){0,1} > ) | $LAST_ALIKE($ign) )
# OpenSSH alone pads to 96, and asks for nothing first; so what others send first may be a password, and 96 is a key.
# ncrack (banner of 20 bytes) is made of OpenSSH, but asks for nothing first either.
let FAILED_OPENSSH(ign) = ( ~ c@A+96 $ign ~ s@A+40/40!@A+48,@A+56 | $FAILED_96($ign) | $MODE_ALIKE($ign) $ANY ( $ALIKE_96($ign) | + c@A+96 $ALIKE(~, $ign) ) )
let FAILED_FIRST = ( $GOODBYE_SHORT($NOISE, ~) | ~ c@A+32,@A+40 $FIRST_ANY(+230ms, ) | $FIRST_SMALL() | $FIRST_JOINT() )
let FAILED_FIRST_I = ~ c@A+40 $FIRST_ANY(+230ms, ~ $IGN)
let FAILURES(ign) = ( $FAILED($ign) | $FAILED_NEXT($ign) | $FAILED_ALIKE($ign) | $FAILED_PIECES($ign) | $COUNTED_JOINED($ign) | $JOINED($ign){0,1} ~ $ANSWERED(~) )
let FAILED_OTHER(ign) = ( $COUNTED_FIRST($ign) | $FIRST_ALIKE($ign) )
# libssh2, known by its banner and KEXINIT, asks for a question only where keyboard-interactive is listed, and answers it.
let LIBSSH2 = ( c20-28 ~ s8-255 | s8-255 ~ c20-28 ) ( ~ s16-1460 ){0,2} ~ c1128 ( ~ s16-1460 ){0,2} $HALVES $NEWKEYS ~ c40-420 ( ~ s16 (~ s104-1500){0,1} | ~ s104-1500 ){0,1}
let FAILED_LIBSSH2 = ~ $PLAIN ( $NONE ~ $JOINT | $NONE ~ s@A+16 ){0,1} c@A+48 +0ms-229ms s@A+32/32 >
# One request of 40 that is refused at once: a password (or "none" for a name of 21 bytes and more; ncrack's, of 20, empty) of a client whose
# banner is none of those that ask for nothing first (OpenSSH, libssh, Go, Dropbear).
let AHEAD_REFUSED = $AHEAD(@I+60/28,246-255,257-272) ~ s@A+40/40!@A+16#F
let AT_ONCE = $SERVICE_AFTER($BANNERS(24-31,44-64) $LISTED{0,2} $HALVES, ~)
let ONE_40 = c@A+40 +0ms-229ms s@A+40/40!@A+16 >
tcp * = < ( $LIBSSH2 $FAILED_LIBSSH2 | $START $FAILURES() | $SERVICE ~ $WITH_I $FAILURES(~ $IGN) | ( $BY_OPENSSH ~ $PLAIN | $HIDDEN ) ( $FAILED_OPENSSH() | $JOINED_96() ) | $BY_OPENSSH ~ $WITH_I $FAILED_OPENSSH(~ $IGN) | $HIDDEN_J ~ s@J+24/40#F $NOISE_J ~ c@J+44/28,246-255,257-272 ~ s@F | ( $BY_OTHER ~ $PLAIN | $HIDDEN ) ( $FAILED_OTHER() | $FAILED_FIRST ) | $BY_OTHER ~ $WITH_I ( $FAILED_OTHER(~ $IGN) | $FAILED_FIRST_I ) | $AT_ONCE ~ $PLAIN $ONE_40 | $AHEAD_REFUSED | $AHEAD(16-1700) ~ s@A+40/40!@A+16#F ( ~ c2-1700 | ~ s@F ){0,} ~ $UNPADDED ~ s@F | $CUT(~) ( $CUT_FAILED(~ s4, 4, ) | $CUT_FAILED(~ s4, 20, ~ s16) | $CUT_FAILED(, 32, ~ s32) | $CUT_FAILED(, 20, ~ s20) | $CUT_FAILED(, 64, ~ s64) ) ) : SSH2 - password or answer refused
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
let KEY_AFTER(refused, ign) = ( ( $ANY $refused ){0,1} ( $AGAIN(~, $ign) ){0,1} $IGNORE ~ $KEY $refused )
let KEY_FIRST(ign) = ( $JOINED($ign){0,1} ( ~ $KEY $ign ~ s@A+40/40!@A+48,@A+56 | ~ c@A+164/40,@A+960/732 $REPLY(~, @A+48,@A+56, $ign) ) | ~ $KEY ~ $JOINT $AGAIN(~, $ign) | $NONE_8 ~ $JOINT $IGNORE ~ c@A+96 ~ s@A+20/20,@A+64 | $JOINED_16($ign) c@A+96 ~ s@A+20/20,@A+64 $ELSE )
let KEYS_REFUSED(ign) = ( $KNOWN_ALL($ign) $KEY_AFTER($EQUAL(~, $ign), $ign) | $KEY_FIRST($ign) | $KNOWN_8($ign) $ANY ( c@A+96 $EQUAL(~, $ign) | c@A+104 $EQUAL(+0ms-229ms, $ign) ( + c@A+104,@A+40 | c@A+68/20 ) ) | $KNOWN_16($ign) $ANY c@A+96 $EQUAL(+0ms-229ms, $ign) $ELSE | $MODE_ALIKE($ign) ( $KEY_AFTER($ALIKE(~, $ign), $ign) | $ANY c@A+96 $ALIKE(+0ms-229ms, $ign) $ELSE ) )
let KEY_OTHER = ( $KNOWN_16() $ANY c@A+96 $EQUAL(~, ) | $MODE_ALIKE() $ANY c@A+96 $ALIKE(~, ) | ~ c@A+96 ~ s@A+40/40!@A+48,@A+56 )
tcp * = < ( $START $KEYS_REFUSED() | $SERVICE ~ $WITH_I $KEYS_REFUSED(~ $IGN) | $BY_STRANGER ~ $PLAIN $KEY_OTHER | $CUT(~) ( $CUT_KEY(~ s4, 4, ) | $CUT_KEY(~ s4, 20, ~ s16) | $CUT_KEY(, 32, ~ s32) | $CUT_KEY(, 20, ~ s20) | $CUT_KEY(, 64, ~ s64) ) | $CUT(~) $CUT_NONE $CUT_F(~ s4, 4, ) $CUT_ANY(~ s4, 4, ) ~ c@I+96 $CUT_EQUAL(~ s4, ) ) : SSH2 - key refused
    id = ssh.pubkey.refused
    confidence = 95
    severity = low
    category = ssh
    reference = RFC 4252, 7

# The first message of the server after its acceptance that is smaller than it, by the 16 bytes (8: Dropbear in
# chacha20, 36 for 44) of RFC 4252, 5.1; all before it are at least as large. It may be IGNORE, so what follows tells: a packet of the client, a
# second small one, a large one (host keys), the end; a refusal if the server has not replied without IGNORE before (DIRECT).
# Where it shares a segment with what follows, the first small one after it counts (CHANNEL_SUCCESS), or what comes after a banner
# without being asked for (HIDDEN). Fails: compression "zlib" from the start, padding at random, servers that
# send IGNORE only now and then.
let NOISE_NOW = ( ~ c2-1700 | ~ s@A+1000/1000 | ~ $IGN ~ s@A+32/32 | ~ c@A+850/770#query ~ $IGN ~ s@query-52/20 ){0,}
let SUCCESS = ~ s@A-16,@A-24,36 ( ~ c* | ~ s@A-12/4 | ~ s@A+15000/14928 | > )
let DONE_NOW = $NOISE_NOW ~ c16-1700 $SUCCESS
let DONE_BANNER = $NOISE ~ c24-1700 ~ s@A+1000/960 ~ s@A-16 ( ~ c* | ~ s@A+15000/14750 )
let DONE_AHEAD = $AHEAD(24-1700) ~ s@A-16,36 ( ~ c* | ~ s@A+15000/14750 | > )
let DONE_DIRECT = $NOISE ~ c24-1700 ~ s@A+16/16 $NOISE ~ c24-1700 ~ s@A-12/4 ~ s@A+34/34
let DONE_HIDDEN = $NOISE ~ c@A+150/118 ~ $JOINT_ONE ( ~ s@A+15000/14650 ~ c@A+12/12 | ~ s@A+15000/14650 > | ~ c@A+12/12 ~ s@A+15000/14650 )
tcp * = < ( $CUT(~) ( $CUT_ACCEPTED(~ s4, 4, ) | $CUT_ACCEPTED(~ s4, 20, ~ s16) | $CUT_ACCEPTED(, 32, ~ s32) | $CUT_ACCEPTED(, 20, ~ s20) | $CUT_ACCEPTED(, 64, ~ s64) ) | $DONE_AHEAD | $HIDDEN $DONE_NOW | $HIDDEN_J ( $NOISE_J ~ c2-1700 ){0,1} ~ s@J-32 ( ~ c* | > ) | $SERVICE ( ~ $PLAIN ( $DONE_NOW | $DONE_BANNER | $DONE_DIRECT | $DONE_HIDDEN ) | ~ s24-84#I ~ s@I+8,@I+16#A $NOISE_I ~ c24-1700 ~ s@I ~ s@A-16 ) ) : SSH2 - login succeeded
    id = ssh.auth.success
    confidence = 99
    severity = low
    attack = T1021.004
    category = ssh
    reference = RFC 4252, 5.1

# The server would take the key (PK_OK), the client signs, at least 150 bytes more than a password.
# Fails: a signature without the question before (ssh2 of Node, Ed25519 in few bytes). False friends: none known.
tcp * = < $SERVICE ~ $PLAIN $NOISE_NOW ~ c@A+850/770 (~ $IGN){0,1} ~ s@A+450/420 ~ c@A+960/790 $SUCCESS : SSH2 - login by key
    id = ssh.auth.success.key
    severity = low
    attack = T1021.004
    category = ssh

# A pause of at least 0.7 s before a message of a password's or an answer's size that is refused or accepted. Nobody types a
# password faster. A passphrase typed for a key is not meant: what is sent then is a signature. A program on Paramiko asks for the
# service first. Fails: who types before the program connects; a first credential directly after the acceptance.
# False friends: a program that waits as long (expect with a delay); AsyncSSH's IGNORE before a signature at a long round trip.
let TYPED = c@A+56/80,@A+164/4,246-255,257-272
# Paramiko's own: it asks for the service when the password is there, so the pause is before that.
let TYPED_FIRST = c@A+60/28,@A+96,@A+104
let ACCEPTED_OR_NOT = ( ~ s@A-16,36 | ~ s@A+36/36 )
let PAUSE_BEFORE = ~ c16 (~ s16){0,1} (~ s104-1500){0,1} +700ms c40-100
tcp * = < ( $KEX $PAUSE_BEFORE ( ~ $PLAIN $TYPED_FIRST $ACCEPTED_OR_NOT | ~ s24-84#I ~ s@I+8,@I+16#A $TYPED_FIRST ~ $IGN $ACCEPTED_OR_NOT ) | $START $NOISE ~ s@A+1000/1000 ( +700ms $TYPED | +700ms c@A ~ s@A ~ $TYPED | $PIECES(+700ms) ) ~ s@A+24/48 | $HIDDEN_J $NOISE_J ~ s@J+984/1000 +700ms c@J+24/72,@J+144/16,246-255,257-272 ~ s@J+12/44 | $SERVICE ~ $WITH_I $NOISE_I ~ $IGN ~ s@A+1000/1000 ( +700ms $TYPED | $PIECES(+700ms) ) ~ $IGN ~ s@A+20/36 | $CUT(~) ( $CUT_TYPED(~ s4, 4, ) | $CUT_TYPED(~ s4, 20, ~ s16) | $CUT_TYPED(, 32, ~ s32) | $CUT_TYPED(, 20, ~ s20) | $CUT_TYPED(, 64, ~ s64) ) ) : SSH2 - a person typed a password
    id = human.password.ssh
    confidence = 98
    severity = low
    category = ssh

# What is refused as above, or accepted, without a pause of 0.4 s before it. Accepted counts directly after a refusal, a question or the
# service, so that neither a signature nor PAM's last answer is taken for a password.
# Fails and false friends as of what is refused; a key manager that types; at a round trip of 0.7 s and more a program on Paramiko.
let NOW(ign) = ( $AGAIN(+0ms-399ms, $ign) ){0,1} $IGNORE
let SENT_DONE(ign) = ( $CREDENTIAL | $ASK($ign) $ANSWER ) $DONE($ign)
# A first credential without "none" counts when something follows without a pause, or nothing: a person who is asked before the program
# connects (Paramiko) pauses after it.
let SENT_FIRST(ign) = ( c@A+68/20,@A+96,@A+104,246-255,257-272 $REPLY(~, @A+1064/1064, $ign) | c@A+36/4 $REPLY(+230ms, @A+1064/1064, $ign) ) ( c@A+52/52,246-255,257-272 | > )
let SENT_JOINED(ign) = ( $JOINED($ign) ( $LARGE $FIRST_ANY(~, $ign) | c@A+52/12,@A+96,@A+104 $FIRST_ANY(+230ms, $ign) | $SMALL $FIRST_SHORT(~, $ign) ) | $JOINED_96($ign) | $JOINED($ign){0,1} ( $SENT_DONE($ign) | ~ $ANSWERED(+0ms-399ms) ) )
let SENT_SMALL(ign) = ( $SMALL_GONE | c@A+36/4 +0ms-229ms s@A+1064/1064 ( c@A > | $AGAIN(+0ms-399ms, $ign) ) | c@A+32 $REPLY(+0ms-229ms, @A+40/40, $ign) > | c@A+32 $FIRST_ANY(+0ms-229ms, $ign) c@A+32 | c@A+40 $FIRST_ANY(+0ms-229ms, $ign) c@A+40,@A+104 )
let SENT(ign) = ( $KNOWN($ign) ( $ONLY($ign) $EQUAL(~, $ign) ){0,1} $NOW($ign) $COUNT_A(+0ms-399ms, $ign) | $KNOWN($ign) $BEFORE($ign) $NOW($ign) ( $COUNT(+0ms-399ms, $ign) | $COUNT_104(+0ms-399ms, $ign) | $GOODBYE(+0ms-399ms) ) | $KNOWN_NONE($ign) $COUNT_NEXT(+0ms-399ms, $ign) )
let SENT_ALIKE(ign) = $MODE_ALIKE($ign) ( $ANY $ALIKE(~, $ign) ){0,1} $NOW($ign) ( $COUNT_ALIKE(+0ms-399ms, $ign) | $SENT_DONE($ign) )
let SENT_PIECES(ign) = $KNOWN_PIECES($ign) $BEFORE($ign) $PIECES(+0ms-399ms) $ign ( ~ s@F | ~ s@A-16,36 )
let SENT_LATER(ign) = ( $SENT_PIECES($ign) | $SENT($ign) | $SENT_ALIKE($ign) | $KNOWN_ALL($ign) $BEFORE($ign) $NOW($ign) $SENT_DONE($ign) )
let SENT_OTHER(ign) = ( $SENT_FIRST($ign) | $SENT_SMALL($ign) )
let SENT_OPENSSH(ign) = ( $NONE{0,1} $BANNER($ign) $FIRST_16(~, $ign) ( $ANY $COUNT_96($ign) | $ONLY($ign) $COUNT_96_A($ign) ) | $MODE_ALIKE($ign) ( $ANY $ALIKE(~, $ign) ){0,1} $NOW($ign) $ALIKE_96($ign) )
# Not where a person's password came before the service was asked for (Paramiko).
let SOON = $SERVICE_AFTER($KEX, +0ms-699ms)
let SOON_OTHER = $SERVICE_AFTER($KEX_OTHER(8-31,44-64), +0ms-699ms)
tcp * = < ( $LIBSSH2 $FAILED_LIBSSH2 | $START $SENT_LATER() | $SERVICE ~ $WITH_I $SENT_LATER(~ $IGN) | ( $BY_OPENSSH ~ $PLAIN | $HIDDEN ) $SENT_OPENSSH() | $BY_OPENSSH ~ $WITH_I $SENT_OPENSSH(~ $IGN) | ( $SOON ~ $PLAIN | $HIDDEN ) $SENT_JOINED() | $SOON ~ $WITH_I $SENT_JOINED(~ $IGN) | ( $SOON_OTHER ~ $PLAIN | $HIDDEN ) ( $SENT_OTHER() | $GOODBYE_SHORT(, +0ms-399ms) | c@A+44/4 $ALIKE(+0ms-229ms, ) > | c@A+60/28 ~ $JOINT_ONE ( ~ s@A+15000/14650 ~ c@A+12/12 | ~ c@A+12/12 ~ s@A+15000/14650 ) ) | $SOON_OTHER ~ $WITH_I $SENT_OTHER(~ $IGN) | $AT_ONCE ~ $PLAIN $ONE_40 | $AHEAD_REFUSED | $AHEAD(@I+84/52,246-255,257-272) ~ s@A-16,36 ( ~ c* | ~ s@A+15000/14750 | > ) | $CUT(~) ( $CUT_SENT(~ s4, 4, ) | $CUT_SENT(~ s4, 20, ~ s16) | $CUT_SENT(, 32, ~ s32) | $CUT_SENT(, 20, ~ s20) | $CUT_SENT(, 64, ~ s64) ) | $CUT(+0ms-699ms) ( $CUT_SENT_FIRST(~ s4, 4, ) | $CUT_SENT_FIRST(~ s4, 20, ~ s16) | $CUT_SENT_FIRST(, 32, ~ s32) | $CUT_SENT_FIRST(, 20, ~ s20) | $CUT_SENT_FIRST(, 64, ~ s64) ) ) : SSH2 - a program sent a password
    id = automated.password.ssh
    confidence = 97
    severity = low
    category = ssh
