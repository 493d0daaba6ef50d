; SPDX-License-Identifier: LGPL-2.1-or-later
; Windows as the client (SYN) and as the server (SYN+ACK).
;
; Public facts behind all entries: the initial TTL is 128 (DefaultTTL in Microsoft's "TCP/IP Registry Values"); DF
; with a counting identification (path MTU discovery is on); timestamps are off by default (Tcp1323Opts); the stack of
; Vista and later scales by 8 (receive window auto-tuning, level normal). The window of Windows 10 moved from 8192 to
; 65535 and 64240 between builds, and services choose their own, so the release is told from no window alone.

classes = win,unix,other

[tcp:request]

; Source: scale 8 is Microsoft's receive window auto-tuning (level normal). The window of releases since 2017 is
; publicly known from captures whose User-Agent says Windows NT 10.0: 65535, or 64240 = 44 * 1460 (45 * 1440 over
; IPv6). Microsoft does not document it.
label = s:win:Windows:10, 11, Server 2016 or newer
class = client
sig   = *:128:0:*:65535,8:mss,nop,ws,nop,nop,sok:df,id+:0
sig   = 6:128:0:*:65535,8:mss,nop,ws,nop,nop,sok:flow:0
sig   = *:128:0:*:mss*44,8:mss,nop,ws,nop,nop,sok:df,id+:0
sig   = 6:128:0:*:mss*44,8:mss,nop,ws,nop,nop,sok:flow:0
sig   = *:128:0:*:mss*45,8:mss,nop,ws,nop,nop,sok:df,id+:0
sig   = 6:128:0:*:mss*45,8:mss,nop,ws,nop,nop,sok:flow:0
sig   = *:128:0:*:mss*46,8:mss,nop,ws,nop,nop,sok:df,id+:0
sig   = 6:128:0:*:mss*46,8:mss,nop,ws,nop,nop,sok:flow:0
sig   = *:128:0:*:mss*47,8:mss,nop,ws,nop,nop,sok:df,id+:0
sig   = 6:128:0:*:mss*47,8:mss,nop,ws,nop,nop,sok:flow:0

; Source: Microsoft's documentation of receive window auto-tuning: a SYN begins with 8192 and scale 8; 2 with the
; level "restricted" and with applications that set a buffer.
label = s:win:Windows:Vista, 7, 8, 10 or Server 2008-2016
class = client
sig   = *:128:0:*:8192,8:mss,nop,ws,nop,nop,sok:df,id+:0
sig   = 6:128:0:*:8192,8:mss,nop,ws,nop,nop,sok:flow:0
sig   = *:128:0:*:8192,2:mss,nop,ws,nop,nop,sok:df,id+:0
sig   = 6:128:0:*:8192,2:mss,nop,ws,nop,nop,sok:flow:0
sig   = *:128:0:*:8192,0:mss,nop,ws,nop,nop,sok:df,id+:0
sig   = 6:128:0:*:8192,0:mss,nop,ws,nop,nop,sok:flow:0
sig   = *:128:0:*:8192,4:mss,nop,ws,nop,nop,sok:df,id+:0
sig   = 6:128:0:*:8192,4:mss,nop,ws,nop,nop,sok:flow:0

; Source: tcpip.sys of Vista and later: this order of options with TTL 128; any window (SO_RCVBUF, proxies, drivers).
; With ECN: "netsh interface tcp set global ecncapability=enabled", the default of Server 2012 and later.
label = g:win:Windows:Vista or newer
class = client
sig   = *:128:0:*:*,*:mss,nop,ws,nop,nop,sok:df,id+:0
sig   = *:128:0:*:*,*:mss,nop,ws,nop,nop,sok:df,id+,ecn:0
sig   = *:128:0:*:*,*:mss,nop,ws,nop,nop,sok:df:0
sig   = 6:128:0:*:*,*:mss,nop,ws,nop,nop,sok:flow:0
sig   = 6:128:0:*:*,*:mss,nop,ws,nop,nop,sok:flow,ecn:0

; Source: the same over IPv6: the hop limit is that of the router's advertisement (RFC 4861, Cur Hop Limit), which is
; 64 almost everywhere.
label = s:win:Windows:Vista or newer
class = client
sig   = 6:64:0:*:*,2:mss,nop,ws,nop,nop,sok:flow:0
sig   = 6:64:0:*:*,8:mss,nop,ws,nop,nop,sok:flow:0
sig   = 6:64:0:*:8192,8:mss,nop,ws,nop,nop,sok::0

; Source: the same with "netsh interface tcp set global timestamps=enabled"; RFC 7323.
label = g:win:Windows:Vista or newer, timestamps on
class = client
sig   = *:128:0:*:*,*:mss,nop,ws,sok,ts:df,id+:0
sig   = *:128:0:*:*,*:mss,nop,ws,sok,ts:df,id+,ecn:0
sig   = 6:128:0:*:*,*:mss,nop,ws,sok,ts:flow:0

; Source: Microsoft's "TCP/IP Registry Values": TcpWindowSize is 16384, on fast links 65535 or 64240 (44 * 1460) as a
; multiple of the MSS; no window scaling unless Tcp1323Opts asks for it.
label = s:win:Windows:XP, 2000 or Server 2003
class = client
sig   = *:128:0:*:16384,0:mss,nop,nop,sok:df,id+:0
sig   = *:128:0:*:65535,0:mss,nop,nop,sok:df,id+:0
sig   = *:128:0:*:mss*44,0:mss,nop,nop,sok:df,id+:0

; Source: no window scaling: XP and older by default, later ones with "autotuninglevel=disabled"; any window.
label = g:win:Windows:
class = client
sig   = *:128:0:*:*,0:mss,nop,nop,sok:df,id+:0
sig   = *:128:0:*:*,0:mss,sok,ts:df,id+:0

; Source: Tcp1323Opts = 3 of the same document; that stack sends the first timestamp as 0 (RFC 1323 asks for no
; value).
label = s:win:Windows:XP, 2000 or Server 2003, timestamps on
class = client
sig   = *:128:0:*:*,*:mss,nop,ws,nop,nop,ts,nop,nop,sok:df,id+,ts1-:0

[tcp:response]

; Source: as the SYN; in an answer the class is that of a server, because the editions for servers have the same
; stack.
label = s:win:Windows:10, 11, Server 2016 or newer
class = server
sig   = *:128:0:*:65535,8:mss,nop,ws,nop,nop,sok:df,id+:0
sig   = 6:128:0:*:65535,8:mss,nop,ws,nop,nop,sok:flow:0
sig   = *:128:0:*:mss*44,8:mss,nop,ws,nop,nop,sok:df,id+:0
sig   = 6:128:0:*:mss*44,8:mss,nop,ws,nop,nop,sok:flow:0
sig   = *:128:0:*:65535,8:mss,nop,ws,sok,ts:df,id+:0
sig   = 6:128:0:*:65535,8:mss,nop,ws,sok,ts:flow:0

; Source: as the SYN. Kept apart from the newer ones: 8192 is the window of Windows 7 and 8 at the desk and of Server
; 2008 and 2012.
label = s:win:Windows:Vista, 7, 8, 10 or Server 2008-2016
class = server
sig   = *:128:0:*:8192,8:mss,nop,ws,nop,nop,sok:df,id+:0
sig   = 6:128:0:*:8192,8:mss,nop,ws,nop,nop,sok:flow:0
sig   = *:128:0:*:8192,0:mss,nop,ws,nop,nop,sok:df,id+:0
sig   = 6:128:0:*:8192,0:mss,nop,ws,nop,nop,sok:flow:0
sig   = *:128:0:*:8192,8:mss,nop,ws,sok,ts:df,id+:0
sig   = 6:128:0:*:8192,8:mss,nop,ws,sok,ts:flow:0

; Source: as the SYN.
label = g:win:Windows:Vista or newer
class = server
sig   = *:128:0:*:*,*:mss,nop,ws,nop,nop,sok:df,id+:0
sig   = *:128:0:*:*,*:mss,nop,ws,nop,nop,sok:df,id+,ecn:0
sig   = *:128:0:*:*,*:mss,nop,ws,nop,nop,sok:df:0
sig   = 6:128:0:*:*,*:mss,nop,ws,nop,nop,sok:flow:0
sig   = *:128:0:*:*,*:mss,nop,ws,sok,ts:df,id+:0
sig   = *:128:0:*:*,*:mss,nop,ws,sok,ts:df,id+,ecn:0
sig   = *:128:0:*:*,*:mss,nop,ws,sok,ts:df:0
sig   = 6:128:0:*:*,*:mss,nop,ws,sok,ts:flow:0

; Source: the same over IPv6: the hop limit is that of the router's advertisement (RFC 4861, Cur Hop Limit), which is
; 64 almost everywhere.
label = s:win:Windows:Vista or newer
class = server
sig   = 6:64:0:*:*,2:mss,nop,ws,nop,nop,sok:flow:0
sig   = 6:64:0:*:*,8:mss,nop,ws,nop,nop,sok:flow:0
sig   = 6:64:0:*:8192,8:mss,nop,ws,nop,nop,sok::0

; Source: Windows answers an MSS alone with 8192 as its SYN; DF and a counting identification as above. 65535 is left
; out: macOS, FreeBSD and user-mode stacks answer so too, and a wrong name costs more than none.
label = s:win:Windows:for a client without window scale
class = server
sig   = *:128:0:*:8192,0:mss:df,id+:0
sig   = *:128:0:*:8192,0:mss,nop,nop,sok:df,id+:0

; Source: Microsoft's "TCP/IP Registry Values", see the SYN: XP on fast links has 65535 or 64240 (44 * 1460), and so has
; Server 2003. Windows 10 and Server 2016 have the same windows, and answer so to a client without window scaling.
label = s:win:Windows:XP, Server 2003, or newer for a client without window scale
class = server
sig   = *:128:0:*:65535,0:mss,nop,nop,sok:df,id+:0
sig   = *:128:0:*:mss*44,0:mss,nop,nop,sok:df,id+:0

; Source: the same document: TcpWindowSize is 16384. Server 2003 was the server of that stack (IIS 6) and answers with
; and without DF.
label = s:win:Windows:Server 2003 or 2000
class = server
sig   = *:128:0:*:16384,0:mss,nop,nop,sok:df,id+:0
sig   = 4:128:0:*:16384,0:mss,nop,nop,sok::0
sig   = 4:128:0:*:16384,0:mss,nop,ws,nop,nop,sok::0
sig   = *:128:0:*:16384,0:mss:df,id+:0

; Source: Tcp1323Opts, see the SYN; for a client with timestamps.
label = s:win:Windows:XP, 2000 or Server 2003, timestamps on
class = server
sig   = *:128:0:*:*,0:mss,nop,ws,nop,nop,ts,nop,nop,sok:df,id+,ts1-:0
sig   = 4:128:0:*:*,0:mss,nop,ws,nop,nop,ts,nop,nop,sok:ts1-:0

; Source: for a client without window scaling, any window.
label = g:win:Windows:
class = server
sig   = *:128:0:*:*,0:mss,nop,nop,sok:df,id+:0
sig   = *:128:0:*:*,0:mss,sok,ts:df,id+:0
