# SPDX-License-Identifier: LGPL-2.1-or-later
# Web servers spoken to by hand.
#
# Taken from: Python's http.server with netcat-openbsd 1.219 (a line and its CR LF are two segments) at round trips of 0
# to 160 ms.

# The client connects and then waits, types the request line and headers, and ends with an empty line after a pause.
# Fails: requests that were pasted. False friends: none were seen; a program sends its head in one piece.
tcp 80,8000,8080 = < +1s-5min c8-200 (c1-2){0,1} (+600ms-5min c1-200 (c1-2){0,1}){0,10} +300ms-2min c1-2 ~ s20- : HTTP - a person types a request
    id = human.lines.http
    confidence = 90
    severity = medium
    attack = T1071.001
    category = interactive
