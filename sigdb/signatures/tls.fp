# SPDX-License-Identifier: LGPL-2.1-or-later
# What runs inside TLS, and who runs it, from sizes and pauses alone.
#
# A TLS record adds the same number of bytes to whatever it carries: 22 in TLS 1.3, 38 where Java sends it, 29 in TLS 1.2
# with AES-GCM, 21 with ChaCha20 (RFC 8446, 5.2; RFC 5288; RFC 7905); with CBC sizes come in steps of 16. So a protocol
# whose own first messages have known sizes, or known differences of sizes, shows them again inside TLS. A relay may join
# what came close together in one record, or TCP several records in one packet. Where offloads are on, a packet may be
# larger than the link allows; sizes that can be large have no upper bound here.
#
# Taken from: all of lab/tlsplan.py, lab/tlsmoreplan.py and lab/tlsnewplan.py, which name the programs
# (OpenSSL 3.0 and 3.5, GnuTLS, NSS, Go, Java, Node, Mono, Erlang, rustls, BoringSSL, tlslite as clients, relays and proxies), at
# round trips of 0 to 160 ms. Figures: docs/database-tls.md.

# SSH inside TLS. After both KEXINITs and the key exchange the client sends NEWKEYS (16 or 24 bytes) and the service request; the
# acceptance carries the same 17 bytes as the request (RFC 4253, 10). Then comes the authentication method "none" and its
# refusal. Every SSH packet is padded to 8 or 16 bytes, so what the server sends differs by a multiple of 8.
#   ALONE   NEWKEYS in a record of its own: the acceptance is as large as the request (16 less or more when only one of
#           both sides is Java; tinysshd adds 8 or 16).
#   JOINED  NEWKEYS and request in one record, or in two of one packet, or with the EXT_INFO of AsyncSSH and newer OpenSSH.
#   NONE    Dropbear's client: NEWKEYS, request and "none" in one; the answers apart, or joined in one record as well.
#   THIRD   whatever became of these, the next answer is a refusal of the same size or is 16 less than the acceptance
#           (SUCCESS has one byte, the acceptance 17). A refusal as large as the acceptance counts in ALONE, as web
#           servers give equal answers as well.
#   EQUAL   such a refusal (a server that takes passwords only, or keys only) with NEWKEYS joined: the acceptance is 16 or 24
#           less than the request and NEWKEYS, "none" is 8 to 56 more than the acceptance, what follows more again.
#   SERVED  the server's NEWKEYS comes after the client's and is as large; EXT_INFO may come before the acceptance.
#   EXTRA   EXT_INFO comes before the acceptance, as ALONE but after NEWKEYS, or as JOINED but after the request; and servers
#           that pad at random (Erlang's) accept in 8 bytes less or more.
#   FRAMED  in a websocket the client adds 4 bytes more than the server, its mask.
# In NONE and THIRD the sizes of CBC are left out: there everything differs by a multiple of 16.
# Fails: an end before authentication (scans, no common algorithm), record padding, several connections in one tunnel, refusals
# that take longer than 0.4 s.
# False friends: request and answer protocols of fixed small sizes; SMB on other ports has the same rhythm, hence the ports.
let KEX = ( ~ c300- (~ x*){0,8} ~ c54-1460 (~ c20-400){0,1} | ~ c500- ) ~ s70- (~ s20-){0,5}
let REFUSAL = s@a-16,@a-8,@a+8,@a+16,@a+24,@a+32,@a+40,@a+48,@a+56,@a+64,@a+72,@a+80,@a+88,@a+96,@a+104
let ACCEPTED(sizes) = ( s$sizes#a | +400ms-1500ms s$sizes#a )
let ALONE = ~ c37,38,45,46,53,54,62,69,85,101 (~ c60-140){0,1} ~ c60-220#r $ACCEPTED(@r,@r-16,@r+8,@r+16) (~ c40-140){0,1} ~ c60-400 s50-230
let FIRST = c@a,@a+8,@a+16,@a+24,@a+32,@a+40,@a+44,@a+48,@a+52,@a+56,@a+60,@a+64,@a+68,@a+72,@a+80,@a+88,@a+96,@a+104,@a+112,@a+120,@a+128,@a+136,@a+144,@a+152,@a+160,@a+168,@a+176,@a+184,@a+192,@a+200,@a+208,@a+216
let LATER = c@a+8,@a+16,@a+24,@a+32,@a+40,@a+44,@a+48,@a+52,@a+56,@a+60,@a+64,@a+68,@a+72,@a+80,@a+88,@a+96,@a+104,@a+112,@a+120,@a+128,@a+136,@a+144,@a+152,@a+160,@a+168,@a+176,@a+184,@a+192,@a+200,@a+208,@a+216
let JOINED = (~ c37-110){0,1} ( ( ~ c76-200#k $ACCEPTED(@k,@k-16,@k-24,@k-32,@k-37,@k-38,@k-45,@k-46) | ~ c100-260#k $ACCEPTED(@k-52,@k-60,@k-68,@k-70,@k-76,@k-84,@k-100) ) (~ c40-140){0,1} $FIRST $REFUSAL | ~ c76-200#k $ACCEPTED(@k,@k-16,@k-32,@k-37,@k-38,@k-45) $FIRST ~ s400-1400 ~ c60-250 ~ s@a )
let NONE = ~ c120-260!133,149,165,181,197,213,229,245#k ( s@k-60,@k-64,@k-68,@k-76,@k-80,@k-84,@k-92,@k-96,@k-100,@k-108,@k-112,@k-116,@k-128#q ~ s@q,@q+8,@q+16,@q+24 ~ c70-400 ~ s@q-16,@q-8,@q,@q+8,@q+16,@q+24 | s@k-72,@k-64,@k-56,@k-48,@k-40,@k-32,@k-24,@k-16,@k-8,@k,@k+8#j ~ c70-400 ~ s@j-44,@j-52,@j-56,@j-60,@j-64,@j-68,@j-84,@j-100 | s@k-84,@k-76,@k-68#q ~ s@q+8 ~ c70-400 ~ s450-1100 c50-130 | s@k-40,@k-32,@k-24,@k-16 ~ c70-400 ~ s450-1100 c50-130 )
let THIRD = (~ c37-110){0,1} ~ c60-300 s58-140!69,85,101,117,133#a (~ x30-140){0,2} $LATER s@a-16,@a-8,@a+8,@a+16,@a+24,@a+32,@a+40,@a+48,@a+56,@a+64,@a+72,@a+80,@a+88,@a+96,@a+104#f (~ c30-140){0,1} ~ c60-1000 ( ~ s@f,@a-16 | ~ s60-400 ~ c150-1200 ~ s@f,@a-16 )
let EQUAL = ~ c76-200#k $ACCEPTED(@k-16,@k-24,@k-38,@k-46) c@a+8,@a+16,@a+24,@a+32,@a+40,@a+48,@a+56#n s@a ~ c@n+8,@n+16,@n+24,@n+32,@n+40,@n+48,@n+56,@n+64,@n+72,@n+80,@n+88,@n+96,@n+104,@n+112,@n+120 ( ~ s@a,@a-16,@a-8 | ~ s400-1400 )
let SERVED = ~ c37,38,45,46#w s@w (~ c60-140){0,1} ~ c60-220#r (~ s100-420){0,1} $ACCEPTED(@r) c60-400 s50-230
let EXTRA = ( ~ c37,38,45,46 (~ s37,38,45,46){0,1} ~ s100-420 ~ c60-220#r $ACCEPTED(@r,@r-8,@r+8) | ~ c76-200#k $ACCEPTED(@k-8) | ~ c76-200#k ~ s100-420 $ACCEPTED(@k-8,@k-16,@k-24) ) $FIRST ( $REFUSAL | +400ms-1500ms $REFUSAL )
let FRAMED = ( ~ c44,51 (~ s100-420){0,1} ~ c60-130#r $ACCEPTED(@r-4) | ~ c76-150#k $ACCEPTED(@k-20) ) c@a+12,@a+20,@a+28,@a+36,@a+44,@a+52,@a+60,@a+68,@a+76,@a+84,@a+92,@a+100,@a+108,@a+116,@a+124,@a+132,@a+140,@a+148,@a+156,@a+164,@a+172,@a+180,@a+188,@a+196,@a+204,@a+212 ( $REFUSAL | +400ms-1500ms $REFUSAL )
tcp 443,4433,4443,4444,8443,9443,10443 = < ~ c150- (~ x*){1,16} $KEX ( $ALONE | $JOINED | $NONE | $THIRD | $EQUAL | $SERVED | $EXTRA | $FRAMED ) : SSH inside TLS
    id = tls.tunnel.ssh
    rev = 4
    confidence = 95
    severity = high
    attack = T1572
    category = tunnel

# TLS inside TLS. HEAD is the outer handshake up to the client's last flight, with or without a HelloRetryRequest; START also
# passes over a CHANGE_CIPHER_SPEC alone, as GnuTLS and Java send it. The client's last flight then tells the
# protocol: 58 to 80 bytes in TLS 1.3 (by hash, with or without CHANGE_CIPHER_SPEC; Java pads by 16), 93 to 318 in TLS 1.2
# (by group and cipher), 43 or 51 when it resumes a session; and so how much a record adds. TICKETS are the server's
# session tickets, which come when they like.
let HEAD = ~ c150- (~ c20-1800){0,2} ( ~ s60-130 (~ c6){0,1} ~ c150- (~ c20-1800){0,2} ){0,1} (~ s1-){1,12}
let START = $HEAD ( ~ c6 (~ s1-){0,6} ){0,1}
let JAVA = $HEAD ~ c6 (~ s1-){0,6} ~ c74,90
let TICKETS = (~ s6,24-620){0,4}
# Inside: CONNECT (ASK; in CALL also when the proxy asks for a password first), a reply of some 19 to 110 bytes, alone or
# joined with a session ticket, and the inner ClientHello (HELLO; QUANTUM with a post-quantum key share) at once.
# OPEN is an inner ClientHello without a CONNECT before it, and the server's flight.
let QUANTUM = ( ~ c1180-1470 (~ s24-900){0,1} ~ c20-900 (~ c20-900){0,1} | ~ c1471-2400 (~ c20-900){0,1} )
let HELLO = ( c190-740 | c1020-1470 (~ s24-900){0,1} ~ c20-900 (~ c20-900){0,1} | c1471-2400 (~ c20-900){0,1} )
let RETRY = ( ~ s90-180 $HELLO ){0,1}
let ASK = ( ~ c50-1379#q | ~ c1380-1470 ~ c20-800#q | ~ c1380-1700#q )
let CALL = ( $ASK | ~ c50-1500#q $TICKETS ~ s150-2500 ~ c@q+55/35 )
# SOCKS: a proxy of RFC 1928 instead: 3 to 5 bytes, an answer of 2, perhaps a name and a password (RFC 1929) and its answer,
# the request, an answer of 10 or 22 bytes.
let SOCKS(n, method, granted) = ~ c$n+3,$n+4,$n+5 $TICKETS ~ s$method ( ~ c$n+5-$n+108 $TICKETS ~ s$method ){0,1} ~ c$n+10-$n+108 $TICKETS ~ s$granted
let ALLOW = $CALL $TICKETS ( ~ s40-125 | ~ s150-330#n ~ s@n+78/38 ) (~ s24-60){0,2} $HELLO $RETRY
let FLIGHT = ( s220- | +400ms-1500ms s220- ) (~ s1-){0,8}
let LONG = ( s650- | +400ms-1500ms s650- ) (~ s1-){0,7}
let OPEN = ( ~ c190-740 | $QUANTUM ) $TICKETS $RETRY $LONG
# CERTIFIED: the outer client's last flight has its certificate, the server's tickets as well.
let CERTIFIED = ~ c700-4200 (~ c20-1460){0,3} (~ s24-2600){0,4} ~ c50-1700 (~ s24-2600){0,4}
# LAST: the inner client's last flight, which has one of few sizes, by what the outer record adds (n): in TLS 1.3 DONE, where
# GnuTLS sends CHANGE_CIPHER_SPEC before it has the server's whole flight; in TLS 1.2 three messages apart (OLD) or joined
# (ONE). Before it comes the server's flight, which is short when a session is resumed in TLS 1.3. FIN: without that
# flight, and in TLS 1.2 with the answer to it. SPLIT22: CHANGE_CIPHER_SPEC alone, and the last flight joined with a request. SOON: after SOCKS also when the last flight is joined with the request. NEXT:
# the request follows at once, or two session tickets of one size do.
let SOON = ( ( ~ c538-555 | $QUANTUM | ~ c1000-1179 ~ c300-900 ) $RETRY $LONG c130-900 )
let NEXT = ( ~ c40-1600 | (~ c35-1600){0,1} ( ~ s200-350#t s@t | ~ s532,564,596 ) | ~ s277,293,309#t ~ c40-1600 ~ s@t )
let DONE(n) = (c$n+6 (~ s1-){0,8}){0,1} c$n+58,$n+64,$n+74,$n+80,$n+90,$n+96
let OLD(n) = c$n+42,$n+75,$n+107,$n+267 c$n+6 c$n+37,$n+45
let ONE(n) = c$n+85,$n+93,$n+118,$n+126,$n+150,$n+158,$n+310,$n+318
let LAST(n) = ( $FLIGHT $DONE($n) | $LONG ( $OLD($n) | $ONE($n) ) )
let SPLIT22 = c28 (~ s1-){0,4} ~ c90-1500 ~ s40-
let FIN(n) = ( $DONE($n) | $OLD($n) | $ONE($n) ~ s60-330 (~ s20-330){0,2} ~ c40- )
let SURE(n, answer) = ( $DONE($n) $NEXT | $OLD($n) | $ONE($n) ~ s$answer ~ c40- )
let LASTCBC = ( $FLIGHT (c53,69 (~ s1-){0,8}){0,1} c101,117,133,149 | $LONG c149,181,213,373 )
let FINCBC = ( (c53,69 (~ s1-){0,8}){0,1} c101,117,133,149 | c149,181,213,373 ~ s69-373 (~ s20-330){0,2} ~ c40- )
# BARE: without a CONNECT (trojan, VLESS, a plain relay) a size is too little. Then the ClientHello must have the 517 bytes of
# RFC 7685, or CHANGE_CIPHER_SPEC stand alone, or (SURE) the request follow at once, or two session tickets of one size, or
# the server's last flight of TLS 1.2.
let BARE(n, answer) = ( ~ c$n+517 $TICKETS $RETRY $LONG ( $FIN($n) | c$n+108-$n+398 ) | $OPEN ( $SURE($n, $answer) | c$n+6 ~ c$n+58-$n+398 ) )
let BARE22 = ( $BARE(22, 65,73) | $QUANTUM $TICKETS $RETRY $LONG $FIN(22) | $OPEN c130-900 ~ s200-350#t s@t )
let BARECBC = ~ c565,581,597 $LONG ( $FINCBC | c213-453 )
# Fails: joined records without CONNECT or padding, HTTP/2 between client and proxy with other streams beside it, Vision and
# other padding, tunnels that are used long after they were opened.
# False friends: a small first answer, then at once a request of 190 bytes or more, then one of exactly such a size.
tcp 443,4433,4443,4444,8443,9443,10443 = < ( $START ( ~ c58,64,74,80 $TICKETS ( $ALLOW ( $LAST(22) | $LONG $SPLIT22 ) | $ASK $TICKETS ~ s145-290 $HELLO $RETRY $FLIGHT c86,92,102,108 $NEXT | $SOCKS(22, 24,170-344, 32,44) ( $HELLO $RETRY $LAST(22) | $SOON ) | $BARE22 ) | ~ c130-1700!150,158,166,182,198,214,310,318 $TICKETS ~ s40-125 $HELLO $RETRY ( $LAST(22) | $LAST(29) ) | ~ c51,93,126,158,318 (~ s1200-1800){0,1} $TICKETS ( $ALLOW $LAST(29) | $SOCKS(29, 31, 39,51) ( $HELLO $RETRY $LAST(29) | $SOON ) | $BARE(29, 72,80) ) | ~ c43,85,118,150,310 $TICKETS ( $ALLOW $LAST(21) | $SOCKS(21, 23, 31,43) ( $HELLO $RETRY $LAST(21) | $SOON ) | $BARE(21, 64,72) ) | ~ c117,133,149,150,166,182,198 $TICKETS ( $ALLOW $LASTCBC | $BARECBC ) | $CERTIFIED ~ s40-125 $HELLO $RETRY ( $LAST(22) | $LAST(29) ) ) | $JAVA $TICKETS ( $ALLOW $LAST(38) | $SOCKS(38, 24,40, 32,44,48,60) ( $HELLO $RETRY $LAST(38) | $SOON ) | $BARE(38, 65,73,81,89) ) ) : TLS inside TLS, as through a proxy
    id = tls.tunnel.tls
    rev = 3
    confidence = 85
    severity = medium
    attack = T1572
    category = tunnel

# The same where a relay, or TCP, joined the inner client's last flight with its first request, so that its size is unknown:
# the reply to CONNECT must be one that known proxies send ("200 OK", "200 Connection established", tinyproxy's and Apache's
# with their names), the ClientHello must not be about as large as the CONNECT (as requests of one program are), and the
# answer of the inner server must begin with tickets or more. REST: CHANGE_CIPHER_SPEC may stand alone before them (28 bytes),
# as GnuTLS sends it once it has the server's first record. PADDED: a ClientHello of about 517 bytes (RFC 7685) says enough
# for a long request, and for the short flight of a server that resumes a session.
# Fails: other proxies, no CONNECT.
# False friends: binary protocols of small answers; judge a pair of client and server by several flows, never by one.
let ASKED = ( ~ c50-699#q | ~ c50-1500#q $TICKETS ~ s150-2500 ~ c@q+55/35 )
let KNOWN = ( ~ s41,48,57,60,61,64,68,80,82,87-116,119-123 | ~ s150-330#n ~ s@n+61,@n+92/2 )
let REST = $RETRY $LONG ( c140-700 ~ s250- | $SPLIT22 )
let PADDED = c536-541!@q/30 $RETRY $FLIGHT c130-1500 ~ s250-
let NEWER = ( c1180-1470 (~ s24-900){0,1} ~ c20-900 (~ c20-900){0,1} | c1471-2400 (~ c20-900){0,1} ) $RETRY $LONG c140-420 ~ s40-
let SHORT = ( c212-620!@q/30 | c1180-1470 (~ s24-900){0,1} ~ c20-900 (~ c20-900){0,1} | c1471-2400 (~ c20-900){0,1} )
tcp 443,4433,4443,4444,8443,9443,10443 = < $START ( ( ~ c43,51,58,64,74,80,85,90,118,126,150,158,310,318 | ~ c93 (~ s1200-1800){0,1} ) $TICKETS $ASKED $TICKETS $KNOWN ( $SHORT $REST | $PADDED | $NEWER ) | ~ c130-1700!150,158,166,182,198,214,310,318#q $TICKETS $KNOWN ( $SHORT $REST | $PADDED | $NEWER ) | ~ c117,133,149,166,182,198 $TICKETS $ASKED $TICKETS ~ s69,85,101,117,133 c565,581,597 $LONG c213-693 ) : TLS inside TLS, as through a proxy and a relay that joins records
    id = tls.tunnel.tls.joined
    rev = 3
    confidence = 60
    severity = low
    attack = T1572
    category = tunnel

# A shell given away: the TLS client is the victim, and the person sits at the server. In turns, as shells write their answers
# in pieces. What tells it from the web is who begins: from the handshake on (HAND, with tickets, a banner or prompt, the
# request of a websocket) all that the server says comes after a pause and is short (SAY), and the client answers within a
# second (SAID). Two commands of 1 to 22 bytes must be answered, and neither these two commands nor their answers be
# alike, as they are where a program asks (n is what a record adds, 22 in TLS 1.3):
#   UNLIKE  the commands differ by 3 bytes or more, and the answers clearly (PAIR), or one is a word or a prompt (WORD, BRIEF,
#           LONGER: not one as large as the command or 4 bytes larger, which is the answer to a ping of a websocket, nor one
#           of 9 bytes, which is an acknowledgement of HTTP/2).
#   LITTLE, MEDIUM  both commands are of nearly one size, and there is a third one of another.
#   LOW, HIGH  one of both has up to 128 bytes, and there is a third one, a short one, of another size than the short one.
#   FLOOD   8,000 bytes or more in answer to one command, and any other.
#   PAGES   three commands, each answered with 178 bytes or more.
#   BLOCKS  TLS 1.2 with CBC, where sizes come in steps of 16: two commands of 1 to 63 bytes.
# A last flight of 85 bytes is of TLS 1.2 with ChaCha20, where a record adds 21. An alert (2 bytes) is no command. Other commands may say nothing (`cd`), or late. ASIDE: what the client says, and pongs.
# Fails: one command, or two that say the same; a link on which the server's lines wait for one another (lines without a
# pause); keys sent one by one (see below); answers that all come late; what is done after more than 128 bytes were
# pasted.
# False friends: long polls over HTTP/2 whose answers are of few bytes; a server that asks agents for different things in a
# few bytes; pushes of a few bytes after which the client fetches something; mail servers that are slow at every line.
let SAY(x) = +700ms-10min S$x
let SAID(x, answer) = $SAY($x) +0ms-990ms C$answer
let ASIDE = ( ~ C20- | S24-37 ){0,}
let MORE(n) = ( $SAY($n+1-$n+128) $ASIDE ){0,}
let THEN(n) = $ASIDE $MORE($n)
let PAIR(x, y, few, many, then) = ( $SAID($x, $few) $then $SAID($y, $many) | $SAID($x, $many) $then $SAID($y, $few) )
let PAIRS(x, y, then) = ( $PAIR($x, $y, 46-75, 110-, $then) | $PAIR($x, $y, 60-120, 170-, $then) | $PAIR($x, $y, 60-220, 300-, $then) | $PAIR($x, $y, 60-500, 700-, $then) )
let SPLIT(n, x, y) = ( $PAIRS($x, $y, $THEN($n)) | $PAIRS($y, $x, $THEN($n)) )
let BRIEF(n) = ( $SAID($n+2, $n+1,$n+3-$n+5,$n+7-$n+23) | $SAID($n+3, $n+1-$n+2,$n+4-$n+6,$n+8-$n+23) | $SAID($n+4, $n+1-$n+3,$n+5-$n+7,$n+9-$n+23) | $SAID($n+5, $n+1-$n+4,$n+6-$n+8,$n+10-$n+23) )
let LONGER(n) = ( $SAID($n+6, $n+1-$n+5,$n+7-$n+9,$n+11-$n+23) | $SAID($n+7, $n+1-$n+6,$n+8-$n+10,$n+12-$n+23) | $SAID($n+8, $n+1-$n+7,$n+9-$n+11,$n+13-$n+23) )
let WORD(n, x) = $SAID($x, $n+1-$n+8,$n+10-$n+12)
let WORDS(word, y, then) = ( $word $then $SAID($y, 80-) | $SAID($y, 80-) $then $word )
let UNLIKE(n) = ( $SPLIT($n, $n+1-$n+3, $n+6-$n+22) | $SPLIT($n, $n+1-$n+4, $n+7-$n+22) | $SPLIT($n, $n+1-$n+5, $n+8-$n+22) | $SPLIT($n, $n+1-$n+7, $n+10-$n+22) | $SPLIT($n, $n+1-$n+12, $n+15-$n+22) | $WORDS($BRIEF($n), $n+8-$n+22, $THEN($n)) | $WORDS($LONGER($n), $n+1-$n+4,$n+11-$n+22, $THEN($n)) | $WORDS($WORD($n, $n+10-$n+22), $n+1-$n+7, $THEN($n)) | $WORDS($WORD($n, $n+9-$n+12), $n+15-$n+22, $THEN($n)) | $WORDS($WORD($n, $n+15-$n+22), $n+9-$n+12, $THEN($n)) )
let LITTLE(n, then) = ( $PAIRS($n+1-$n+9, $n+1-$n+9, $then) | $WORDS(( $BRIEF($n) | $LONGER($n) ), $n+1-$n+9, $then) )
let MEDIUM(n, then) = ( $PAIRS($n+9-$n+22, $n+9-$n+22, $then) | $WORDS($WORD($n, $n+9-$n+22), $n+9-$n+22, $then) )
let MIXED(n, x, word, then) = ( $PAIRS($x, $n+23-$n+128, $then) | $PAIRS($n+23-$n+128, $x, $then) | $WORDS($word, $n+23-$n+128, $then) | $WORDS($WORD($n, $n+23-$n+128), $x, $then) )
let LOW(n, then) = $MIXED($n, $n+1-$n+6, $BRIEF($n), $then)
let HIGH(n, then) = $MIXED($n, $n+8-$n+12,$n+14-$n+15,$n+18, $WORD($n, $n+9-$n+12), $then)
let FLOOD(n) = $SAID($n+1-$n+47, 8000-)
let PAGE(x) = $SAID($x, 200-)
let PAGES(n) = ( $PAGE($n+1-$n+7) $THEN($n) $PAGE($n+10-$n+22) | $PAGE($n+10-$n+22) $THEN($n) $PAGE($n+1-$n+7) | $PAGE($n+1-$n+12) $THEN($n) $PAGE($n+15-$n+22) | $PAGE($n+15-$n+22) $THEN($n) $PAGE($n+1-$n+12) )
let TYPED(n) = $MORE($n) ( $UNLIKE($n) | $LITTLE($n, $THEN($n)) $THEN($n) $SAY($n+12-$n+128) | $SAY($n+12-$n+128) $THEN($n) $LITTLE($n, $THEN($n)) | $LITTLE($n, $THEN($n) $SAY($n+12-$n+128) $THEN($n)) | $MEDIUM($n, $THEN($n)) $THEN($n) $SAY($n+1,$n+3-$n+6,$n+25-$n+128) | $SAY($n+1,$n+3-$n+6,$n+25-$n+128) $THEN($n) $MEDIUM($n, $THEN($n)) | $MEDIUM($n, $THEN($n) $SAY($n+1,$n+3-$n+6,$n+25-$n+128) $THEN($n)) | $LOW($n, $THEN($n)) $THEN($n) $SAY($n+9-$n+22) | $SAY($n+9-$n+22) $THEN($n) $LOW($n, $THEN($n)) | $LOW($n, $THEN($n) $SAY($n+9-$n+22) $THEN($n)) | $HIGH($n, $THEN($n)) $THEN($n) $SAY($n+1,$n+3-$n+6,$n+29) | $SAY($n+1,$n+3-$n+6) $THEN($n) $HIGH($n, $THEN($n)) | $HIGH($n, $THEN($n) $SAY($n+1,$n+3-$n+6) $THEN($n)) | $FLOOD($n) $ASIDE $SAY($n+1,$n+3-$n+128) | $SAY($n+1,$n+3-$n+128) $THEN($n) $FLOOD($n) | $PAGES($n) $THEN($n) $PAGE($n+1-$n+22) | $PAGE($n+1-$n+22) $THEN($n) $PAGES($n) )
let BLOCK = ( $SAY(53,57,69,73,85,89,101) $ASIDE ){0,}
let BLOCKS(x, y) = ( $PAIRS($x, $y, $ASIDE $BLOCK) | $PAIRS($y, $x, $ASIDE $BLOCK) )
let HAND = ~ C150- ~ S90- ( ~ C150- ~ S150- ){0,1} ( ~ S20-900 | ~ C6-1500!85 ) ( ~ S20-900 | ~ C6-1500 ){0,6}
tcp 443,4433,4443,4444,8443,9443,10443 = < $HAND ( $BLOCK ( $BLOCKS(53, 69,85) | $BLOCKS(57, 73,89) | $BLOCKS(69, 85,101) ) | $TYPED(22) ) : A person at the server's side types to a shell at the client's
    id = tls.reverse_shell
    rev = 4
    confidence = 85
    severity = high
    attack = T1059, T1071.001
    category = command and control

# The same in TLS 1.2 with AES-GCM, which the client's last flight tells, and the server's: a record adds 29 bytes.
# Fails: ChaCha20, whose last flight is 8 bytes less. Busy servers of HTTP/2 were taken for a person there.
tcp 443,4433,4443,4444,8443,9443,10443 = < ~ C150- ~ S150- ~ C93,126,158,318 ~ S51,170-300 ( ~ S20-900 | ~ C6-1500 ){0,6} $TYPED(29) : A person at the server's side types to a shell at the client's, TLS 1.2
    id = tls.reverse_shell.older
    rev = 2
    confidence = 85
    severity = high
    attack = T1059, T1071.001
    category = command and control

# The same with a terminal: each key comes back at once as a record of the same size (4 bytes more from the client of a
# websocket), five times in a row, at the pace of a hand. That the echo, and not the key, is at once tells on which side the
# person sits.
# Fails: fewer than five keys in a row, links on which keys and echoes are joined.
# False friends: heartbeats that come back as they are, every few seconds.
let KEY(sizes, echo) = ( s$sizes#key | +400ms-4s s$sizes#key ) +0ms-99ms c$echo
tcp 443,4433,4443,4444,8443,9443,10443 = < ~ c150- ... ( $KEY(22-30,37,53,69, @key){5,} | $KEY(25,32, @key+4){5,} ) : A person at the server's side types to a terminal at the client's
    id = tls.reverse_shell.keys
    rev = 2
    confidence = 85
    severity = high
    attack = T1059, T1071.001
    category = command and control

# The same where the shell writes its line anew at each key, as fish does, and zsh or PowerShell with colours: a key of one byte
# and at once an answer of some bytes more, six times, three of them at the pace of a hand; not all answers alike, as they would
# be where a program acknowledges blocks of data with one byte.
# Fails: TLS 1.2, keys joined, a shell that echoes some of the keys as they are.
# False friends: none known.
let DRAW(first) = ~ s23 (~ s23){0,3} +0ms-199ms c$first (~ c24-1460){0,12}
let SLOW(first) = +50ms-4s s23 (~ s23){0,3} +0ms-199ms c$first (~ c24-1460){0,12}
tcp 443,4433,4443,4444,8443,9443,10443 = < ~ c150- ... $SLOW(26-1460) $DRAW(26-1460) ( $SLOW(26-50) $DRAW(26-1460){0,6} $SLOW(53-1460) | $SLOW(53-1460) $DRAW(26-1460){0,6} $SLOW(26-50) ) $DRAW(26-1460){2} : A person at the server's side types to a terminal at the client's that writes its line anew
    id = tls.reverse_shell.redrawn
    confidence = 85
    severity = high
    attack = T1059, T1071.001
    category = command and control

# The same request and the same short answer five times, with at least a second of silence before each, on one kept
# connection, of which the server has said nothing longer than 1,250 bytes a packet before: an implant does
# not begin with a page. A length may come first, in a record of its own, always or at times. Requests of fewer than 60
# bytes (HTTP/2) must be the same to the byte.
# Fails: implants that open a connection for each report, sizes that vary by more than 4 (request) or 8 bytes (answer),
# tasks among the reports.
# False friends: programs that ask for the same thing again and again: monitoring, mail clients on 443. A page that does so
# is told by itself, which comes first.
tcp 443,4433,4443,4444,8443,9443,10443 = < $START ~ c43-1700 ( ~ c20-1700 | ~ s20-1250 ){0,8} ( +1s-10min c60-1500#q ~ s30-600#r ( ( +1s-10min c@q/4 | +1s-10min c26,33 c@q-4/4 ) ~ s@r/8 ){4,} | +1s-10min c1380-1460 c20-1460#q ~ s30-600#r ( +1s-10min c1380-1460 c@q/4 ~ s@r/8 ){4,} | +1s-10min c45-59#q s60-700#r (+1s-10min c@q/1 s@r/4){4,} | +1s-10min c20-59 c60-1500#two s30-700#got (+1s-10min c20-59 c@two/4 s@got/8){4,} ) : The same exchange again and again, with pauses, on one connection
    id = tls.beacon
    rev = 2
    confidence = 50
    severity = low
    attack = T1071.001
    category = command and control

# More than a megabyte from the client, five times what came back.
# False friends: none by its meaning; backups and mail with attachments are uploads as well.
tcp 443,4433,4443,4444,8443,9443,10443 = < ~ c150- ~ s* where c.bytes > 1M and c.bytes / s.bytes > 5 : Bulk upload
    id = tls.upload
    confidence = 95
    severity = low
    attack = T1567
    category = transfer

# One flow that looks like TLS inside TLS may be something else; several between the same two are not. A flow has one or two
# hits. The published rate of false alarms of such signatures, one in 1,800 flows, makes six hits of one pair by chance rare.
flows : TLS inside TLS in several connections between one client and one server
    id = tls.tunnels
    sequence = 6 tls.tunnel.tls in 1h by src,dst
    suppress = 1h by src,dst
    confidence = 97
    severity = high
    attack = T1572
    category = tunnel
