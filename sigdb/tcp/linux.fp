; SPDX-License-Identifier: LGPL-2.1-or-later
; Linux, Android included, as the client (SYN) and as the server (SYN+ACK).
;
; What all entries rest on, in the kernel's source: tcp_options_write() gives the layout; ip_default_ttl is 64; a SYN
; has DF and an identification, a SYN+ACK DF and identification 0; since 4.2 IPv6 packets have a flow label
; (auto_flowlabels). The window is a multiple of the MSS (without the 12 bytes of timestamps in a SYN+ACK), because
; tcp_select_initial_window() rounds it down; the multiple tells the version. The window scale follows from the
; largest receive buffer, that is from memory and settings, so it is not looked at.
;
; A distribution's kernel is named by what it holds: changes to the window were ported back to older ones.

classes = win,unix,other

[tcp:request]

; Source: measured on kernel 6.18 with curl, sshd, nginx and python (window 64240 = 44 * 1460, MTU 1500); kernel
; source, 4.20: default receive buffer 131072, half of which is the window, at most 65535, rounded down to the MSS.
; Hence 44 for an MSS of 1460, 45 for 1440 (IPv6) and 1452 (PPPoE), up to 53 for 1220 (smallest IPv6), 7 for jumbo
; frames.
label = s:unix:Linux:4.20 or newer
class = server
sig   = *:64:0:*:mss*44,*:mss,sok,ts,nop,ws:df,id+:0
sig   = *:64:0:*:mss*45,*:mss,sok,ts,nop,ws:df,id+:0
sig   = *:64:0:*:mss*46,*:mss,sok,ts,nop,ws:df,id+:0
sig   = *:64:0:*:mss*47,*:mss,sok,ts,nop,ws:df,id+:0
sig   = *:64:0:*:mss*48,*:mss,sok,ts,nop,ws:df,id+:0
sig   = *:64:0:*:mss*49,*:mss,sok,ts,nop,ws:df,id+:0
sig   = *:64:0:*:mss*50,*:mss,sok,ts,nop,ws:df,id+:0
sig   = *:64:0:*:mss*51,*:mss,sok,ts,nop,ws:df,id+:0
sig   = *:64:0:*:mss*52,*:mss,sok,ts,nop,ws:df,id+:0
sig   = *:64:0:*:mss*53,*:mss,sok,ts,nop,ws:df,id+:0
sig   = *:64:0:*:mss*7,*:mss,sok,ts,nop,ws:df,id+:0
sig   = 6:64:0:*:mss*44,*:mss,sok,ts,nop,ws:flow:0
sig   = 6:64:0:*:mss*45,*:mss,sok,ts,nop,ws:flow:0
sig   = 6:64:0:*:mss*46,*:mss,sok,ts,nop,ws:flow:0
sig   = 6:64:0:*:mss*47,*:mss,sok,ts,nop,ws:flow:0
sig   = 6:64:0:*:mss*48,*:mss,sok,ts,nop,ws:flow:0
sig   = 6:64:0:*:mss*49,*:mss,sok,ts,nop,ws:flow:0
sig   = 6:64:0:*:mss*50,*:mss,sok,ts,nop,ws:flow:0
sig   = 6:64:0:*:mss*51,*:mss,sok,ts,nop,ws:flow:0
sig   = 6:64:0:*:mss*52,*:mss,sok,ts,nop,ws:flow:0
sig   = 6:64:0:*:mss*53,*:mss,sok,ts,nop,ws:flow:0
sig   = 6:64:0:*:mss*7,*:mss,sok,ts,nop,ws:flow:0

; Source: measured on kernel 6.18: the loopback's MTU of 65536 gives an MSS of 65495 and a window of one segment;
; kernels 3.x to 4.19 announce 43690 = 2/3 of 65535 there (default receive buffer 87380, adv_win_scale).
label = s:unix:Linux:4.20 or newer (loopback)
class = server
sig   = 4:64:0:65495:mss*1,*:mss,sok,ts,nop,ws:df,id+:0
sig   = 6:64:0:65476:mss*1,*:mss,sok,ts,nop,ws:flow:0
sig   = 6:64:0:65476:mss*1,*:mss,sok,ts,nop,ws::0

