# Mail servers spoken to by hand.
#
# Taken from: aiosmtpd 1.4 with netcat-openbsd (-C), GNU inetutils telnet and socat in raw mode; smtplib and curl stand for
# programs. Surprising: netcat sends a line and its CR LF as two segments, and QUIT, the shortest command, takes a
# typist 1.5 s with the decision to leave. Test programs that sleep between lines do so for a round second: hence 1.2 s.

# The server greets first; then four times a pause, a line, an answer.
tcp 25,587,2525 = < ~ s10-600 (+1200ms-5min c4-200 c2{0,1} ~ s4-600){4,} : SMTP spoken by hand, line by line
    id = smtp.manual
    severity = medium
    attack = T1071.003
    category = mail

# Windows telnet and raw terminals send every key at once.
tcp 25,587,2525 = < ~ s10-600 ~ c1 (+30ms-3s c1){5,40} ~ s4-600 : SMTP spoken by hand, key by key
    id = smtp.manual.keys
    severity = medium
    attack = T1071.003
    category = mail
