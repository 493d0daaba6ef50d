# SPDX-License-Identifier: LGPL-2.1-or-later
# Mail servers spoken to by programs. What people type there is in interactive.fp: human.lines, human.typing.keys.
#
# Taken from: aiosmtpd 1.4 with smtplib and curl 7.88 at round trips of 0 to 160 ms; swaks 20201014 and the captures of
# others tell that it holds elsewhere.

# The server greets first; then three commands at once, each answered before the next, and a fourth thing, which may be the
# message. Several commands may share a segment (PIPELINING, RFC 2920): then the third is the message, of any length.
# Fails: pauses of the client itself.
# False friends: none were seen; a person with a mail program is a program here.
tcp 25,587,2525 = < ~ s10-600 (~ s4-600){0,3} (c4-400 (c1-1448){0,3} (~ s4-600){1,8}){2} ( c4-400 (c1-1448){0,3} | c401-1448 (c1-1448){0,} ) (~ s4-600){1,8} c4-1448 : SMTP - lines sent by a program
    id = automated.lines.smtp
    confidence = 95
    severity = low
    category = mail

# The same where mail is read and news: POP3, IMAP, NNTP. Taken from public captures of a few sessions only.
# Fails: clients that go over to TLS after one command. False friends: none were seen.
tcp 110,119,143 = < ~ s10-600 (c4-200 (c1-1448){0,3} (~ s2-1500){1,20}){3} c4-1448 : Mailbox or news - lines sent by a program
    id = automated.lines.mailbox
    confidence = 85
    severity = low
    category = mail
