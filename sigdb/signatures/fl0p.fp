# SPDX-License-Identifier: LGPL-2.1-or-later
# The four signatures printed in the announcement of fl0p (M. Zalewski, 2006), as they were printed; ids and severities
# are ours. They describe SSH protocol 1 and line-wise telnet, so today they serve as a proof that old lines still load.
#
# Taken from: that announcement; no server of the lab speaks SSH 1. Fails: SSH 2, all of it (ssh.fp). Their sizes are
# absolute, so an exchange of such sizes in any other protocol is a false friend.

# After the server's key the client leaves. The sizes are wide: a false friend is whatever ends after three such packets, as a
# scanner that reads banner and methods of TinySSH (`s37 c12 s264`).
tcp * = < s27/15 c27/15 s300/100 > : SSH1 - client chose to refuse server key
    id = ssh1.hostkey.refused
    severity = high
    category = ssh

# A pause before the password: somebody types. False friends: a program that waits.
tcp * = s12 c@1 s28 + c52 s@1 c@1 s@3 : SSH1 - invalid password attempt
    id = ssh1.auth.failure.manual
    severity = medium
    attack = T1110.001
    category = ssh

# The same without a pause. False friends: a key manager that types.
tcp * = s12 c@1 s28 c52 s@1 c@1 s@3 : SSH1 - automated password guessing
    id = ssh1.auth.failure.automated
    severity = high
    attack = T1110.001
    category = ssh

# Single bytes without echo in between, after a first packet and a pause. Fails: a server that echoes (interactive.fp).
# False friends: keep-alives of one byte, serial lines over TCP.
tcp * = c30/30 + c1 c1 c1 : Possible manual Windows telnet input (2)
    id = human.typing.windows
    severity = low
    attack = T1021
    category = telnet
