# SPDX-License-Identifier: LGPL-2.1-or-later
# ruff: noqa: D103, D401, PLC0415 - each role has its own library and is named for what it does
"""Files, versions, instruments, and hands that are only shaken."""

import os
import subprocess
import tempfile
import time

from proto_base import AT, HOST, PORT, TLS, connect, person, run, text


def ftp(draw):
    import ftplib
    import io

    with ftplib.FTP() as far:
        far.connect(HOST, PORT, 20)
        far.login("lab", "lab")
        far.pwd()
        for _ in range(draw.randint(1, 5)):
            if draw.random() < 0.5:
                far.nlst()
            else:
                far.storbinary(f"STOR f{draw.randrange(99)}", io.BytesIO(text(draw, 900, 1.3).encode()))
        far.quit()


def ftp_curl(draw):
    run("curl", "-s", "-m", "20", f"ftp://lab:lab@{AT}:{PORT}/" + draw.choice(("", "f1")))


def ftp_wget(draw):
    run("wget", "-q", "-T", "20", "-t", "1", "-O", "/dev/null", f"ftp://lab:lab@{AT}:{PORT}/")


def ftp_lftp(draw):
    orders = "; ".join(draw.choice(("ls", "pwd", "cd .", "nlist")) for _ in range(draw.randint(1, 5)))
    run("lftp", "-u", "lab,lab", "-p", str(PORT), "-e", f"set ftp:ssl-allow no; {orders}; bye", HOST)


def git(draw):
    with tempfile.TemporaryDirectory() as folder:
        run("git", "clone", "-q", f"git://{AT}:{PORT}/repo.git", folder)


def svn(draw):
    run("svn", "info" if draw.random() < 0.5 else "ls", "--non-interactive", f"svn://{AT}:{PORT}/")


def rsync(draw):
    with tempfile.TemporaryDirectory() as folder:
        run("rsync", "-a", "--timeout=20", f"rsync://{AT}:{PORT}/site/o{draw.randrange(9)}*", folder)


def smb(draw):
    orders = "; ".join(
        draw.choice(("ls", "pwd", "mkdir d", "put /etc/hosts h", "get o1.jpg /dev/null")) for _ in range(4)
    )
    run("smbclient", "-N", "-p", str(PORT), f"//{HOST}/site", "-c", orders)


def smb_impacket(draw):
    from impacket.smbconnection import SMBConnection

    far = SMBConnection("lab", HOST, sess_port=PORT)
    far.login("", "")
    for _ in range(draw.randint(1, 4)):
        far.listPath("site", "*")
        time.sleep(draw.choice((0, 0.3, 1)))
    far.logoff()


def x11(draw):
    program_ = draw.choice(
        (("xdpyinfo",), ("xlsfonts",), ("timeout", "12", "xclock", "-update", "1"), ("xwininfo", "-root"))
    )
    run(*program_, DISPLAY=f"{AT}:{PORT - 6000}")


def sip(draw):
    with tempfile.TemporaryDirectory() as folder:
        words = ["sipp", "-sn", "uac", "-t", "t1", "-m", "3", "-r", "1", "-d", "800", "-nostdin", f"{AT}:{PORT}"]
        subprocess.run(words, cwd=folder, capture_output=True, timeout=40, check=False)


def lines(draw):
    """A person at a server of lines (calculator, adventure, console of a program) by ncat."""
    way = ["--ssl"] if TLS else []
    person(
        draw,
        ["ncat", *way, HOST, str(PORT)],
        "> ",
        [draw.choice(("look", "1 + 2", "status", "help me")) for _ in range(4)],
        "\n",
    )


def instrument(draw):
    """A program that asks an instrument or a controller: short lines, short answers, at fixed intervals."""
    with connect() as stream:
        pause = draw.choice((0.05, 0.3, 1, 2))
        stream.recv(100)
        for _ in range(draw.randint(5, 20)):
            stream.sendall(draw.choice((b"MEAS:VOLT?\n", b"*IDN?\n", b"STAT?\n", b"OUTP ON\n")))
            stream.recv(4096)
            time.sleep(pause * draw.uniform(0.95, 1.05))


def modbus(draw):
    """Modbus/TCP: requests of 12 bytes, answers of 11 to 29, at fixed intervals."""
    with connect() as stream:
        pause = draw.choice((0.05, 0.5, 1.1))
        for number in range(draw.randint(5, 30)):
            stream.sendall(number.to_bytes(2, "big") + b"\0\0\0\6\1\3\0\0\0" + bytes([draw.choice((1, 2, 10))]))
            stream.recv(300)
            time.sleep(pause)


def others(name):
    """Return a client of lab/tlsothers.py, called as it is there."""

    def act(draw):
        here = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tlsothers.py")
        run("/opt/tlslab/bin/python", here, name, HOST, str(PORT), limit=90)

    return act


def early(draw):
    """0-RTT (RFC 8446, 2.3): a session, and a second connection whose request is in the first flight."""
    with tempfile.TemporaryDirectory() as folder:
        request = f"GET /b/x?n={draw.randint(1, 4000)}& HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n".encode()
        with open(f"{folder}/ask", "wb") as ask:
            ask.write(request)
        base = ["openssl", "s_client", "-connect", f"{AT}:{PORT}", "-quiet", "-ign_eof"]
        run(*base, "-sess_out", f"{folder}/kept", given=request, limit=15)
        for _ in range(3):
            run(*base, "-sess_in", f"{folder}/kept", "-early_data", f"{folder}/ask", given=b"", limit=15)


def shake(draw):
    """Only shake hands, as scanners and checkers of certificates do: many ways of it."""
    kinds = (
        ["openssl", "s_client", "-connect", f"{AT}:{PORT}", "-alpn", "h2"],
        ["openssl", "s_client", "-connect", f"{AT}:{PORT}", "-tls1_2", "-servername", "lab.example"],
        ["openssl", "s_client", "-connect", f"{AT}:{PORT}", "-groups", "P-521:X25519"],
        ["gnutls-cli", "--insecure", "-p", str(PORT), HOST],
        ["gnutls-cli", "--insecure", "--priority", "NORMAL:-VERS-TLS1.3", "-p", str(PORT), HOST],
        ["gnutls-cli", "--insecure", "-p", str(PORT), "-r", HOST],
    )
    given = draw.choice((b"", b"GET / HTTP/1.0\r\n\r\n", b"x\n"))
    run(*draw.choice(kinds), given=given, limit=15)