; Source: kernel source: see above; 43690 = 87380 / 2.
label = s:unix:Linux:3.x-4.19 (loopback)
class = server
sig   = 4:64:0:65495:43690,*:mss,sok,ts,nop,ws:df,id+:0
sig   = 6:64:0:65476:43690,*:mss,sok,ts,nop,ws:flow:0
sig   = 6:64:0:65476:43690,*:mss,sok,ts,nop,ws::0

; Source: kernel source: TCP_DEFAULT_SCALING_RATIO of 6.6 leaves about a quarter of the default receive buffer, 22 *
; 1460; 6.10 went back to a half.
label = s:unix:Linux:6.6-6.9
class = server
sig   = *:64:0:*:mss*22,*:mss,sok,ts,nop,ws:df,id+:0
sig   = 6:64:0:*:mss*22,*:mss,sok,ts,nop,ws:flow:0

; Source: kernel source: tcp_default_init_rwnd() is 2 * TCP_INIT_CWND = 20 segments.
label = s:unix:Linux:3.11-4.19
class = server
sig   = *:64:0:*:mss*20,*:mss,sok,ts,nop,ws:df,id+:0
sig   = 6:64:0:*:mss*20,*:mss,sok,ts,nop,ws:flow:0

; Source: kernel source, 2.6.39: the initial receive window is 10 segments (TCP_DEFAULT_INIT_RCVWND). Android 4 has
; these kernels (3.0, 3.4, 3.10).
label = s:unix:Linux:2.6.39-3.10
class = server
sig   = *:64:0:*:mss*10,*:mss,sok,ts,nop,ws:df,id+:0
sig   = 6:64:0:*:mss*10,*:mss,sok,ts,nop,ws:flow:0

; Source: kernel source: tcp_select_initial_window() of these gives at most 4 segments for an MSS of 1460, 3 for small
; ones 2 for large ones.
label = s:unix:Linux:2.4-2.6.38
class = server
sig   = *:64:0:*:mss*4,*:mss,sok,ts,nop,ws:df,id+:0
sig   = 6:64:0:*:mss*4,*:mss,sok,ts,nop,ws:flow:0

; Source: Android's source: init.rc sets an initial receive window of 60 segments (net.tcp.default_init_rwnd) and
; network types have buffers of their own (net.tcp.buffersize.*), larger than 128 KiB. Kernel source: min(65535). Any
; Linux whose net.ipv4.tcp_rmem has a larger default does the same, therefore no client class.
label = s:unix:Linux:Android, or 4.20 or newer with a large receive buffer
class = server
sig   = *:64:0:*:65535,*:mss,sok,ts,nop,ws:df,id+:0
sig   = 6:64:0:*:65535,*:mss,sok,ts,nop,ws:flow:0

; Source: tcp_options_write(): this order of options is Linux's, whatever the window is (ECN: net.ipv4.tcp_ecn = 1,
; measured on kernel 6.18).
label = g:unix:Linux:
class = server
sig   = *:64:0:*:*,*:mss,sok,ts,nop,ws:df,id+:0
sig   = *:64:0:*:*,*:mss,sok,ts,nop,ws:df,id+,ecn:0
sig   = *:64:0:*:*,*:mss,sok,ts,nop,ws:df:0
sig   = 6:64:0:*:*,*:mss,sok,ts,nop,ws:flow:0
sig   = 6:64:0:*:*,*:mss,sok,ts,nop,ws:flow,ecn:0

