; SPDX-License-Identifier: LGPL-2.1-or-later
; Load balancers, routers and embedded stacks: what is no general-purpose system.
;
; HAProxy, nginx and the load balancers of cloud providers run on Linux and have its fingerprints (linux.fp).

classes = win,unix,other

[tcp:request]

; Source: Cisco's documentation, "ip tcp window-size": default 4128 bytes; TTL 255; MSS alone, no DF unless "ip tcp
; path-mtu-discovery" is set.
label = s:other:Cisco IOS:
class = embedded
sig   = *:255:0:*:4128,0:mss::0
sig   = *:255:0:*:4128,0:mss:df,id+:0

; Source: lwIP's source, opt.h: TCP_WND is 4 * TCP_MSS, IP_DEFAULT_TTL 255, MSS the only option, no DF. Measured here:
; liblwip of Debian 12 (window 65535, MSS 1460, scale 1): TTL 255, no DF, identifications count from 0, so that the
; first is 0; with LWIP_WND_SCALE the layout is mss,nop,ws.
label = s:other:lwIP:
class = embedded
sig   = *:255:0:*:mss*4,0:mss::0
sig   = 4:255:0:*:mss*4,0:mss:id-:0
sig   = *:255:0:*:*,*:mss,nop,ws::0
sig   = 4:255:0:*:*,*:mss,nop,ws:id-:0

; Source: FreeRTOS+TCP's source, FreeRTOS_TCP_Transmission.c: the layout is that of Windows; ipconfigTCP_TIME_TO_LIVE
; is 128 by default, 64 in older releases; windows are a few segments of its buffers; no DF
; (ipconfigFORCE_IP_DONT_FRAGMENT is 0), identifications count. Without DF it is told from Windows.
label = s:other:FreeRTOS+TCP:
class = embedded
sig   = 4:128:0:*:mss*1,0:mss,nop,ws,nop,nop,sok::0
sig   = 4:128:0:*:mss*2,0:mss,nop,ws,nop,nop,sok::0
sig   = 4:128:0:*:mss*4,0:mss,nop,ws,nop,nop,sok::0
sig   = 4:128:0:*:mss*8,0:mss,nop,ws,nop,nop,sok::0
sig   = 4:64:0:*:mss*1,0:mss,nop,ws,nop,nop,sok::0
sig   = 4:64:0:*:mss*2,0:mss,nop,ws,nop,nop,sok::0
sig   = 4:64:0:*:mss*4,0:mss,nop,ws,nop,nop,sok::0
sig   = 4:64:0:*:mss*8,0:mss,nop,ws,nop,nop,sok::0

; Source: ESP-IDF's documentation: CONFIG_LWIP_TCP_WND_DEFAULT 5744 or 5760 = 4 segments of 1436 or 1440, TTL 64.
label = s:other:lwIP:ESP32
class = embedded
sig   = *:64:0:1436:mss*4,0:mss::0
sig   = *:64:0:1440:mss*4,0:mss::0

[tcp:response]

; Source: as the SYN.
label = s:other:Cisco IOS:
class = embedded
sig   = *:255:0:*:4128,0:mss::0
sig   = *:255:0:*:4128,0:mss:df,id+:0

; Source: as the SYN; measured here likewise.
label = s:other:lwIP:
class = embedded
sig   = *:255:0:*:mss*4,0:mss::0
sig   = 4:255:0:*:mss*4,0:mss:id-:0
sig   = *:255:0:*:*,*:mss,nop,ws::0
sig   = 4:255:0:*:*,*:mss,nop,ws:id-:0

; Source: as the SYN: FreeRTOS+TCP's source, FreeRTOS_TCP_Transmission.c: the layout is that of Windows;
; ipconfigTCP_TIME_TO_LIVE is 128 by default, 64 in older releases; windows are a few segments of its buffers; no DF
; (ipconfigFORCE_IP_DONT_FRAGMENT is 0), identifications count. Without DF it is told from Windows.
label = s:other:FreeRTOS+TCP:
class = embedded
sig   = 4:128:0:*:mss*1,0:mss,nop,ws,nop,nop,sok::0
sig   = 4:128:0:*:mss*2,0:mss,nop,ws,nop,nop,sok::0
sig   = 4:128:0:*:mss*4,0:mss,nop,ws,nop,nop,sok::0
sig   = 4:128:0:*:mss*8,0:mss,nop,ws,nop,nop,sok::0
sig   = 4:64:0:*:mss*1,0:mss,nop,ws,nop,nop,sok::0
sig   = 4:64:0:*:mss*2,0:mss,nop,ws,nop,nop,sok::0
sig   = 4:64:0:*:mss*4,0:mss,nop,ws,nop,nop,sok::0
sig   = 4:64:0:*:mss*8,0:mss,nop,ws,nop,nop,sok::0

; Source: as the SYN.
label = s:other:lwIP:ESP32
class = embedded
sig   = *:64:0:1436:mss*4,0:mss::0
sig   = *:64:0:1440:mss*4,0:mss::0

; Source: F5's documentation of TCP profiles: the initial receive window is 3 segments (4380 for an MSS of 1460); TTL
; 255 ("ip-ttl-mode"). The order is that of BSD, for clients without timestamps.
label = s:other:F5 BIG-IP:
class = server
sig   = *:255:0:*:mss*3,0:mss,sok,eol+1:df,id+:0
sig   = *:255:0:*:mss*3,*:mss,nop,ws,sok,eol+1:df,id+:0
sig   = *:255:0:*:mss*3,0:mss:df,id+:0
sig   = *:255:0:*:4380,0:mss,sok,eol+1:df,id+:0
sig   = *:255:0:*:4380,*:mss,nop,ws,sok,eol+1:df,id+:0

; Source: Citrix's documentation of TCP profiles: the default buffer is 8190 bytes; TTL 255; window scaling and
; selective acknowledgement are switched on by profile.
label = s:other:Citrix NetScaler:
class = server
sig   = *:255:0:*:8190,0:mss:df,id+:0
sig   = *:255:0:*:8190,*:mss,nop,ws:df,id+:0
sig   = *:255:0:*:8190,*:mss,nop,ws,nop,nop,sok:df,id+:0
sig   = 4:255:0:*:8190,*:mss,nop,ws,nop,nop,sok::0
sig   = *:255:0:*:8190,0:mss,nop,nop,sok:df,id+:0
