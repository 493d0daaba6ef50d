# Mail servers spoken to by programs. What people type there is in interactive.fp: human.lines, human.typing.keys.
#
# Taken from: aiosmtpd 1.4 with smtplib and curl 7.88 at round trips of 0 to 160 ms; swaks 20201014 and the captures of
# others tell that it holds elsewhere.

# The server greets first; then four lines at once, each answered before the next.
# Fails: clients that send several commands in one segment (PIPELINING), servers that take longer than 400 ms.
# False friends: none were seen; a person with a mail program is a program here.
tcp 25,587,2525 = < ~ s10-600 (~ s4-600){0,3} (c4-200 (~ s4-600){1,8}){4,} : SMTP - lines sent by a program
    id = automated.lines.smtp
    confidence = 95
    severity = low
    category = mail
