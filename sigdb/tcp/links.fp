; SPDX-License-Identifier: LGPL-2.1-or-later
; MTUs of links, as the MSS of a SYN gives them away (MSS + 40 for IPv4, + 60 for IPv6).

classes = win,unix,other

[mtu]

; Source: IEEE 802.3: 1500 bytes.
label = Ethernet
sig   = 1500

; Source: RFC 2516: 1492 bytes.
label = PPPoE
sig   = 1492

; Source: RFC 8200: 1280 bytes; also tunnels and mobile telephones' 464XLAT.
label = smallest IPv6
sig   = 1280

; Source: wg-quick(8): 1420 bytes over IPv6, 1440 over IPv4.
label = WireGuard
sig   = 1420
sig   = 1440

; Source: RFC 2784: 20 bytes of IPv4 and 4 of GRE off 1500.
label = GRE
sig   = 1476

; Source: RFC 2003, RFC 4213: 20 bytes off 1500.
label = IPIP or SIT
sig   = 1480

; Source: RFC 7348: 50 bytes off 1500.
label = VXLAN or Geneve
sig   = 1450

; Source: rounded by administrators and VPN clients.
label = Tailscale or another tunnel
sig   = 1300
sig   = 1350
sig   = 1400

; Source: usual setting of switches.
label = jumbo frames
sig   = 9000

; Source: AWS's documentation, "Network MTU".
label = EC2
sig   = 9001

; Source: Google's documentation, "MTU".
label = Google Cloud
sig   = 1460

; Source: kernel source, loopback.c: 65536 since 3.6, which an MSS of 65495 rounds; 16436 before.
label = loopback of Linux
sig   = 65535
sig   = 16436

; Source: XNU's source, LOMTU: 16384.
label = loopback of macOS
sig   = 16384

; Source: RFC 1122: 576 bytes.
label = SLIP or old modem
sig   = 576
