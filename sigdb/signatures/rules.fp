# SPDX-License-Identifier: LGPL-2.1-or-later
# Rules over several flows: what alerts mean together. docs/rules.md explains them. Times are those of the first hit in a
# flow. What was not seen well enough (verdict unknown) is not counted.

# Passwords are guessed: ten refused ones from one client within a minute, in however many connections. A connection of
# OpenSSH's allows six. False friends: a program with an old password that tries again and again, a monitor's login.
flows : SSH - passwords are guessed
    id = ssh.bruteforce
    sequence = 10 ssh.auth.failure in 60s by src
    suppress = 1h by src,id
    severity = high
    attack = T1110
    confidence = 85

# A guess that was right, maybe: logins refused, then one accepted, same client, same server. Five refused ones, because
# people mistype: three in one connection are not rare. Fails when the client waits longer, or changes its address.
flows : SSH - login accepted after failed ones by the same client
    id = ssh.success-after-failures
    sequence = 5 ssh.auth.failure then ssh.auth.success in 10min by src,dst
    suppress = 1h by src,dst,id
    severity = critical
    attack = T1110, T1078
    confidence = 75

# Many connections that ended before a login was tried. False friends: a monitor that only looks whether the port answers, a
# load balancer's check: both come at a slower rate.
flows : SSH - scan, many connections that ended before a login was tried
    id = ssh.scan
    sequence = 20 ssh.preauth.closed in 60s by src
    suppress = 1h by src,id
    severity = low
    attack = T1046
    confidence = 80