; Source: tcp_options_write() with net.ipv4.tcp_timestamps = 0; measured on kernel 6.18.
label = g:unix:Linux:without timestamps
class = server
sig   = *:64:0:*:*,*:mss,nop,nop,sok,nop,ws:df,id+:0
sig   = *:64:0:*:*,*:mss,nop,nop,sok,nop,ws:df,id+,ecn:0
sig   = 6:64:0:*:*,*:mss,nop,nop,sok,nop,ws:flow:0

; Source: tcp_options_write() with net.ipv4.tcp_sack = 0; measured on kernel 6.18 (python -m bench.os_settings). Only
; windows that are a multiple of the MSS: old BSD systems have like options and fixed windows.
label = g:unix:Linux:without selective acknowledgement
class = server
sig   = *:64:0:*:mss*4,*:mss,nop,nop,ts,nop,ws:df,id+:0
sig   = *:64:0:*:mss*10,*:mss,nop,nop,ts,nop,ws:df,id+:0
sig   = *:64:0:*:mss*20,*:mss,nop,nop,ts,nop,ws:df,id+:0
sig   = *:64:0:*:mss*22,*:mss,nop,nop,ts,nop,ws:df,id+:0
sig   = *:64:0:*:mss*44,*:mss,nop,nop,ts,nop,ws:df,id+:0
sig   = *:64:0:*:mss*45,*:mss,nop,nop,ts,nop,ws:df,id+:0
sig   = 6:64:0:*:mss*45,*:mss,nop,nop,ts,nop,ws:flow:0

; Source: tcp_options_write() with net.ipv4.tcp_window_scaling = 0; measured on kernel 6.18 (python -m
; bench.os_settings).
label = g:unix:Linux:without window scaling
class = server
sig   = *:64:0:*:*,0:mss,sok,ts:df,id+:0
sig   = 6:64:0:*:*,0:mss,sok,ts:flow:0

; Source: tcp_options_write() with two or three of net.ipv4.tcp_timestamps, tcp_sack, tcp_window_scaling = 0; measured
; on kernel 6.18 (python -m bench.os_settings). Only the window of the default buffer, which few other systems have.
label = g:unix:Linux:with few options
class = server
sig   = *:64:0:*:mss*44,*:mss,nop,ws:df,id+:0
sig   = *:64:0:*:mss*44,0:mss,nop,nop,sok:df,id+:0
sig   = *:64:0:*:mss*44,0:mss,nop,nop,ts:df,id+:0
sig   = *:64:0:*:mss*44,0:mss:df,id+:0
sig   = 6:64:0:*:mss*45,*:mss,nop,ws:flow:0
sig   = 6:64:0:*:mss*45,0:mss,nop,nop,sok:flow:0
sig   = 6:64:0:*:mss*45,0:mss,nop,nop,ts:flow:0
sig   = 6:64:0:*:mss*45,0:mss:flow:0

; Source: RFC 7413; a client that asks for a cookie (TCP_FASTOPEN, MSG_FASTOPEN); measured on kernel 6.18 (python -m
; bench.os_settings).
label = s:unix:Linux:4.20 or newer, TCP Fast Open
class = server
sig   = *:64:0:*:mss*44,*:mss,sok,ts,nop,ws,?34,nop,nop:df,id+:0
sig   = *:64:0:*:mss*45,*:mss,sok,ts,nop,ws,?34,nop,nop:df,id+:0
sig   = 6:64:0:*:mss*44,*:mss,sok,ts,nop,ws,?34,nop,nop:flow:0
sig   = 6:64:0:*:mss*45,*:mss,sok,ts,nop,ws,?34,nop,nop:flow:0

; Source: as above, any window; with a cookie of 8 bytes the padding is the same; data may follow.
label = g:unix:Linux:TCP Fast Open
class = server
sig   = *:64:0:*:*,*:mss,sok,ts,nop,ws,?34,nop,nop:df,id+:*
sig   = 6:64:0:*:*,*:mss,sok,ts,nop,ws,?34,nop,nop:flow:*

