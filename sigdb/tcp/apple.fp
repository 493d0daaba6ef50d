; SPDX-License-Identifier: LGPL-2.1-or-later
; macOS, iOS and their relatives (XNU).
;
; Public facts behind all entries, in XNU's published source (bsd/netinet): tcp_output() gives the layout of a BSD of
; 2004, with selective acknowledgement last and the end of options behind it; TTL 64 (net.inet.ip.ttl); the window is
; 65535; the scale follows from net.inet.tcp.recvspace and autorcvbufmax and grew with releases: 3 and 4 up to 10.9, 5
; up to 10.13, 6 since. Since 10.12 and iOS 10 packets with DF have identification 0 (RFC 6864). Macs and telephones
; have one stack: the release is hinted at, the device is not.

classes = win,unix,other

[tcp:request]

; Source: XNU's source, see above: scale 6 or 7 and identification 0. ECN is asked for since macOS 10.11 and iOS 9
; (Apple, WWDC 2015, "Your App and Next Generation Networks").
label = s:unix:macOS or iOS:(since 10.14 or 12)
class = client
sig   = *:64:0:*:65535,6:mss,nop,ws,nop,nop,ts,sok,eol+1:df:0
sig   = 6:64:0:*:65535,6:mss,nop,ws,nop,nop,ts,sok,eol+1:flow:0
sig   = *:64:0:*:65535,7:mss,nop,ws,nop,nop,ts,sok,eol+1:df:0
sig   = 6:64:0:*:65535,7:mss,nop,ws,nop,nop,ts,sok,eol+1:flow:0
sig   = *:64:0:*:65535,6:mss,nop,ws,nop,nop,ts,sok,eol+1:df,ecn:0
sig   = 6:64:0:*:65535,6:mss,nop,ws,nop,nop,ts,sok,eol+1:flow,ecn:0

; Source: XNU's source, see above: scale 5.
label = s:unix:macOS or iOS:(10.10-10.13 or 8-11)
class = client
sig   = *:64:0:*:65535,5:mss,nop,ws,nop,nop,ts,sok,eol+1:df:0
sig   = 6:64:0:*:65535,5:mss,nop,ws,nop,nop,ts,sok,eol+1:flow:0
sig   = *:64:0:*:65535,5:mss,nop,ws,nop,nop,ts,sok,eol+1:df,id+:0
sig   = *:64:0:*:65535,5:mss,nop,ws,nop,nop,ts,sok,eol+1:df,ecn:0
sig   = *:64:0:*:65535,5:mss,nop,ws,nop,nop,ts,sok,eol+1:df,id+,ecn:0
sig   = 6:64:0:*:65535,5:mss,nop,ws,nop,nop,ts,sok,eol+1:flow,ecn:0

; Source: XNU's source, see above: scales 1 to 4, counting or random identification.
label = s:unix:macOS or iOS:(10.5-10.9 or 3-7)
class = client
sig   = *:64:0:*:65535,1:mss,nop,ws,nop,nop,ts,sok,eol+1:df,id+:0
sig   = *:64:0:*:65535,2:mss,nop,ws,nop,nop,ts,sok,eol+1:df,id+:0
sig   = *:64:0:*:65535,3:mss,nop,ws,nop,nop,ts,sok,eol+1:df,id+:0
sig   = *:64:0:*:65535,4:mss,nop,ws,nop,nop,ts,sok,eol+1:df,id+:0
sig   = 6:64:0:*:65535,1:mss,nop,ws,nop,nop,ts,sok,eol+1:flow:0
sig   = 6:64:0:*:65535,2:mss,nop,ws,nop,nop,ts,sok,eol+1:flow:0
sig   = 6:64:0:*:65535,3:mss,nop,ws,nop,nop,ts,sok,eol+1:flow:0
sig   = 6:64:0:*:65535,4:mss,nop,ws,nop,nop,ts,sok,eol+1:flow:0

; Source: XNU's source, see above; any scale but 0, which FreeBSD 5 and 6 share, is rare elsewhere.
label = g:unix:macOS or iOS:
class = client
sig   = *:64:0:*:65535,*:mss,nop,ws,nop,nop,ts,sok,eol+1:df:0
sig   = *:64:0:*:65535,*:mss,nop,ws,nop,nop,ts,sok,eol+1:df,ecn:0
sig   = *:64:0:*:65535,*:mss,nop,ws,nop,nop,ts,sok,eol+1:df,id+:0
sig   = 6:64:0:*:65535,*:mss,nop,ws,nop,nop,ts,sok,eol+1:flow:0
sig   = 6:64:0:*:65535,*:mss,nop,ws,nop,nop,ts,sok,eol+1:flow,ecn:0

; Source: XNU's source up to xnu-792: no selective acknowledgement, a receive buffer of 32768 or 65535 without scale.
label = s:unix:Mac OS X:10.2-10.4
class = client
sig   = *:64:0:*:65535,0:mss,nop,ws,nop,nop,ts:df,id+:0
sig   = *:64:0:*:32768,0:mss,nop,ws,nop,nop,ts:df,id+:0

