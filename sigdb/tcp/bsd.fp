; SPDX-License-Identifier: LGPL-2.1-or-later
; FreeBSD, OpenBSD, NetBSD and Solaris.
;
; TTL 64 (net.inet.ip.ttl) and path MTU discovery are the defaults of all of them.

classes = win,unix,other

[tcp:request]

; Source: FreeBSD's source: tcp_addoptions() gives the layout (since 7), net.inet.ip.rfc6864 = 1 identification 0 for
; packets with DF (since 11); net.inet.tcp.recvspace 65536, of which 65535 can be written. Many appliances are FreeBSD
; (pfSense, OPNsense, TrueNAS, NetApp).
label = s:unix:FreeBSD:11 or newer
class = server
sig   = *:64:0:*:65535,*:mss,nop,ws,sok,ts:df:0
sig   = *:64:0:*:65535,*:mss,nop,ws,sok,ts:df,ecn:0
sig   = 6:64:0:*:65535,*:mss,nop,ws,sok,ts:flow:0
sig   = 6:64:0:*:65535,*:mss,nop,ws,sok,ts:flow,ecn:0

; Source: FreeBSD's source, as above, with an identification that counts.
label = s:unix:FreeBSD:7-10
class = server
sig   = *:64:0:*:65535,*:mss,nop,ws,sok,ts:df,id+:0

; Source: FreeBSD's source, 4.x: net.inet.tcp.recvspace 57344, later 65536 (scale 1); no selective acknowledgement.
label = s:unix:FreeBSD:4-5
class = server
sig   = *:64:0:*:57344,0:mss,nop,ws,nop,nop,ts:df,id+:0
sig   = *:64:0:*:65535,1:mss,nop,ws,nop,nop,ts:df,id+:0
sig   = 6:64:0:*:57344,0:mss,nop,ws,nop,nop,ts:flow:0

; Source: tcp_addoptions(), as above; any window (SO_RCVBUF, net.inet.tcp.recvspace). With a counting identification
; not scale 8: that is Windows behind something that sets the TTL.
label = g:unix:FreeBSD:
class = server
sig   = *:64:0:*:*,*:mss,nop,ws,sok,ts:df:0
sig   = *:64:0:*:*,0:mss,nop,ws,sok,ts:df,id+:0
sig   = *:64:0:*:*,1:mss,nop,ws,sok,ts:df,id+:0
sig   = *:64:0:*:*,2:mss,nop,ws,sok,ts:df,id+:0
sig   = *:64:0:*:*,3:mss,nop,ws,sok,ts:df,id+:0
sig   = *:64:0:*:*,4:mss,nop,ws,sok,ts:df,id+:0
sig   = *:64:0:*:*,5:mss,nop,ws,sok,ts:df,id+:0
sig   = *:64:0:*:*,6:mss,nop,ws,sok,ts:df,id+:0
sig   = *:64:0:*:*,7:mss,nop,ws,sok,ts:df,id+:0
sig   = *:64:0:*:*,9:mss,nop,ws,sok,ts:df,id+:0
sig   = 6:64:0:*:*,*:mss,nop,ws,sok,ts:flow:0

; Source: OpenBSD's source: tcp_output() and syn_cache_respond() give the layout, tcp_recvspace is 16384,
; identifications are random.
label = s:unix:OpenBSD:
class = server
sig   = *:64:0:*:16384,*:mss,nop,nop,sok,nop,ws,nop,nop,ts:df,id+:0
sig   = 6:64:0:*:16384,*:mss,nop,nop,sok,nop,ws,nop,nop,ts:flow:0

; Source: NetBSD's source: tcp_output() for a SYN, syn_cache_respond() for the answer, which padded options one by one
; until a release of about 2017 and does as FreeBSD's since; net.inet.tcp.recvspace is 32768; identification 0 for
; packets with DF; the clock of timestamps begins at 0 for each connection in older releases (ts1-).
label = s:unix:NetBSD:
class = server
sig   = *:64:0:*:32768,*:mss,nop,ws,sok,nop,nop,nop,nop,ts:df:0
sig   = *:64:0:*:32768,*:mss,nop,ws,sok,nop,nop,nop,nop,ts:df,id+:0
sig   = *:64:0:*:32768,*:mss,nop,ws,sok,nop,nop,nop,nop,ts:df,ts1-:0
sig   = 6:64:0:*:32768,*:mss,nop,ws,sok,nop,nop,nop,nop,ts:flow:0

; Source: Oracle's "Tunable Parameters": tcp_recv_hiwat 49152, rounded up to a multiple of the MSS: 34 * 1460 = 49640.
label = s:unix:Solaris:10
class = server
sig   = *:64:0:*:mss*34,0:mss,nop,ws,nop,nop,sok:df,id+:0

[tcp:response]

; Source: FreeBSD's source: tcp_addoptions() gives the layout (since 7), net.inet.ip.rfc6864 = 1 identification 0 for
; packets with DF (since 11); net.inet.tcp.recvspace 65536, of which 65535 can be written. Many appliances are FreeBSD
; (pfSense, OPNsense, TrueNAS, NetApp).
label = s:unix:FreeBSD:11 or newer
class = server
sig   = *:64:0:*:65535,*:mss,nop,ws,sok,ts:df:0
sig   = *:64:0:*:65535,*:mss,nop,ws,sok,ts:df,ecn:0
sig   = 6:64:0:*:65535,*:mss,nop,ws,sok,ts:flow:0
sig   = 6:64:0:*:65535,*:mss,nop,ws,sok,ts:flow,ecn:0

