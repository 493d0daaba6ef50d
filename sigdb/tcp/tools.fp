; SPDX-License-Identifier: LGPL-2.1-or-later
; Programs that write their own packets: scanners, packet generators, user-mode network stacks.
;
; "sys" says what they run on; the system below is not seen.

classes = win,unix,other

[tcp:request]

; Source: measured here: nmap 7.93 of Debian 12 (-sS): window 1024, MSS 1460, TTL from 37 to 59, no DF. With -sT the
; system's own SYN is seen.
label = s:!:nmap:SYN scan
class = tool
sys   = @unix,@win
sig   = 4:59-:0:1460:1024,0:mss::0

; Source: measured here: nmap 7.93 of Debian 12 (-O); the probes are those of its documentation ("TCP/IP
; Fingerprinting Methods Supported by Nmap"): T1 to T6 of the sequence, ECN, T5. A raw ACK number is set in most, not
; in all.
label = s:!:nmap:OS detection
class = tool
sys   = @unix,@win
sig   = 4:59-:0:1460:1,10:ws,nop,mss,ts,sok:ack+:0
sig   = 4:59-:0:1400:63,0:mss,ws,sok,ts,eol+0:ack+:0
sig   = 4:59-:0:640:4,5:ts,nop,nop,ws,nop,mss:ack+:0
sig   = 4:59-:0:0:4,10:sok,ts,ws,eol+0:ack+:0
sig   = 4:59-:0:536:16,10:mss,sok,ts,ws,eol+0:ack+:0
sig   = 4:59-:0:265:512,0:mss,sok,ts:ack+:0
sig   = 4:59-:0:265:31337,10:ws,nop,mss,ts,sok:ack+:0
sig   = 4:59-:0:1460:1,10:ws,nop,mss,ts,sok::0
sig   = 4:59-:0:1400:63,0:mss,ws,sok,ts,eol+0::0
sig   = 4:59-:0:640:4,5:ts,nop,nop,ws,nop,mss::0
sig   = 4:59-:0:0:4,10:sok,ts,ws,eol+0::0
sig   = 4:59-:0:536:16,10:mss,sok,ts,ws,eol+0::0
sig   = 4:59-:0:265:512,0:mss,sok,ts::0
sig   = 4:59-:0:265:31337,10:ws,nop,mss,ts,sok::0
sig   = 4:59-:0:1460:3,10:ws,nop,mss,sok,nop,nop:ecn,uptr+:0

; Source: measured here: masscan 1.3.2 of Debian 12: window 1024, no options, TTL 255, no DF.
label = s:!:masscan:
class = tool
sys   = @unix,@win
sig   = 4:255:0:0:1024,0:::0

; Source: measured here: zmap 2.1.1 of Debian 12: window 65535, no options, TTL 255, no DF, identification 54321.
; Versions since 4 can imitate systems (--probe-args of tcp_synscan) and are then not seen.
label = s:!:ZMap:
class = tool
sys   = @unix
sig   = 4:255:0:0:65535,0:::0

; Source: measured here: hping3 of Debian 12 (-S): window 512, no options, TTL 64, no DF; the ACK number is left over
; from the answer before.
label = s:!:hping3:
class = tool
sys   = @unix
sig   = 4:64:0:0:512,0:::0
sig   = 4:64:0:0:512,0::ack+:0

; Source: measured here: scapy of Debian 12, TCP() as it is: window 8192, no options, TTL 64, no DF, sequence number
; 0; with a sequence number of one's own nothing else changes.
label = s:!:Scapy:
class = tool
sys   = @unix,@win
sig   = *:64:0:0:8192,0::seq-:0
sig   = *:64:0:0:8192,0:::0

[tcp:response]

; Source: as its SYN: TCP(flags="SA") has the same window and no options.
label = s:!:Scapy:
class = tool
sys   = @unix,@win
sig   = *:64:0:0:8192,0::seq-:0
sig   = *:64:0:0:8192,0:::0

; Source: measured here: slirp4netns and libslirp of Debian 12 (the user network of QEMU and of rootless containers),
; which answers for the host that is contacted: window 65535, MSS alone, no DF, the first identification 0.
label = s:!:slirp:
class = tool
sys   = @unix
sig   = 4:64:0:1460:65535,0:mss::0
sig   = 4:64:0:1460:65535,0:mss:id-:0

; Source: VMware's documentation: the NAT device of Workstation ends connections of guests in a service of the host,
; and answers them itself; seen with a window of 64240, MSS alone, no DF, TTL 128. The system behind is not seen.
label = s:!:VMware NAT:
class = tool
sys   = @win
sig   = 4:128:0:1460:mss*44,0:mss::0
sig   = 4:128:0:1460:mss*44,0:mss,nop,nop,sok::0