; Source: kernel source: MPTCP since 5.6; RFC 8684; a socket of IPPROTO_MPTCP; measured on kernel 6.18 (python -m
; bench.os_settings).
label = s:unix:Linux:5.6 or newer, Multipath TCP
class = server
sig   = *:64:0:*:*,*:mss,sok,ts,nop,ws,?30:df,id+:0
sig   = 6:64:0:*:*,*:mss,sok,ts,nop,ws,?30:flow:0

[tcp:response]

; Source: measured on kernel 6.18 with curl, sshd, nginx and python (window 64240 = 44 * 1460, MTU 1500); kernel
; source, 4.20: default receive buffer 131072, half of which is the window, at most 65535, rounded down to the MSS.
; Hence 44 for an MSS of 1460, 45 for 1440 (IPv6) and 1452 (PPPoE), up to 53 for 1220 (smallest IPv6), 7 for jumbo
; frames. In a SYN+ACK the window counts segments less timestamps: 65160 = 45 * 1448.
label = s:unix:Linux:4.20 or newer
class = server
sig   = *:64:0:*:mss*45,*:mss,sok,ts,nop,ws:df:0
sig   = *:64:0:*:mss*46,*:mss,sok,ts,nop,ws:df:0
sig   = *:64:0:*:mss*47,*:mss,sok,ts,nop,ws:df:0
sig   = *:64:0:*:mss*48,*:mss,sok,ts,nop,ws:df:0
sig   = *:64:0:*:mss*49,*:mss,sok,ts,nop,ws:df:0
sig   = *:64:0:*:mss*50,*:mss,sok,ts,nop,ws:df:0
sig   = *:64:0:*:mss*51,*:mss,sok,ts,nop,ws:df:0
sig   = *:64:0:*:mss*52,*:mss,sok,ts,nop,ws:df:0
sig   = *:64:0:*:mss*53,*:mss,sok,ts,nop,ws:df:0
sig   = *:64:0:*:mss*54,*:mss,sok,ts,nop,ws:df:0
sig   = *:64:0:*:mss*7,*:mss,sok,ts,nop,ws:df:0
sig   = 6:64:0:*:mss*45,*:mss,sok,ts,nop,ws:flow:0
sig   = 6:64:0:*:mss*46,*:mss,sok,ts,nop,ws:flow:0
sig   = 6:64:0:*:mss*47,*:mss,sok,ts,nop,ws:flow:0
sig   = 6:64:0:*:mss*48,*:mss,sok,ts,nop,ws:flow:0
sig   = 6:64:0:*:mss*49,*:mss,sok,ts,nop,ws:flow:0
sig   = 6:64:0:*:mss*50,*:mss,sok,ts,nop,ws:flow:0
sig   = 6:64:0:*:mss*51,*:mss,sok,ts,nop,ws:flow:0
sig   = 6:64:0:*:mss*52,*:mss,sok,ts,nop,ws:flow:0
sig   = 6:64:0:*:mss*53,*:mss,sok,ts,nop,ws:flow:0
sig   = 6:64:0:*:mss*54,*:mss,sok,ts,nop,ws:flow:0
sig   = 6:64:0:*:mss*7,*:mss,sok,ts,nop,ws:flow:0

