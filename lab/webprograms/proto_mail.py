# SPDX-License-Identifier: LGPL-2.1-or-later
# ruff: noqa: D103, PLC0415 - each role has its own library and is named for what it does
"""Mail: reading and sending it by programs and libraries."""

import os
import tempfile
import time

from proto_base import AT, HOST, PORT, TLS, connect, letter, run, text, trusting


def imap(draw):
    import imaplib

    mail = imaplib.IMAP4_SSL(HOST, PORT, ssl_context=trusting()) if TLS else imaplib.IMAP4(HOST, PORT)
    mail.login(f"user{draw.randrange(9)}", "lab")
    if draw.random() < 0.5:
        mail.list()
    if draw.random() < 0.6:
        mail.append("INBOX", None, None, b"Subject: lab\r\n\r\n" + b"x" * int(draw.lognormvariate(6, 1)))
    mail.select()
    mail.search(None, "ALL")
    mail.fetch("1:*", draw.choice(("(FLAGS)", "(FLAGS BODY.PEEK[HEADER])", "(RFC822)")))
    for _ in range(draw.choice((0, 0, 3, 7))):
        time.sleep(draw.choice((0.5, 1.2, 3)) * draw.uniform(0.9, 1.1))
        mail.noop()
    mail.logout()


def imap_curl(draw):
    scheme = "imaps" if TLS else "imap"
    run(
        "curl",
        "-sk",
        "-m",
        "30",
        "-u",
        "user1:lab",
        f"{scheme}://{AT}:{PORT}/INBOX" + draw.choice(("", ";UID=1", "?ALL")),
    )


def imap_mbsync(draw):
    with tempfile.TemporaryDirectory() as folder:
        way = "SSLType IMAPS\nSSLVersions TLSv1.2 TLSv1.3\nCertificateFile /nonexistent\n" if TLS else "SSLType None\n"
        with open(f"{folder}/rc", "w") as rc:
            rc.write(
                f"IMAPAccount a\nHost {HOST}\nPort {PORT}\nUser user{draw.randrange(9)}\nPass lab\n"
                f"AuthMechs LOGIN\n{way}\n"
                f"IMAPStore far\nAccount a\n\nMaildirStore near\nPath {folder}/m/\nInbox {folder}/m/INBOX\n"
                "SubFolders Verbatim\n\nChannel c\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nSyncState *\n"
            )
        os.mkdir(f"{folder}/m")
        run("mbsync", "-q", "-c", f"{folder}/rc", "-a")


def imap_idle(draw):
    stream = connect()
    talk = stream.makefile("rwb")
    talk.readline()
    for number, line in enumerate((f"LOGIN user{draw.randrange(9)} lab", "SELECT INBOX", "IDLE")):
        talk.write(f"a{number} {line}\r\n".encode())
        talk.flush()
        while (line := talk.readline()) and not line.startswith((f"a{number} ".encode(), b"+")):
            pass
        if not line:
            return
    time.sleep(draw.uniform(3, 20))
    talk.write(b"DONE\r\n")
    talk.flush()
    talk.readline()
    talk.write(b"z LOGOUT\r\n")
    talk.flush()
    talk.read()


def pop3(draw):
    import poplib

    mail = poplib.POP3_SSL(HOST, PORT, context=trusting()) if TLS else poplib.POP3(HOST, PORT)
    mail.user(f"user{draw.randrange(9)}")
    mail.pass_("lab")
    count = mail.stat()[0]
    mail.list()
    for number in range(1, min(count, 4) + 1):
        mail.retr(number)
    mail.quit()


def pop3_curl(draw):
    run(
        "curl",
        "-sk",
        "-m",
        "30",
        "-u",
        "user2:lab",
        f"{'pop3s' if TLS else 'pop3'}://{AT}:{PORT}/" + draw.choice(("", "1")),
    )


def pop3_fetchmail(draw):
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/rc", "w") as rc:
            ways = "ssl nosslcertck" if TLS else "sslproto ''"
            rc.write(
                f"poll {HOST} service {PORT} proto pop3 user user{draw.randrange(9)} pass lab "
                f"{ways} keep fetchall mda /bin/true\n"
            )
        os.chmod(f"{folder}/rc", 0o600)
        run(
            "fetchmail", "-f", f"{folder}/rc", "--pidfile", f"{folder}/pid", "-i", f"{folder}/ids", FETCHMAILHOME=folder
        )


def smtp(draw):
    import smtplib

    mail = smtplib.SMTP_SSL(HOST, PORT, context=trusting()) if TLS else smtplib.SMTP(HOST, PORT)
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        to = [f"{text(draw, 6)}@lab.example" for _ in range(draw.choice((1, 1, 2, 4)))]
        mail.sendmail("someone@lab.example", to, letter(draw, 800, 1.3))
    mail.quit()


def smtp_curl(draw):
    body = letter(draw, 600, 1.3).encode()
    words = ["curl", "-sk", "-m", "30", f"{'smtps' if TLS else 'smtp'}://{AT}:{PORT}/me", "-T", "-"]
    run(*words, "--mail-from", "a@lab.example", "--mail-rcpt", f"{text(draw, 8)}@lab.example", given=body)


def smtp_swaks(draw):
    words = [
        "swaks",
        "-S",
        "2",
        "-t",
        f"{text(draw, 8)}@lab.example",
        "-f",
        "a@lab.example",
        "-s",
        HOST,
        "-p",
        str(PORT),
    ]
    run(*words, "--body", text(draw, 60, 1), *(["--tlsc"] if TLS else []))


def smtp_msmtp(draw):
    way = ["--tls=on", "--tls-starttls=off", "--tls-certcheck=off"] if TLS else ["--tls=off"]
    words = ["msmtp", f"--host={HOST}", f"--port={PORT}", "--from=a@lab.example", "--auth=off", *way]
    run(*words, f"{text(draw, 8)}@lab.example", given=letter(draw, 900, 1.2).replace("\r", "").encode())
