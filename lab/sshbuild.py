# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs of the SSH lab that are compiled first, in Go and Java, and which of the optional ones this machine has.

Compiled ones are kept in FLOWTAP_CACHE (/var/cache/flowtap), by the hash of their source.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from lab import debian
from lab.network import LabError

SOURCES = Path(__file__).with_name("other")
JSCH = Path("/usr/share/java/jsch.jar")
LIMIT = 300.0  # seconds that one build may take


def _built(name: str) -> Path:
    source = SOURCES / name
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:12]
    return Path(os.environ.get("FLOWTAP_CACHE", "/var/cache/flowtap")) / f"{source.stem}-{digest}"


GO = _built("sshgo.go")
JAVA = _built("Jsch.java")  # a folder of classes
# By client of `ssh-new`: its library in the system of `sshnewsystem`, and the folder of its classes.
JARS = {
    "trilead": "/usr/share/java/trilead-ssh2.jar",
    "jenkins": "/usr/share/java/jenkins-trilead-ssh2.jar",
    "ganymed": "/usr/share/java/ganymed-ssh2.jar",
}
TRILEAD = {name: _built("Trilead.java").with_name(f"{_built('Trilead.java').name}-{name}") for name in JARS}


def _build(target: Path, command: list[str], **variables: str) -> None:
    """Run a compiler whose word OUT is where the result goes, unless it is there already."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        part = Path(folder) / "out"
        words = [str(part) if word == "OUT" else word for word in command]
        done = subprocess.run(
            words, env=os.environ | variables, capture_output=True, timeout=LIMIT, check=False, text=True
        )
        if done.returncode:
            raise LabError(f"{' '.join(words)}: {done.stderr.strip()[-500:]}")
        part.rename(target)


def build_trilead(root: Path) -> list[str]:
    """Compile the client of Trilead and its relatives, whose libraries are in a system's directory; see `build`."""
    failed = []
    for name, classes in TRILEAD.items():
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "Trilead.java"
            text = (SOURCES / "Trilead.java").read_text()
            source.write_text(text.replace("com.trilead.", "ch.ethz.") if name == "ganymed" else text)
            try:
                _build(classes, ["javac", "-cp", f"{root}{JARS[name]}", "-d", "OUT", str(source)])
            except (LabError, OSError) as error:
                failed.append(f"{name}: {error}".replace("\n", " "))
    return failed


def build() -> list[str]:
    """Compile what this machine has compilers and libraries for; return what compilers said against it, a line each."""
    jobs: list[tuple[Path, list[str], dict[str, str]]] = []
    libraries = ("golang.org/x/crypto/ssh", "github.com/pkg/sftp", "github.com/creack/pty")
    if shutil.which("go") and all((Path("/usr/share/gocode/src") / name).is_dir() for name in libraries):
        packages = {"GOPATH": "/usr/share/gocode", "GO111MODULE": "off", "GOCACHE": str(GO.parent / "go-cache")}
        jobs.append((GO, ["go", "build", "-o", "OUT", str(SOURCES / "sshgo.go")], packages))
    if shutil.which("javac") and JSCH.exists():
        jobs.append((JAVA, ["javac", "-cp", str(JSCH), "-d", "OUT", str(SOURCES / "Jsch.java")], {}))
    failed = []
    for target, command, variables in jobs:
        try:
            _build(target, command, **variables)
        except LabError as error:
            failed.append(str(error).replace("\n", " "))
    return failed


@functools.cache
def _answers(*command: str) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0


def _python(module: str) -> bool:
    return _answers("/usr/bin/python3", "-c", f"from importlib.util import find_spec as f; exit(not f('{module}'))")


def _library(name: str) -> bool:
    return _answers("/usr/bin/python3", "-c", f"import ctypes; ctypes.CDLL('{name}')")


# Of each optional program or server: whether it is there, and Debian's packages that bring it.
OPTIONAL = {
    "go": (GO.exists, "golang-go golang-golang-x-crypto-dev golang-github-pkg-sftp-dev golang-github-creack-pty-dev"),
    "jsch": (lambda: JAVA.exists() and shutil.which("java") is not None, "default-jdk-headless libjsch-java"),
    "twisted": (lambda: _python("twisted"), "python3-twisted python3-bcrypt python3-pyasn1"),
    "libssh": (lambda: _library("libssh.so.4"), "libssh-4"),
    "php": (lambda: _answers("php", "-r", "exit(function_exists('ssh2_connect') ? 0 : 1);"), "php-ssh2"),
    "ruby": (lambda: _answers("ruby", "-e", "require 'net/scp'"), "ruby ruby-net-ssh ruby-net-scp"),
    "conch": (lambda: shutil.which("conch3") is not None, "python3-twisted"),
    "debian 13": (debian.LIBRARIES.is_dir, "debootstrap"),
    **{
        name: (lambda tool=tool: shutil.which(tool) is not None, name)  # type: ignore[misc]
        for name, tool in {
            "rsync": "rsync", "git": "git", "sshfs": "sshfs", "autossh": "autossh", "lftp": "lftp",
            "patator": "patator", "nmap": "nmap", "ssh-audit": "ssh-audit",
        }.items()
    },
}  # fmt: skip


def lacks(name: str) -> str:
    """Return the packages that bring what this machine lacks; empty when it is there, or is not optional."""
    there, packages = OPTIONAL.get(name, (lambda: True, ""))
    return "" if there() else packages
