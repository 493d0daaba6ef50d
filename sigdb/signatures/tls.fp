# SPDX-License-Identifier: LGPL-2.1-or-later
# What runs inside TLS, and who runs it, from sizes and pauses alone.
#
# A TLS record adds the same number of bytes to whatever it carries: 22 in TLS 1.3, 38 where Java sends it, 29 in TLS 1.2
# with AES-GCM, 21 with ChaCha20 (RFC 8446, 5.2; RFC 5288; RFC 7905); with CBC sizes come in steps of 16. So a protocol
# whose own first messages have known sizes, or known differences of sizes, shows them again inside TLS. A relay may join
# what came close together in one record, or TCP several records in one packet. Where offloads are on, a packet may be
# larger than the link allows; sizes that can be large have no upper bound here.
#
# Taken from: all of lab/tlsplan.py and the part `train` of lab/tlsmoreplan.py, which name the programs (OpenSSL 3.0 and 3.5,
# GnuTLS, Go, Java, Node, BoringSSL as clients, relays and proxies), at round trips of 0 to 160 ms. Figures:
# docs/database-tls.md.

# SSH inside TLS. After both KEXINITs and the key exchange the client sends NEWKEYS (16 bytes) and the service request; the
# acceptance carries the same 17 bytes as the request (RFC 4253, 10). Then comes the authentication method "none" and its
# refusal. Every SSH packet is padded to 8 or 16 bytes, so what the server sends differs by a multiple of 8.
#   ALONE   NEWKEYS in a record of its own: the acceptance is as large as the request (16 less or more when only one of
#           both sides is Java; tinysshd adds 8 or 16).
#   JOINED  NEWKEYS and request in one record, or in two of one packet, or with the EXT_INFO of AsyncSSH and newer OpenSSH.
#   NONE    Dropbear's client: NEWKEYS, request and "none" in one; the answers apart, or joined in one record as well.
#   THIRD   whatever became of these, the next answer is a refusal of the same size or is 16 less than the acceptance
#           (SUCCESS has one byte, the acceptance 17). A refusal as large as the acceptance (a server that knows public
#           keys only) counts in ALONE, as web servers give equal answers as well.
#   FRAMED  in a websocket the client adds 4 bytes more than the server, its mask.
# Fails: an end before authentication (scans, no common algorithm), record padding, several connections in one tunnel.
# False friends: request and answer protocols of fixed small sizes; SMB on other ports has the same rhythm, hence the ports.
let KEX = ( ~ c300- (~ x*){0,8} ~ c54-1460 (~ c20-400){0,1} | ~ c500- ) ~ s70- (~ s20-){0,5}
let REFUSAL = s@a-16,@a-8,@a+8,@a+16,@a+24,@a+32,@a+40,@a+48,@a+56,@a+64,@a+72,@a+80,@a+88,@a+96,@a+104
let ALONE = ~ c37,38,45,53,54,69,85,101 (~ c60-140){0,1} ~ c60-220#r ( s@r,@r-16,@r+8,@r+16 | +400ms-1500ms s@r,@r-16,@r+8,@r+16 ) (~ c40-140){0,1} ~ c60-400 s50-230
let FIRST = c@a,@a+8,@a+16,@a+24,@a+32,@a+40,@a+44,@a+48,@a+52,@a+56,@a+60,@a+64,@a+68,@a+72,@a+80,@a+88,@a+96,@a+104,@a+112,@a+120,@a+128,@a+136,@a+144,@a+152,@a+160,@a+168,@a+176,@a+184,@a+192,@a+200,@a+208,@a+216
let LATER = c@a+8,@a+16,@a+24,@a+32,@a+40,@a+44,@a+48,@a+52,@a+56,@a+60,@a+64,@a+68,@a+72,@a+80,@a+88,@a+96,@a+104,@a+112,@a+120,@a+128,@a+136,@a+144,@a+152,@a+160,@a+168,@a+176,@a+184,@a+192,@a+200,@a+208,@a+216
let JOINED = (~ c37-110){0,1} ( ~ c76-260#k ( s@k,@k-16,@k-32,@k-37,@k-38,@k-45,@k-52,@k-60,@k-68,@k-70,@k-76,@k-84,@k-100#a | +400ms-1500ms s@k,@k-16,@k-32,@k-37,@k-38,@k-45,@k-52,@k-60,@k-68,@k-70,@k-76,@k-84,@k-100#a ) (~ c40-140){0,1} $FIRST $REFUSAL | ~ c76-200#k ( s@k,@k-16,@k-32,@k-37,@k-38,@k-45#a | +400ms-1500ms s@k,@k-16,@k-32,@k-37,@k-38,@k-45#a ) $FIRST ~ s400-1400 ~ c60-250 ~ s@a )
let NONE = ~ c120-260#k ( s@k-60,@k-64,@k-68,@k-76,@k-80,@k-84,@k-92,@k-96,@k-100,@k-108,@k-112,@k-116,@k-128#q ~ s@q,@q+8,@q+16,@q+24 ~ c70-400 ~ s@q-16,@q-8,@q,@q+8,@q+16,@q+24 | s@k-72,@k-64,@k-56,@k-48,@k-40,@k-32,@k-24,@k-16,@k-8,@k,@k+8#j ~ c70-400 ~ s@j-44,@j-52,@j-56,@j-60,@j-64,@j-68,@j-84,@j-100 | s@k-84,@k-76,@k-68#q ~ s@q+8 ~ c70-400 ~ s450-1100 c50-130 | s@k-40,@k-32,@k-24,@k-16 ~ c70-400 ~ s450-1100 c50-130 )
let THIRD = (~ c37-110){0,1} ~ c60-300 s58-140#a (~ x30-140){0,2} $LATER s@a-16,@a-8,@a+8,@a+16,@a+24,@a+32,@a+40,@a+48,@a+56,@a+64,@a+72,@a+80,@a+88,@a+96,@a+104#f (~ c30-140){0,1} ~ c60-1000 ( ~ s@f,@a-16 | ~ s60-400 ~ c150-1200 ~ s@f,@a-16 )
let FRAMED = ( ~ c44,51 ~ c60-130#r s@r-4#a | ~ c76-150#k s@k-20#a ) c@a+12,@a+20,@a+28,@a+36,@a+44,@a+52,@a+60,@a+68,@a+76,@a+84,@a+92,@a+100,@a+108,@a+116,@a+124,@a+132,@a+140,@a+148,@a+156,@a+164,@a+172,@a+180,@a+188,@a+196,@a+204,@a+212 $REFUSAL
tcp 443,4433,4443,4444,8443,9443,10443 = < ~ c150- (~ x*){1,16} $KEX ( $ALONE | $JOINED | $NONE | $THIRD | $FRAMED ) : SSH inside TLS
    id = tls.tunnel.ssh
    rev = 2
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
let TICKETS = (~ s24-620){0,4}
# Inside: CONNECT (ASK; in CALL also when the proxy asks for a password first), a reply of some 19 to 110 bytes, alone or
# joined with a session ticket, and the inner ClientHello (HELLO; QUANTUM with a post-quantum key share) at once.
# OPEN is an inner ClientHello without a CONNECT before it, and the server's flight.
let QUANTUM = ( ~ c1180-1470 (~ s24-900){0,1} ~ c20-900 (~ c20-900){0,1} | ~ c1471-2400 (~ c20-900){0,1} )
let HELLO = ( c190-740 | c1180-1470 (~ s24-900){0,1} ~ c20-900 (~ c20-900){0,1} | c1471-2400 (~ c20-900){0,1} )
let RETRY = ( ~ s90-180 $HELLO ){0,1}
let ASK = ( ~ c50-1379 | ~ c1380-1470 ~ c20-800 | ~ c1380-1700 )
let CALL = ( $ASK | ~ c50-1500#q $TICKETS ~ s150-2500 ~ c@q+55/35 )
let ALLOW = $CALL $TICKETS ( ~ s40-125 | ~ s150-330#n ~ s@n+78/38 ) (~ s24-60){0,2} $HELLO $RETRY
let FLIGHT = ( s220- | +400ms-1500ms s220- ) (~ s1-){0,13}
let LONG = ( s650- | +400ms-1500ms s650- ) (~ s1-){0,12}
let OPEN = ( ~ c190-740 | $QUANTUM ) $TICKETS $RETRY $LONG
# CERTIFIED: the outer client's last flight has its certificate, the server's tickets as well.
let CERTIFIED = ~ c700-4200 (~ c20-1460){0,3} (~ s24-2600){0,4} ~ c50-1700 (~ s24-2600){0,4}
# LAST: the inner client's last flight, which has one of few sizes, by what the outer record adds, after the server's
# flight, which is short when a session is resumed in TLS 1.3. FIN: without the flight, and in TLS 1.2 with the answer to it.
let SURE = ( ~ c40-1600 | (~ c35-1600){0,1} ~ s100-420#t ~ s@t )
let LAST22 = ( $FLIGHT (c28){0,1} c80,86,96,102,112 | $LONG ( c64,97,129,289 c28 c59,67 | c107,115,140,148,172,180,332,340 ) )
let FIN22 = ( (c28){0,1} c80,86,96,102,112 | c64,97,129,289 c28 c59,67 | c107,115,140,148,172,180,332,340 ~ s60-330 (~ s20-330){0,2} ~ c40- )
let SURE22 = ( (c28){0,1} c80,86,96,102,112 $SURE | c64,97,129,289 c28 c59,67 | c107,115,140,148,172,180,332,340 ~ s65,73 ~ c40- )
let LAST38 = ( $FLIGHT (c44){0,1} c96,102,112,118,128,134 | $LONG ( c80,113,145,305 c44 c75,83 | c123,131,156,164,188,196 ) )
let FIN38 = ( (c44){0,1} c96,102,112,118,128,134 | c80,113,145,305 c44 c75,83 | c123,131,156,164,188,196 ~ s60-330 (~ s20-330){0,2} ~ c40- )
let SURE38 = ( (c44){0,1} c96,102,112,118,128,134 $SURE | c80,113,145,305 c44 c75,83 | c123,131,156,164,188,196 ~ s65,73,81,89 ~ c40- )
let LAST29 = ( $FLIGHT (c35){0,1} c87,93,103,109,119 | $LONG ( c71,104,136,296 c35 c66,74 | c114,122,147,155,179,187,339,347 ) )
let FIN29 = ( (c35){0,1} c87,93,103,109,119 | c71,104,136,296 c35 c66,74 | c114,122,147,155,179,187,339,347 ~ s60-330 (~ s20-330){0,2} ~ c40- )
let SURE29 = ( (c35){0,1} c87,93,103,109,119 $SURE | c71,104,136,296 c35 c66,74 | c114,122,147,155,179,187,339,347 ~ s72,80 ~ c40- )
let LAST21 = ( $FLIGHT (c27){0,1} c79,85,95,101,111 | $LONG ( c63,96,128,288 c27 c58,66 | c106,114,139,147,171,179,331,339 ) )
let FIN21 = ( (c27){0,1} c79,85,95,101,111 | c63,96,128,288 c27 c58,66 | c106,114,139,147,171,179,331,339 ~ s60-330 (~ s20-330){0,2} ~ c40- )
let SURE21 = ( (c27){0,1} c79,85,95,101,111 $SURE | c63,96,128,288 c27 c58,66 | c106,114,139,147,171,179,331,339 ~ s64,72 ~ c40- )
let LASTCBC = ( $FLIGHT (c53,69){0,1} c101,117,133,149 | $LONG c149,181,213,373 )
let FINCBC = ( (c53,69){0,1} c101,117,133,149 | c149,181,213,373 ~ s69-373 (~ s20-330){0,2} ~ c40- )
# BARE: without a CONNECT (trojan, VLESS, a plain relay) a size is too little. Then the ClientHello must have the 517 bytes of
# RFC 7685, or CHANGE_CIPHER_SPEC stand alone, or (SURE) the request follow at once, or two session tickets of one size, or
# the server's last flight of TLS 1.2.
let BARE22 = ( ~ c539 $TICKETS $RETRY $LONG ( $FIN22 | c130-420 ) | $QUANTUM $TICKETS $RETRY $LONG $FIN22 | $OPEN ( $SURE22 | c28 ~ c80-420 | c130-900 ~ s100-420#t ~ s@t ) )
let BARE38 = ( ~ c555 $TICKETS $LONG ( $FIN38 | c146-436 ) | $OPEN ( $SURE38 | c44 ~ c96-420 ) )
let BARE29 = ( ~ c546 $TICKETS $LONG ( $FIN29 | c137-427 ) | $OPEN ( $SURE29 | c35 ~ c87-420 ) )
let BARE21 = ( ~ c538 $TICKETS $LONG ( $FIN21 | c129-419 ) | $OPEN ( $SURE21 | c27 ~ c79-420 ) )
let BARECBC = ~ c565,581,597 $LONG ( $FINCBC | c213-453 )
# Fails: joined records without CONNECT or padding, HTTP/2 between client and proxy with other streams beside it, Vision and
# other padding, tunnels that are used long after they were opened.
# False friends: a small first answer, then at once a request of 190 bytes or more, then one of exactly such a size.
tcp 443,4433,4443,4444,8443,9443,10443 = < ( $START ( ~ c58,64,74,80 $TICKETS ( $ALLOW $LAST22 | $ASK $TICKETS ~ s145-290 $HELLO $RETRY $FLIGHT c86,92,102,108 $SURE | $BARE22 ) | ~ c130-1700!150,158,166,182,198,214,310,318 $TICKETS ~ s40-125 $HELLO $RETRY ( $LAST22 | $LAST29 ) | ~ c51,93,126,158,318 (~ s1200-1800){0,1} $TICKETS ( $ALLOW $LAST29 | $BARE29 ) | ~ c43,85,118,150,310 $TICKETS ( $ALLOW $LAST21 | $BARE21 ) | ~ c117,133,149,150,166,182,198 $TICKETS ( $ALLOW $LASTCBC | $BARECBC ) | $CERTIFIED ~ s40-125 $HELLO $RETRY ( $LAST22 | $LAST29 ) ) | $JAVA $TICKETS ( $ALLOW $LAST38 | $BARE38 ) ) : TLS inside TLS, as through a proxy
    id = tls.tunnel.tls
    rev = 2
    confidence = 85
    severity = medium
    attack = T1572
    category = tunnel

# The same where a relay, or TCP, joined the inner client's last flight with its first request, so that its size is unknown:
# the reply to CONNECT must be one that known proxies send ("200 OK", "200 Connection established", tinyproxy's and Apache's
# with their names), and the answer of the inner server must begin with tickets or more.
# Fails: other proxies, no CONNECT.
# False friends: binary protocols of small answers; judge a pair of client and server by several flows, never by one.
let KNOWN = ( ~ s41,48,57,61,64,68,80,87-116,119-123 | ~ s150-330#n ~ s@n+61,@n+92/2 )
let REST = $RETRY $LONG c140-700 ~ s250-
let SHORT = ( c212-620 | c1180-1470 (~ s24-900){0,1} ~ c20-900 (~ c20-900){0,1} | c1471-2400 (~ c20-900){0,1} )
tcp 443,4433,4443,4444,8443,9443,10443 = < $START ( ( ~ c43,51,58,64,74,80,85,90,118,126,150,158,310,318 | ~ c93 (~ s1200-1800){0,1} ) $TICKETS $CALL $TICKETS $KNOWN $SHORT $REST | ~ c130-1700!150,158,166,182,198,214,310,318 $TICKETS $KNOWN $SHORT $REST | ~ c117,133,149,166,182,198 $TICKETS $ASK $TICKETS ~ s69,85,101,117,133 c565,581,597 $LONG c213-693 ) : TLS inside TLS, as through a proxy and a relay that joins records
    id = tls.tunnel.tls.joined
    confidence = 60
    severity = low
    attack = T1572
    category = tunnel

# A shell given away: the TLS client is the victim, and the person sits at the server. The server sends a line after a
# pause of a hand, at least three times, twice a short one (LINE); the client answers at once, twice with more than a word
# (60 and 80 bytes), and these two answers differ; or a page once and a word or a prompt three times. Other commands may say
# nothing, or only bring a prompt. In turns, as shells write their answers in pieces. The pace of keys is not asked for:
# over a long link a round trip hides it.
# Fails: fewer than three commands, commands that say nothing or need seconds, servers that are programs.
# False friends: long polls, where the server's small answer comes after seconds and the client asks again at once: told by
# the length of the lines, and by requests of always the same size; agents that a server polls for status over TLS.
let COMMAND = +700ms-5min S23-150
let LINE = +700ms-5min S23-44,53,57,69
let ANSWER = (~ C20-){0,12}
let MORE = ( +500ms-5min S23-700 $ANSWER ){0,}
let TWO = ( $COMMAND C60-#a $ANSWER $MORE $LINE C80-!@a/30 | $COMMAND C80-#a $ANSWER $MORE $LINE C60-!@a/30 | $LINE C60-#a $ANSWER $MORE $COMMAND C80-!@a/30 | $LINE C80-#a $ANSWER $MORE $COMMAND C60-!@a/30 )
let BOTH = ( $LINE C60-#a $ANSWER $MORE $LINE C80-!@a/30 | $LINE C80-#a $ANSWER $MORE $LINE C60-!@a/30 )
let WORD = $LINE C23-59
let PAGE = $LINE C200- $ANSWER
let MIXED = ( $WORD{3} $PAGE | $WORD{2} $PAGE $WORD | $WORD $PAGE $WORD{2} | $PAGE $WORD{3} )
let THREE = ( $LINE C60-#a $ANSWER $LINE $ANSWER $MORE $LINE C80-!@a/30 | $LINE C80-#a $ANSWER $LINE $ANSWER $MORE $LINE C60-!@a/30 )
tcp 443,4433,4443,4444,8443,9443,10443 = < ~ C150- ~ S20- ... ( $TWO $ANSWER $MORE $LINE | $LINE $ANSWER $MORE $TWO | $BOTH $ANSWER $MORE $COMMAND | $COMMAND $ANSWER $MORE $BOTH | $THREE | $MIXED ) : A person at the server's side types to a shell at the client's
    id = tls.reverse_shell
    rev = 2
    confidence = 80
    severity = high
    attack = T1059, T1071.001
    category = command and control

# The same with a terminal: each key comes back as a record of the same size, six times in a row, at the pace of a hand.
# Fails: fewer than six keys in a row, links on which keys and echoes are joined.
# False friends: heartbeats that come back as they are, every few seconds; a person at the client's side has the keys there.
tcp 443,4433,4443,4444,8443,9443,10443 = < ~ c150- ... ( ( s22-30,37,53,69#key | +400ms-4s s22-30,37,53,69#key ) c@key ){6,} : A person at the server's side types to a terminal at the client's
    id = tls.reverse_shell.keys
    confidence = 85
    severity = high
    attack = T1059, T1071.001
    category = command and control

# The same request and the same short answer five times, with at least a second of silence before each, on one kept
# connection. The second alternative writes a length first, in a record of its own.
# Fails: implants that open a connection for each report, sizes that vary by more than 4 (request) or 8 bytes (answer),
# tasks among the reports.
# False friends: whatever asks for the same thing again and again: dashboards, monitoring, mail clients on 443.
tcp 443,4433,4443,4444,8443,9443,10443 = < ~ c150- (~ x*){2,20} ( +1s-10min c50-1500#q s30-700#r (+1s-10min c@q/4 s@r/8){4,} | +1s-10min c20-59 c60-1500#two s30-700#got (+1s-10min c20-59 c@two/4 s@got/8){4,} ) : The same exchange again and again, with pauses, on one connection
    id = tls.beacon
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
