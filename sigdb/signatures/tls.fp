# What runs inside TLS, and who runs it, from sizes and pauses alone.
#
# A TLS record adds the same number of bytes to whatever it carries: 22 in TLS 1.3, 29 in TLS 1.2 with AES-GCM, 21 with
# ChaCha20 (RFC 8446, 5.2; RFC 5288; RFC 7905). So a protocol whose own first messages have known sizes shows them again,
# that much larger, after the handshake of the outer TLS. Where offloads are on, a packet may be larger than the link
# allows; sizes that can be large have no upper bound here.
#
# Taken from: the part `train` of lab/tls.py (nginx 1.22, stunnel 5.68, haproxy 2.6, socat 1.7.4, ncat 7.93, squid 5.7,
# nghttpx 1.52, tinyproxy 1.11; OpenSSL 3.0, GnuTLS 3.7) at round trips of 0 to 160 ms. Figures: docs/database-tls.md.

# SSH inside TLS. After both KEXINITs the client sends its half of the key exchange, the server answers, and then comes
# what only SSH does: NEWKEYS (always 16 bytes) and the service request; the acceptance carries the same 17 bytes as the
# request (RFC 4253, 10), so the server's record equals the client's, or is exactly 16 bytes less when NEWKEYS was in the
# same record (52 to 100 less with an EXT_INFO there as well, as AsyncSSH and newer OpenSSH send). Then the first authentication request and its answer, both small. The last alternative is Dropbear's
# client, which sends NEWKEYS, the service request and the first authentication request in one.
# Fails: answers that a relay put together in one record (Dropbear's client with nginx as relay), an end before
# authentication (scans), record padding, several connections in one tunnel.
# False friends: request and answer protocols of fixed small sizes; SMB on other ports has the same rhythm, hence the ports.
tcp 443,4443,8443,9443,10443 = < ~ c150- (~ x*){4,22} ~ c60-1400 ~ s70- (~ s20-){0,3} ( ( ~ c76-250#k ( ~ s@k-16/0 | ~ s@k-52/0 | ~ s@k-84/0 | ~ s@k-100/0 ) | ~ c36-50 (~ c60-130){0,1} ~ c60-130#req ~ s@req/0 (~ c50-130){0,1} ) ~ c70-230 ~ s50-160 | ~ c120-230 ~ s60-110#acc ~ s@acc+10/12 ~ c74-400 (~ s@acc-12/4 | ~ s@acc+10/12) ) : SSH inside TLS
    id = tls.tunnel.ssh
    confidence = 95
    severity = high
    attack = T1572
    category = tunnel

# TLS inside TLS. With a CONNECT: a request, a reply of some 40 to 250 bytes, the inner ClientHello, the server's flight,
# and the client's Finished, which has one of few sizes: 58, 64, 74, 80 (TLS 1.3, by hash, with or without
# CHANGE_CIPHER_SPEC), 93, 126, 158, 318 (TLS 1.2, by group), plus the outer record. Without a CONNECT (trojan, or a plain
# relay) the ClientHello must be padded to 517 bytes (RFC 7685; OpenSSL, browsers before 2024), or CHANGE_CIPHER_SPEC
# stand alone (GnuTLS): else the shape is too common.
# Where a relay joins Finished and the first request in one record, the reply to CONNECT must be one that squid or tinyproxy sends.
# Fails: inner handshakes that resume a session, joined records without CONNECT or padding, HTTP/2 between client and proxy with other streams beside it, Vision and other padding.
# False friends: a small first answer (redirect, 304), then a long request, then one of exactly such a size.
tcp 443,4443,8443,9443,10443 = < ~ c150- (c20-1500){0,2} (~ s60-130 ~ c150-){0,1} (~ s20-){1,9} ( ~ c45-82 (~ s30-){0,3} | ~ c83-160 ~ s45-320 (~ s30-){0,1} ) ( ( ~ c55-1500 (~ s200-700){0,2} (~ s20-250 | ~ s280-400){1,4} ~ c180-700 | ~ c95-1500 (~ s200-700){0,2} (~ s20-250 | ~ s280-400){1,4} ~ c1150- (c20-1000){0,1} ) (~ s90-160 ~ c180-){0,1} (~ s120-649){0,2} ~ s650- (~ s1-){0,9} ( ( ~ c79-81 | ~ c86-87 | ~ c93/0 | ~ c95-96 | ~ c101-103 | ~ c109/0 | ~ c114-115 | ~ c122/0 | ~ c147-148 | ~ c155/0 | ~ c179-180 | ~ c187/0 | ~ c339-340 | ~ c347/0 ) | ( ~ c28/0 ~ c80-420 | ~ c35/0 ~ c87-420 ) ) | ~ c55-380 (~ s200-700){0,2} (~ s20-250 | ~ s280-400){1,4} ( ~ c539/0 | ~ c546/0 ) (~ s120-649){0,2} ~ s650- (~ s1-){0,9} ~ c130-900 | ~ c55-400 (~ s200-600){0,2} ( ~ s61/1 | ~ s68/1 | ~ s92/2 | ~ s99/2 ) ~ c200-700 ~ s900- (~ s1-){0,9} ~ c140-600 | ( ( ~ c539/0 | ~ c546/0 ) | ~ c600-640 ) (~ s90-160 ~ c180-){0,1} (~ s120-649){0,2} ~ s650- (~ s1-){0,9} ( ( ~ c79-81 | ~ c86-87 | ~ c93/0 | ~ c95-96 | ~ c101-103 | ~ c109/0 | ~ c114-115 | ~ c122/0 | ~ c147-148 | ~ c155/0 | ~ c179-180 | ~ c187/0 | ~ c339-340 | ~ c347/0 ) | ( ~ c28/0 ~ c80-420 | ~ c35/0 ~ c87-420 ) ) | ~ c200-1500 (~ s120-649){0,2} ~ s650- (~ s1-){0,9} ( ~ c28/0 ~ c80-420 | ~ c35/0 ~ c87-420 ) | ( ~ c539/0 | ~ c546/0 ) (~ s120-649){0,2} ~ s650- (~ s1-){0,9} ~ c130-420 ) : TLS inside TLS, as through a proxy
    id = tls.tunnel.tls
    confidence = 75
    severity = medium
    attack = T1572
    category = tunnel

# A shell given away: the TLS client is the victim, and the person sits at the server. The server speaks after pauses of
# a hand and sends little; the client answers at once, twice at least with more than a word. Or, with a terminal, each
# key comes back as a record of the same size. The pace is not asked for: over a long link a round trip hides it.
# Fails: fewer than three commands (with a terminal: six keys), commands that say nothing, servers that are programs.
# False friends: agents that a server polls for status over TLS, chat programs whose client answers by itself.
tcp 443,4443,8443,9443,10443 = < ~ c150- (c20-1500){0,2} (~ s60-130 ~ c150-){0,1} (~ s20-){1,9} ( (~ x*){1,15} ( (+700ms-5min s23-150 (s23-150){0,2} c23- (~ c23-){0,20}){1,} +700ms-5min s23-100 (s23-100){0,1} (c23-59){0,3} c60- (~ c23-){0,20} (+700ms-5min s23-150 (s23-150){0,2} c23- (~ c23-){0,20}){0,} +700ms-5min s23-100 (s23-100){0,1} (c23-59){0,3} c60- (~ c23-){0,20} | +700ms-5min s23-100 (s23-100){0,1} (c23-59){0,3} c60- (~ c23-){0,20} (+700ms-5min s23-150 (s23-150){0,2} c23- (~ c23-){0,20}){1,} +700ms-5min s23-100 (s23-100){0,1} (c23-59){0,3} c60- (~ c23-){0,20} | +700ms-5min s23-100 (s23-100){0,1} (c23-59){0,3} c60- (~ c23-){0,20} +700ms-5min s23-100 (s23-100){0,1} (c23-59){0,3} c60- (~ c23-){0,20} +700ms-5min s23-150 (s23-150){0,2} c23- (~ c23-){0,20} ) | ... (~ s23-30#key c@key/0){6,} ) : A person at the server's side types to a shell at the client's
    id = tls.reverse_shell
    confidence = 80
    severity = high
    attack = T1059, T1071.001
    category = command and control

# The same request and the same short answer five times, with at least a second of silence before each, on one kept
# connection. The second alternative writes a length first, in a record of its own.
# Fails: implants that open a connection for each report, sizes that vary by more than 4 (request) or 8 bytes (answer),
# tasks among the reports.
# False friends: whatever asks for the same thing again and again: dashboards, monitoring, mail clients on 443.
tcp 443,4443,8443,9443,10443 = < ~ c150- (~ x*){2,20} ( +1s-10min c50-1500#q s30-700#r (+1s-10min c@q/4 s@r/8){4,} | +1s-10min c20-59 c60-1500#two s30-700#got (+1s-10min c20-59 c@two/4 s@got/8){4,} ) : The same exchange again and again, with pauses, on one connection
    id = tls.beacon
    confidence = 50
    severity = low
    attack = T1071.001
    category = command and control

# More than a megabyte from the client, five times what came back.
# False friends: none by its meaning; backups and mail with attachments are uploads as well.
tcp 443,4443,8443,9443,10443 = < ~ c150- ~ s* where c.bytes > 1M and c.bytes / s.bytes > 5 : Bulk upload
    id = tls.upload
    confidence = 95
    severity = low
    attack = T1567
    category = transfer
