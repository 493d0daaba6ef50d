# SPDX-License-Identifier: LGPL-2.1-or-later
# ruff: noqa: PLC0415, N802, N815 - each server has its own library, and Twisted its names
"""SSH servers by Python libraries, run by the system's python3; they log as OpenSSH does.

`sshserve.py paramiko|twisted USER PASSWORD AUTHORIZED_KEYS METHODS HOST_KEY...` listens on port 22 of every address.
METHODS is some of password,keyboard. Shells and commands run on real terminals and pipes.
"""

import contextlib
import os
import pty
import select
import socket
import subprocess
import sys
import threading
import time

TRIES = 10  # refused passwords until the server closes


def log(*words):
    """Write one line at once."""
    print(*words, flush=True)


def peer(address):
    """Return a client's address and port; IPv4 as such on a socket of both versions."""
    return address[0].removeprefix("::ffff:"), address[1]


def known(keys):
    """Return the authorized keys, in base64."""
    with open(keys) as lines:
        return {line.split()[1] for line in lines if line.strip()}


def pump(channel, child, master):
    """Carry bytes between a channel of Paramiko and a terminal or a pair of pipes until the program ends."""
    into, out = (master, master) if master is not None else (child.stdin.fileno(), child.stdout.fileno())
    ends = [channel, out]
    while out in ends:
        ready = select.select(ends, [], [], 30)[0]
        if channel in ready:
            data = channel.recv(32768)
            if data:
                with contextlib.suppress(OSError):
                    os.write(into, data)
            else:
                ends.remove(channel)
                if master is None:
                    child.stdin.close()
        if out in ready:
            try:
                data = os.read(out, 32768)
            except OSError:  # the terminal's other side is closed
                data = b""
            if data:
                channel.sendall(data)
            else:
                ends.remove(out)
    channel.send_exit_status(child.wait(10))
    channel.close()


def start(line, terminal):
    """Start a command or, with None, a shell; returns it and its terminal, if it has one."""
    settings = os.environ | {"PS1": "$ ", "TERM": "xterm"}
    words = ["/bin/sh", "-c", line] if line is not None else ["/bin/sh", "-i"]
    if not terminal:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "bufsize": 0}
        return subprocess.Popen(words, env=settings, **pipes), None
    master, slave = pty.openpty()
    child = subprocess.Popen(
        words, stdin=slave, stdout=slave, stderr=slave, env=settings, start_new_session=True, close_fds=True
    )
    os.close(slave)
    return child, master


def with_paramiko(user, password, keys, methods, *hosts):
    """Serve by Paramiko for ever."""
    import paramiko

    class Server(paramiko.ServerInterface):
        def __init__(self, who, transport):
            self.who, self.transport = who, transport
            self.terminal, self.tries = set(), 0

        def get_allowed_auths(self, name):
            names = {"password": "password", "keyboard": "keyboard-interactive"}
            return ",".join(["publickey", *(names[method] for method in methods.split(","))])

        def judged(self, good, method):
            log(("Accepted" if good else "Failed") + f" {method} for {self.who}")
            self.tries += not good
            return paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED

        def check_auth_password(self, name, word):
            if "password" not in methods:
                return paramiko.AUTH_FAILED
            return self.judged((name, word) == (user, password), "password")

        def check_auth_interactive(self, name, submethods):
            return paramiko.InteractiveQuery("", "", ("Password: ", False)) if "keyboard" in methods else 2

        def check_auth_interactive_response(self, answers):
            return self.judged(list(answers) == [password], "keyboard-interactive")

        def check_auth_publickey(self, name, key):
            if key.get_base64() in known(keys):  # said of the question, too: Auth tells when it is accepted
                return paramiko.AUTH_SUCCESSFUL
            log(f"Failed publickey for {self.who}")
            return paramiko.AUTH_FAILED

        def check_channel_request(self, kind, number):
            return paramiko.OPEN_SUCCEEDED if kind == "session" else paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

        def check_channel_direct_tcpip_request(self, number, origin, destination):
            try:
                other = socket.create_connection(destination, timeout=5)
            except OSError:
                return paramiko.OPEN_FAILED_CONNECT_FAILED
            threading.Thread(target=self.forward, args=(number, other), daemon=True).start()
            return paramiko.OPEN_SUCCEEDED

        def forward(self, number, other):
            channel = None
            while channel is None or channel.get_id() != number:
                channel = self.transport.accept(10)
            while True:
                ready = select.select([channel, other], [], [], 30)[0]
                data = channel.recv(32768) if channel in ready else other.recv(32768)
                if not ready or not data:
                    break
                (other if channel in ready else channel).sendall(data)
            channel.close()

        def check_channel_pty_request(self, channel, *_):
            self.terminal.add(channel.get_id())
            return True

        def check_channel_window_change_request(self, channel, *_):
            return True

        def check_channel_env_request(self, channel, name, value):
            return True

        def run(self, channel, line):
            child, master = start(line, channel.get_id() in self.terminal)
            threading.Thread(target=pump, args=(channel, child, master), daemon=True).start()
            return True

        def check_channel_shell_request(self, channel):
            return self.run(channel, None)

        def check_channel_exec_request(self, channel, command):
            return self.run(channel, command.decode())

    class Auth(paramiko.auth_handler.AuthHandler):
        def _send_auth_result(self, name, method, result):
            if method == "publickey" and result == paramiko.AUTH_SUCCESSFUL:
                log(f"Accepted publickey for {self.transport.server_object.who}")
            return super()._send_auth_result(name, method, result)

    paramiko.transport.AuthHandler = Auth

    class Files(paramiko.SFTPServerInterface):
        def list_folder(self, path):
            return [paramiko.SFTPAttributes.from_stat(entry.stat(), entry.name) for entry in os.scandir(path)]

        def stat(self, path):
            try:
                return paramiko.SFTPAttributes.from_stat(os.stat(path))
            except OSError as error:
                return paramiko.SFTPServer.convert_errno(error.errno)

        lstat = stat

        def open(self, path, flags, attr):
            modes = {os.O_RDONLY: "rb", os.O_WRONLY: "r+b", os.O_RDWR: "r+b"}
            try:
                file = os.fdopen(os.open(path, flags, 0o644), modes[flags & 3])
            except OSError as error:
                return paramiko.SFTPServer.convert_errno(error.errno)
            handle = paramiko.SFTPHandle(flags)
            handle.readfile = handle.writefile = file
            return handle

    def one(sock, address):
        ip, port = peer(address)
        log(f"Connection from {ip} port {port} on server")
        transport = paramiko.Transport(sock)
        for host in hosts:
            kind = paramiko.RSAKey if "rsa" in host else paramiko.Ed25519Key
            transport.add_server_key(kind.from_private_key_file(host))
        transport.set_subsystem_handler("sftp", paramiko.SFTPServer, Files)
        server = Server(f"{user} from {ip} port {port} ssh2", transport)
        with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
            transport.start_server(server=server)
        while transport.is_active() and not transport.is_authenticated() and server.tries < TRIES:
            time.sleep(0.02)
        if not transport.is_authenticated():
            time.sleep(1)
            transport.close()

    listener = socket.create_server(("", 22), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)
    while True:
        threading.Thread(target=one, args=listener.accept(), daemon=True).start()