; Source: as above, for a client without timestamps (as Windows); measured on kernel 6.18 with net.ipv4.tcp_timestamps
; = 0 on the client.
label = s:unix:Linux:4.20 or newer
class = server
sig   = *:64:0:*:mss*44,*:mss,nop,nop,sok,nop,ws:df:0
sig   = *:64:0:*:mss*45,*:mss,nop,nop,sok,nop,ws:df:0
sig   = *:64:0:*:mss*46,*:mss,nop,nop,sok,nop,ws:df:0
sig   = *:64:0:*:mss*47,*:mss,nop,nop,sok,nop,ws:df:0
sig   = *:64:0:*:mss*48,*:mss,nop,nop,sok,nop,ws:df:0
sig   = *:64:0:*:mss*49,*:mss,nop,nop,sok,nop,ws:df:0
sig   = *:64:0:*:mss*50,*:mss,nop,nop,sok,nop,ws:df:0
sig   = *:64:0:*:mss*51,*:mss,nop,nop,sok,nop,ws:df:0
sig   = *:64:0:*:mss*52,*:mss,nop,nop,sok,nop,ws:df:0
sig   = *:64:0:*:mss*53,*:mss,nop,nop,sok,nop,ws:df:0
sig   = *:64:0:*:mss*7,*:mss,nop,nop,sok,nop,ws:df:0
sig   = 6:64:0:*:mss*44,*:mss,nop,nop,sok,nop,ws:flow:0
sig   = 6:64:0:*:mss*45,*:mss,nop,nop,sok,nop,ws:flow:0
sig   = 6:64:0:*:mss*46,*:mss,nop,nop,sok,nop,ws:flow:0
sig   = 6:64:0:*:mss*47,*:mss,nop,nop,sok,nop,ws:flow:0
sig   = 6:64:0:*:mss*48,*:mss,nop,nop,sok,nop,ws:flow:0
sig   = 6:64:0:*:mss*49,*:mss,nop,nop,sok,nop,ws:flow:0
sig   = 6:64:0:*:mss*50,*:mss,nop,nop,sok,nop,ws:flow:0
sig   = 6:64:0:*:mss*51,*:mss,nop,nop,sok,nop,ws:flow:0
sig   = 6:64:0:*:mss*52,*:mss,nop,nop,sok,nop,ws:flow:0
sig   = 6:64:0:*:mss*53,*:mss,nop,nop,sok,nop,ws:flow:0
sig   = 6:64:0:*:mss*7,*:mss,nop,nop,sok,nop,ws:flow:0

; Source: measured on kernel 6.18, see the SYN.
label = s:unix:Linux:4.20 or newer (loopback)
class = server
sig   = 4:64:0:65495:mss*1,*:mss,sok,ts,nop,ws:df:0
sig   = 6:64:0:65476:mss*1,*:mss,sok,ts,nop,ws:flow:0
sig   = 6:64:0:65476:mss*1,*:mss,sok,ts,nop,ws::0

; Source: kernel source, see the SYN.
label = s:unix:Linux:3.x-4.19 (loopback)
class = server
sig   = 4:64:0:65495:43690,*:mss,sok,ts,nop,ws:df:0
sig   = 4:64:0:65495:43690,*:mss,sok,ts,nop,ws:df,ecn:0
sig   = 6:64:0:65476:43690,*:mss,sok,ts,nop,ws:flow:0
sig   = 6:64:0:65476:43690,*:mss,sok,ts,nop,ws::0

; Source: kernel source, see the SYN.
label = s:unix:Linux:6.6-6.9
class = server
sig   = *:64:0:*:mss*22,*:mss,sok,ts,nop,ws:df:0
sig   = 6:64:0:*:mss*22,*:mss,sok,ts,nop,ws:flow:0
sig   = *:64:0:*:mss*22,*:mss,nop,nop,sok,nop,ws:df:0
sig   = 6:64:0:*:mss*22,*:mss,nop,nop,sok,nop,ws:flow:0

; Source: kernel source, see the SYN.
label = s:unix:Linux:3.11-4.19
class = server
sig   = *:64:0:*:mss*20,*:mss,sok,ts,nop,ws:df:0
sig   = 6:64:0:*:mss*20,*:mss,sok,ts,nop,ws:flow:0
sig   = *:64:0:*:mss*20,*:mss,nop,nop,sok,nop,ws:df:0
sig   = 6:64:0:*:mss*20,*:mss,nop,nop,sok,nop,ws:flow:0