; Source: XNU's source, tcp_output(): the cookie (option 34) follows selective acknowledgement; RFC 7413. With data in
; the SYN where the cookie is known.
label = s:unix:macOS or iOS:with TCP Fast Open
class = client
sig   = *:64:0:*:65535,*:mss,nop,ws,nop,nop,ts,sok,?34:df:*

[tcp:response]

; Source: XNU's source, see above: scale 6 or 7 and identification 0. ECN is asked for since macOS 10.11 and iOS 9
; (Apple, WWDC 2015, "Your App and Next Generation Networks").
label = s:unix:macOS or iOS:(since 10.14 or 12)
class = client
sig   = *:64:0:*:65535,6:mss,nop,ws,nop,nop,ts,sok,eol+1:df:0
sig   = 6:64:0:*:65535,6:mss,nop,ws,nop,nop,ts,sok,eol+1:flow:0
sig   = *:64:0:*:65535,7:mss,nop,ws,nop,nop,ts,sok,eol+1:df:0
sig   = 6:64:0:*:65535,7:mss,nop,ws,nop,nop,ts,sok,eol+1:flow:0
sig   = *:64:0:*:65535,6:mss,nop,ws,nop,nop,ts,sok,eol+1:df,ecn:0
sig   = 6:64:0:*:65535,6:mss,nop,ws,nop,nop,ts,sok,eol+1:flow,ecn:0

; Source: XNU's source, see above: scale 5.
label = s:unix:macOS or iOS:(10.10-10.13 or 8-11)
class = client
sig   = *:64:0:*:65535,5:mss,nop,ws,nop,nop,ts,sok,eol+1:df:0
sig   = 6:64:0:*:65535,5:mss,nop,ws,nop,nop,ts,sok,eol+1:flow:0
sig   = *:64:0:*:65535,5:mss,nop,ws,nop,nop,ts,sok,eol+1:df,id+:0
sig   = *:64:0:*:65535,5:mss,nop,ws,nop,nop,ts,sok,eol+1:df,ecn:0
sig   = *:64:0:*:65535,5:mss,nop,ws,nop,nop,ts,sok,eol+1:df,id+,ecn:0
sig   = 6:64:0:*:65535,5:mss,nop,ws,nop,nop,ts,sok,eol+1:flow,ecn:0

; Source: XNU's source, see above: scales 1 to 4, counting or random identification.
label = s:unix:macOS or iOS:(10.5-10.9 or 3-7)
class = client
sig   = *:64:0:*:65535,1:mss,nop,ws,nop,nop,ts,sok,eol+1:df,id+:0
sig   = *:64:0:*:65535,2:mss,nop,ws,nop,nop,ts,sok,eol+1:df,id+:0
sig   = *:64:0:*:65535,3:mss,nop,ws,nop,nop,ts,sok,eol+1:df,id+:0
sig   = *:64:0:*:65535,4:mss,nop,ws,nop,nop,ts,sok,eol+1:df,id+:0
sig   = 6:64:0:*:65535,1:mss,nop,ws,nop,nop,ts,sok,eol+1:flow:0
sig   = 6:64:0:*:65535,2:mss,nop,ws,nop,nop,ts,sok,eol+1:flow:0
sig   = 6:64:0:*:65535,3:mss,nop,ws,nop,nop,ts,sok,eol+1:flow:0
sig   = 6:64:0:*:65535,4:mss,nop,ws,nop,nop,ts,sok,eol+1:flow:0

; Source: XNU's source, see above; any scale but 0, which FreeBSD 5 and 6 share, is rare elsewhere.
label = g:unix:macOS or iOS:
class = client
sig   = *:64:0:*:65535,*:mss,nop,ws,nop,nop,ts,sok,eol+1:df:0
sig   = *:64:0:*:65535,*:mss,nop,ws,nop,nop,ts,sok,eol+1:df,ecn:0
sig   = *:64:0:*:65535,*:mss,nop,ws,nop,nop,ts,sok,eol+1:df,id+:0
sig   = 6:64:0:*:65535,*:mss,nop,ws,nop,nop,ts,sok,eol+1:flow:0
sig   = 6:64:0:*:65535,*:mss,nop,ws,nop,nop,ts,sok,eol+1:flow,ecn:0

; Source: XNU's source, tcp_output(): the cookie (option 34) follows selective acknowledgement; RFC 7413. With data in
; the SYN where the cookie is known.
label = s:unix:macOS or iOS:with TCP Fast Open
class = client
sig   = *:64:0:*:65535,*:mss,nop,ws,nop,nop,ts,sok,?34:df:*

; Source: XNU's source, see above. FreeBSD up to 10 has the same with a counting identification (bsd.fp); FreeBSD 11
; and later differ in nothing, but rarely scale by 5.
label = s:unix:macOS or iOS:for a client without timestamps
class = client
sig   = *:64:0:*:65535,5:mss,nop,ws,sok,eol+1:df:0