def with_twisted(user, password, keys, methods, *hosts):
    """Serve by Twisted Conch for ever; a refused password is answered after a second, as Conch does it."""
    import twisted
    from twisted.conch import error, unix
    from twisted.conch.checkers import IAuthorizedKeysDB, SSHPublicKeyChecker
    from twisted.conch.ssh import factory, userauth
    from twisted.conch.ssh import keys as sshkeys
    from twisted.cred import credentials, portal
    from twisted.cred.checkers import ICredentialsChecker
    from twisted.cred.error import UnauthorizedLogin
    from twisted.internet import defer, reactor
    from zope.interface import implementer

    @implementer(ICredentialsChecker)
    class Passwords:
        credentialInterfaces = (credentials.IUsernamePassword,)

        def requestAvatarId(self, given):
            if (given.username, given.password) == (user.encode(), password.encode()):
                return defer.succeed(given.username)
            return defer.fail(UnauthorizedLogin("wrong password"))

    @implementer(IAuthorizedKeysDB)
    class Keys:
        def getAuthorizedKeys(self, name):
            with open(keys) as lines:
                return [sshkeys.Key.fromString(line) for line in lines if line.strip()]

    class Auth(userauth.SSHUserAuthServer):
        def told(self, what):
            found = self.transport.transport.getPeer()
            ip, port = peer((found.host, found.port))
            log(f"{what} {self.method.decode()} for {user} from {ip} port {port} ssh2")

        def _cbFinishedAuth(self, result):
            self.told("Accepted")
            return super()._cbFinishedAuth(result)

        def _ebBadAuth(self, reason):
            if self.method != b"none" and not reason.check(error.IgnoreAuthentication):
                self.told("Failed")
            return super()._ebBadAuth(reason)

    class Factory(factory.SSHFactory):
        services = factory.SSHFactory.services | {b"ssh-userauth": Auth}

        def buildProtocol(self, address):
            ip, port = peer((address.host, address.port))
            log(f"Connection from {ip} port {port} on server")
            return super().buildProtocol(address)

        def getPrimes(self):
            return None

    class Realm(unix.UnixSSHRealm):
        def requestAvatar(self, username, mind, *interfaces):
            name = username if twisted.version.major > 22 else username.decode()
            return super().requestAvatar(name, mind, *interfaces)

    made = Factory()
    made.privateKeys = {(key := sshkeys.Key.fromFile(host)).sshType(): key for host in hosts}
    made.publicKeys = {name: key.public() for name, key in made.privateKeys.items()}
    checkers = [SSHPublicKeyChecker(Keys()), Passwords()]
    made.portal = portal.Portal(Realm(), checkers)
    reactor.listenTCP(22, made, interface="::")
    reactor.run()


if __name__ == "__main__":
    {"paramiko": with_paramiko, "twisted": with_twisted}[sys.argv[1]](*sys.argv[2:])