; Source: kernel source, see the SYN.
label = s:unix:Linux:2.6.39-3.10
class = server
sig   = *:64:0:*:mss*10,*:mss,sok,ts,nop,ws:df:0
sig   = 6:64:0:*:mss*10,*:mss,sok,ts,nop,ws:flow:0
sig   = *:64:0:*:mss*10,*:mss,nop,nop,sok,nop,ws:df:0
sig   = 6:64:0:*:mss*10,*:mss,nop,nop,sok,nop,ws:flow:0

; Source: kernel source, see the SYN.
label = s:unix:Linux:2.4-2.6.38
class = server
sig   = *:64:0:*:mss*4,*:mss,sok,ts,nop,ws:df:0
sig   = 6:64:0:*:mss*4,*:mss,sok,ts,nop,ws:flow:0
sig   = *:64:0:*:mss*4,*:mss,nop,nop,sok,nop,ws:df:0
sig   = 6:64:0:*:mss*4,*:mss,nop,nop,sok,nop,ws:flow:0

; Source: AWS's documentation: instances have an MTU of 9001. The window is a multiple of the server's own MSS of 8961
; (8949 with timestamps), whatever the path's is: 2, 3 and 7 segments.
label = s:unix:Linux:on EC2 (MTU 9001)
class = server
sig   = *:64:0:*:17922,*:mss,nop,nop,sok,nop,ws:df:0
sig   = *:64:0:*:26883,*:mss,nop,nop,sok,nop,ws:df:0
sig   = *:64:0:*:62727,*:mss,nop,nop,sok,nop,ws:df:0
sig   = *:64:0:*:17898,*:mss,sok,ts,nop,ws:df:0
sig   = *:64:0:*:26847,*:mss,sok,ts,nop,ws:df:0
sig   = *:64:0:*:62643,*:mss,sok,ts,nop,ws:df:0

; Source: Google's published paper on the initial window (Dukkipati et al., 2010) and its use since: 30 segments of
; 1430 (1418 with timestamps), and no DF in IPv4. No setting of Linux gives SYN+ACKs without DF
; (net.ipv4.ip_no_pmtu_disc = 1 was tried here).
label = s:unix:Linux:Google front end
class = server
sig   = *:64:0:*:mss*30,*:mss,sok,ts,nop,ws::0
sig   = *:64:0:*:42900,*:mss,nop,nop,sok,nop,ws::0
sig   = *:64:0:*:42540,*:mss,sok,ts,nop,ws::0
sig   = *:64:0:*:mss*30,*:mss,nop,nop,sok,nop,ws::0

; Source: tcp_options_write(), see the SYN. With ECN: any Linux answers it (net.ipv4.tcp_ecn = 2); measured on kernel
; 6.18.
label = g:unix:Linux:
class = server
sig   = *:64:0:*:*,*:mss,sok,ts,nop,ws:df:0
sig   = *:64:0:*:*,*:mss,sok,ts,nop,ws:df,ecn:0
sig   = *:64:0:*:*,*:mss,sok,ts,nop,ws:df,id+:0
sig   = *:64:0:*:*,*:mss,sok,ts,nop,ws::0
sig   = 6:64:0:*:*,*:mss,sok,ts,nop,ws:flow:0
sig   = 6:64:0:*:*,*:mss,sok,ts,nop,ws:flow,ecn:0

; Source: the same for a client without timestamps (as Windows).
label = g:unix:Linux:
class = server
sig   = *:64:0:*:*,*:mss,nop,nop,sok,nop,ws:df:0
sig   = *:64:0:*:*,*:mss,nop,nop,sok,nop,ws:df,ecn:0
sig   = *:64:0:*:*,*:mss,nop,nop,sok,nop,ws::0
sig   = 6:64:0:*:*,*:mss,nop,nop,sok,nop,ws:flow:0
sig   = 6:64:0:*:*,*:mss,nop,nop,sok,nop,ws:flow,ecn:0

