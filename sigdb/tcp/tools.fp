; SPDX-License-Identifier: LGPL-2.1-or-later
; Programs that write their own packets: scanners, packet generators, user-mode network stacks.
;
; "sys" says what they run on; the system below is not seen.

classes = win,unix,other

[tcp:request]

; Source: measured here: nmap 7.93 of Debian 12 (-sS): window 1024, MSS 1460, TTL from 37 to 59, no DF.
label = s:!:nmap:SYN scan
class = tool
sys   = @unix,@win
sig   = 4:59-:0:1460:1024,0:mss::0

; Source: measured here: hping3 of Debian 12 (-S): window 512, no options, TTL 64, no DF.
label = s:!:hping3:
class = tool
sys   = @unix
sig   = 4:64:0:0:512,0:::0
sig   = 4:64:0:0:512,0::ack+:0

; Source: measured here: scapy of Debian 12, TCP() as it is: window 8192, no options, TTL 64, no DF, sequence number 0.
label = s:!:Scapy:
class = tool
sys   = @unix,@win
sig   = *:64:0:0:8192,0::seq-:0
sig   = *:64:0:0:8192,0:::0