; Source: FreeBSD's source, as above, with an identification that counts.
label = s:unix:FreeBSD:7-10
class = server
sig   = *:64:0:*:65535,*:mss,nop,ws,sok,ts:df,id+:0

; Source: tcp_addoptions(): the end of options pads to four bytes. Mac OS X up to 10.11 has the same; the class is the
; one that raises no alarm.
label = s:unix:FreeBSD:7 or newer, for a client without timestamps
class = server
sig   = *:64:0:*:65535,3:mss,nop,ws,sok,eol+1:df,id+:0
sig   = *:64:0:*:65535,4:mss,nop,ws,sok,eol+1:df,id+:0
sig   = *:64:0:*:65535,6:mss,nop,ws,sok,eol+1:df,id+:0
sig   = *:64:0:*:65535,7:mss,nop,ws,sok,eol+1:df,id+:0
sig   = *:64:0:*:65535,8:mss,nop,ws,sok,eol+1:df,id+:0
sig   = *:64:0:*:65535,7:mss,nop,ws,sok,eol+1:df:0
sig   = *:64:0:*:65535,8:mss,nop,ws,sok,eol+1:df:0
sig   = *:64:0:*:65535,9:mss,nop,ws,sok,eol+1:df:0

; Source: FreeBSD's source, 4.x: net.inet.tcp.recvspace 57344, timestamps, no selective acknowledgement.
label = s:unix:FreeBSD:4-5
class = server
sig   = *:64:0:*:57344,0:mss,nop,ws,nop,nop,ts:df,id+:0
sig   = *:64:0:*:57344,0:mss,nop,ws,nop,nop,ts:df:0
sig   = 6:64:0:*:57344,0:mss,nop,ws,nop,nop,ts:flow:0

; Source: tcp_addoptions(), as above; any window (SO_RCVBUF, net.inet.tcp.recvspace). With a counting identification
; not scale 8: that is Windows behind something that sets the TTL.
label = g:unix:FreeBSD:
class = server
sig   = *:64:0:*:*,*:mss,nop,ws,sok,ts:df:0
sig   = *:64:0:*:*,0:mss,nop,ws,sok,ts:df,id+:0
sig   = *:64:0:*:*,1:mss,nop,ws,sok,ts:df,id+:0
sig   = *:64:0:*:*,2:mss,nop,ws,sok,ts:df,id+:0
sig   = *:64:0:*:*,3:mss,nop,ws,sok,ts:df,id+:0
sig   = *:64:0:*:*,4:mss,nop,ws,sok,ts:df,id+:0
sig   = *:64:0:*:*,5:mss,nop,ws,sok,ts:df,id+:0
sig   = *:64:0:*:*,6:mss,nop,ws,sok,ts:df,id+:0
sig   = *:64:0:*:*,7:mss,nop,ws,sok,ts:df,id+:0
sig   = *:64:0:*:*,9:mss,nop,ws,sok,ts:df,id+:0
sig   = 6:64:0:*:*,*:mss,nop,ws,sok,ts:flow:0

; Source: OpenBSD's source: tcp_output() and syn_cache_respond() give the layout, tcp_recvspace is 16384,
; identifications are random.
label = s:unix:OpenBSD:
class = server
sig   = *:64:0:*:16384,*:mss,nop,nop,sok,nop,ws,nop,nop,ts:df,id+:0
sig   = 6:64:0:*:16384,*:mss,nop,nop,sok,nop,ws,nop,nop,ts:flow:0

; Source: NetBSD's source: tcp_output() for a SYN, syn_cache_respond() for the answer, which padded options one by one
; until a release of about 2017 and does as FreeBSD's since; net.inet.tcp.recvspace is 32768; identification 0 for
; packets with DF; the clock of timestamps begins at 0 for each connection in older releases (ts1-).
label = s:unix:NetBSD:
class = server
sig   = *:64:0:*:32768,*:mss,nop,ws,nop,nop,ts,sok,nop,nop:df:0
sig   = *:64:0:*:32768,*:mss,nop,ws,nop,nop,ts,sok,nop,nop:df,id+:0
sig   = *:64:0:*:32768,*:mss,nop,ws,nop,nop,ts,sok,nop,nop:df,ts1-:0
sig   = 6:64:0:*:32768,*:mss,nop,ws,nop,nop,ts,sok,nop,nop:flow:0
sig   = *:64:0:*:32768,*:mss,nop,ws,sok,ts:df:0

; Source: Oracle's "Tunable Parameters": tcp_recv_hiwat 49152, rounded up to a multiple of the MSS: 34 * 1460 = 49640.
label = s:unix:Solaris:10
class = server
sig   = *:64:0:*:mss*34,0:nop,nop,ts,mss,nop,ws,nop,nop,sok:df,id+:0
sig   = *:64:0:*:mss*34,0:mss,nop,ws,nop,nop,sok:df,id+:0