; Source: tcp_options_write(); measured on kernel 6.18 with the SYNs of nmap and masscan (MSS only) and with
; net.ipv4.tcp_window_scaling, tcp_sack and tcp_timestamps = 0. The client leaves nothing but the multiple of the MSS
; to tell the system from others. Identification 0 with DF tells Linux from Windows and old BSD.
label = s:unix:Linux:for a client with few options
class = server
sig   = *:64:0:*:mss*44,0:mss:df:0
sig   = *:64:0:*:mss*20,0:mss:df:0
sig   = *:64:0:*:mss*10,0:mss:df:0
sig   = *:64:0:*:mss*44,0:mss,nop,nop,sok:df:0
sig   = *:64:0:*:mss*20,0:mss,nop,nop,sok:df:0
sig   = *:64:0:*:mss*10,0:mss,nop,nop,sok:df:0
sig   = *:64:0:*:mss*45,0:mss,sok,ts:df:0
sig   = *:64:0:*:mss*20,0:mss,sok,ts:df:0
sig   = *:64:0:*:mss*44,*:mss,nop,ws:df:0
sig   = *:64:0:*:mss*20,*:mss,nop,ws:df:0
sig   = *:64:0:*:mss*45,*:mss,nop,nop,ts,nop,ws:df:0
sig   = *:64:0:*:mss*20,*:mss,nop,nop,ts,nop,ws:df:0
sig   = 6:64:0:*:mss*45,0:mss:flow:0
sig   = 6:64:0:*:mss*45,0:mss,nop,nop,sok:flow:0
sig   = 6:64:0:*:mss*45,0:mss,sok,ts:flow:0
sig   = 6:64:0:*:mss*45,*:mss,nop,ws:flow:0
sig   = 6:64:0:*:mss*45,*:mss,nop,nop,ts,nop,ws:flow:0
sig   = 6:64:0:*:mss*45,0:mss,nop,nop,ts:flow:0
sig   = *:64:0:*:mss*45,0:mss,nop,nop,ts:df:0

; Source: tcp_options_write() of these kernels, windows of 4 and 10 segments.
label = s:unix:Linux:2.4-3.10, for a client with few options
class = server
sig   = *:64:0:*:mss*4,0:mss,nop,nop,sok:df:0
sig   = *:64:0:*:mss*4,0:mss,sok,ts:df:0
sig   = *:64:0:*:mss*4,*:mss,nop,nop,ts,nop,ws:df:0
sig   = *:64:0:*:mss*4,*:mss,nop,ws:df:0
sig   = *:64:0:*:mss*10,0:mss,sok,ts:df:0
sig   = *:64:0:*:mss*10,*:mss,nop,nop,ts,nop,ws:df:0
sig   = *:64:0:*:mss*10,*:mss,nop,ws:df:0

; Source: RFC 7413; a server with TCP_FASTOPEN sends a cookie; measured on kernel 6.18 (python -m bench.os_settings).
label = s:unix:Linux:4.20 or newer, TCP Fast Open
class = server
sig   = *:64:0:*:mss*45,*:mss,sok,ts,nop,ws,?34,nop,nop:df:0
sig   = *:64:0:*:mss*46,*:mss,sok,ts,nop,ws,?34,nop,nop:df:0
sig   = 6:64:0:*:mss*45,*:mss,sok,ts,nop,ws,?34,nop,nop:flow:0
sig   = 6:64:0:*:mss*46,*:mss,sok,ts,nop,ws,?34,nop,nop:flow:0

; Source: as above, any window.
label = g:unix:Linux:TCP Fast Open
class = server
sig   = *:64:0:*:*,*:mss,sok,ts,nop,ws,?34,nop,nop:df:0
sig   = 6:64:0:*:*,*:mss,sok,ts,nop,ws,?34,nop,nop:flow:0

; Source: as the SYN; measured on kernel 6.18 (python -m bench.os_settings).
label = s:unix:Linux:5.6 or newer, Multipath TCP
class = server
sig   = *:64:0:*:*,*:mss,sok,ts,nop,ws,?30:df:0
sig   = 6:64:0:*:*,*:mss,sok,ts,nop,ws,?30:flow:0
