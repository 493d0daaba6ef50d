# SPDX-License-Identifier: LGPL-2.1-or-later
# Everything that is run by hand, from a fresh Debian 12 on: each target installs what it needs, once.
#
#   make demo     live: flowtap on a gateway between a client and a real sshd, as root; matches appear as they happen
#   make replay   read a capture that the project recorded, and print what it finds; needs no root once installed
#   make lab      record labelled captures of real programs in LAB (lab/out), or a part of it (ONLY=ssh), as root;
#                 of SSH nothing more is begun after LAB_SECONDS (3000)
#   make test     lint, types, and all tests
#   make bench    benchmarks, as JSON in bench/out
#   make bench-live    the same of the live pipeline under a flood, as root
#   make bench-replay  captures below the folder CAPTURES, live and from their files, as root
#   make fuzz     fuzz the parsers, each for SECONDS (600)
#   make nightly  the long versions of the property tests
#   make man      man pages in build/man
#   make install  on this host, below PREFIX (/usr/local); with DESTDIR staged for another; then `flowtap deploy`
#   make uninstall  all of that; what was changed or written since stays, and `make purge` removes it too
#   make test-systemd  what was installed, in a Debian system that boots in namespaces
#   make clean    remove what was built, not the virtual environment
#
# Packages of the system are installed only when one is missing, and only that needs root. The virtual environment is
# made by /usr/bin/python3, not by the first python3 on the PATH: it must see the system's site packages. Targets never
# run side by side: two runs of apt, or two builds in this directory, are in each other's way.

SHELL = /bin/bash
.SHELLFLAGS = -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL = demo
.NOTPARALLEL:
.PHONY: demo replay lab test test-systemd bench bench-live bench-replay fuzz nightly man install uninstall purge clean apt apt-test

VENV = .venv
PYTHON = $(VENV)/bin/python
SECONDS = 600
LAB_SECONDS = 3000
PREFIX = /usr/local
DESTDIR =
DEMO = tests/captures/demo.pcap.gz
CAPTURES = tests/captures
LAB = lab/out
ONLY = ssh tls plain

APT = gcc libc6-dev libpcap-dev python3-bpfcc python3-dev python3-venv
APT_LAB = $(APT) ethtool iproute2 openssh-client openssh-server openssl
APT_RECORD = $(APT_LAB) aria2 curl debootstrap dropbear-bin expect ftp git gnutls-bin haproxy hydra lftp \
  libnginx-mod-stream medusa ncat ncrack netcat-openbsd nghttp2-client nghttp2-proxy nginx nmap php-cli putty-tools \
  python3-aiosmtpd python3-asyncssh python3-paramiko python3-pexpect python3-pyftpdlib ruby socat squid-openssl \
  sshpass stunnel4 swaks tcpdump telnet telnetd tinyproxy w3m wget
APT_SSH = autossh default-jdk-headless git golang-github-creack-pty-dev golang-github-pkg-sftp-dev golang-go \
  golang-golang-x-crypto-dev libjsch-java libssh-4 patator php8.2-ssh2 python3-bcrypt python3-pyasn1 python3-twisted \
  rsync ruby-net-scp ruby-net-ssh ssh-audit sshfs
APT_MORE = apache2-bin chromium connect-proxy corkscrew dovecot-imapd erlang-ssl firefox-esr golang-go \
  golang-golang-x-crypto-dev hitch libio-socket-ssl-perl libnss3-tools links2 lua-sec mitmproxy mosquitto \
  mosquitto-clients nodejs openjdk-17-jdk-headless proxytunnel python3-venv subversion tcl-tls tinysshd trojan v2ray
APT_NEW = $(APT_MORE) apache2-utils axel busybox elinks erlang-ssh fish glib-networking ipsvd ksh libanyevent-perl libglib2.0-bin \
  libmbedtls14 libmono-system-net-http4.0-cil libwww-perl lynx mercurial microsocks mksh mono-mcs mono-runtime \
  nodejs rlwrap ruby-net-ssh siege stone swi-prolog-nox tcsh websockify wget2 yash zsh
APT_WEB = apache2-bin apache2-utils aria2 axel caddy chromium default-jdk-headless dovecot-imapd dovecot-pop3d elinks \
  fetchmail firefox-esr git gnutls-bin golang-go h2o haproxy hey httpie httrack isync knot-dnsutils ldap-utils lftp \
  libnss3-tools libwww-perl lighttpd \
  lighttpd-mod-openssl links lynx mariadb-client mariadb-server memcached mosquitto mosquitto-clients msmtp nats-server \
  ncat nghttp2-client nghttp2-proxy nginx ngircd nodejs openssl php-cli php-curl postgresql postgresql-client \
  python3-aiohttp python3-aiosmtpd python3-cheroot python3-hypercorn python3-impacket python3-ldap3 python3-paho-mqtt \
  python3-pexpect python3-psycopg2 python3-pycurl python3-pyftpdlib python3-pymysql python3-redis python3-requests \
  python3-scapy python3-terminado python3-tornado python3-uvicorn python3-websockets python3-wsproto rclone redis-server redis-tools \
  rsync ruby samba shellinabox siege sip-tester slapd smbclient socat subversion swaks tigervnc-standalone-server unbound w3m \
  wget wget2 wrk x11-apps x11-utils xtightvncviewer xvfb
APT_TEST = $(APT_LAB) clang-14 p0f tcpdump tcpreplay tshark
APT_SYSTEMD = $(APT) debootstrap openssh-client
APT_BENCH = $(APT_LAB) bpftool iperf3 p0f softflowd tcpdump tcpreplay
APT_FUZZ = $(APT) clang-14 libclang-rt-14-dev

PIP = $(PYTHON) -m pip install --quiet --disable-pip-version-check
SOURCES = $(wildcard bpf/*.h bench/*.p[yx][xd] capture/*.p[yx][xd] engine/*.p[yx][xd] engine/*.h)
CODE = bench bpf capture engine flowtap fuzz lab sigdb tests setup.py

# Install the packages $(1) unless all of them are there.
define packages
missing=; for p in $(1); do \
  dpkg-query -W -f '$${db:Status-Status}\n' $$p 2>/dev/null | grep -x installed >/dev/null || missing+=" $$p"; \
done; \
if [ -n "$$missing" ]; then \
  if [ "$$(id -u)" != 0 ]; then \
    echo "make: these packages are missing, and installing them needs root: apt-get install$$missing" >&2; exit 1; \
  fi; \
  export DEBIAN_FRONTEND=noninteractive; \
  apt-get -qq update; apt-get -qq install -y --no-install-recommends $$missing >/dev/null; \
fi
endef

apt:
	@$(call packages,$(APT))

apt-test:
	@$(call packages,$(APT_TEST))

# Build requirements go into the environment too: building without isolation then needs nothing more, and is repeatable.
# From 71 on setuptools prefers the system's packages to those it brings, and fails on Debian's python3-jaraco.functools.
# venv makes pip last: without it an earlier run was interrupted, and venv completes the environment.
$(VENV)/.made: setup.cfg pyproject.toml | apt
	@test -x $(VENV)/bin/pip || /usr/bin/python3 -m venv --system-site-packages $(VENV)
	@$(PIP) 'setuptools>=68,<71' wheel 'Cython>=3.3,<4'
	@touch $@

$(VENV)/.built: $(VENV)/.made setup.py $(SOURCES)
	@echo "Building flowtap ..."
	@$(PIP) --no-build-isolation --editable .
	@touch $@

# The same again with all warnings on and none allowed, and with what the tests need.
$(VENV)/.tested: $(VENV)/.made setup.py $(SOURCES)
	@echo "Building flowtap for the tests ..."
	@FLOWTAP_STRICT=1 $(PIP) --no-build-isolation --editable '.[test]'
	@touch $(VENV)/.built $@

$(VENV)/.lab: $(VENV)/.built
	@$(call packages,$(APT_LAB))
	@$(PIP) --no-build-isolation --editable '.[lab]'
	@touch $@

demo: $(VENV)/.lab
	@$(PYTHON) -m lab.demo

lab: $(VENV)/.lab
	@$(call packages,$(APT_RECORD))
	@for kind in $(ONLY); do \
	  case $$kind in \
	    ssh) ( $(call packages,$(APT_SSH)) ) || echo "make: some programs are left out" >&2; \
	      $(PYTHON) -m lab.dataset ssh ssh-more ssh-releases -s '$(LAB_SECONDS)' -o '$(LAB)';; \
	    ssh-conditions) $(PYTHON) -m lab.dataset ssh-conditions -n 0-134 -s '$(LAB_SECONDS)' -o '$(LAB)';; \
	    ssh-friends) $(PYTHON) -m lab.dataset ssh-friends -n 0-5 -s 900 -o '$(LAB)';; \
	    ssh-new) $(PYTHON) -m lab.dataset ssh-new -n 0-33 -s '$(LAB_SECONDS)' -o '$(LAB)';; \
	    browser) $(call packages,chromium); $(PYTHON) -m lab.browser -o '$(LAB)'/browser;; \
	    web) ( $(call packages,$(APT_WEB)) ) || echo "make: some programs are left out" >&2; \
	      $(PYTHON) -m lab.web -o '$(LAB)'/web -n 2; $(PYTHON) -m lab.web --more -o '$(LAB)'/web -n 1;; \
	    more) $(call packages,$(APT_MORE)); $(PYTHON) -m lab.tlstools; \
	      $(PYTHON) -m lab.tlsrun --kind more -o '$(LAB)'/more;; \
	    new) $(call packages,$(APT_NEW)); $(PYTHON) -m lab.tlstools; \
	      $(PYTHON) -m lab.tlsrun --kind new -o '$(LAB)'/new;; \
	    tls|plain) $(PYTHON) -m lab.tlsrun --kind $$kind -o '$(LAB)'/$$kind;; \
	    *) echo "make lab: ONLY is some of: ssh ssh-conditions ssh-friends ssh-new tls more new plain browser web; not $$kind" >&2; exit 2;; \
	  esac; \
	done

replay: $(VENV)/.built
	@echo
	@echo "A capture that this project recorded: a person who mistypes a password, a program that guesses, a login by"
	@echo "key, a mail typed by hand. flowtap looks at who sent how many bytes and when, never at content."
	@echo
	@echo "\$$ .venv/bin/flowtap read $(DEMO)"
	@$(VENV)/bin/flowtap read --no-progress $(DEMO)

test: apt-test $(VENV)/.tested
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check --quiet .
	@$(VENV)/bin/mypy
	@$(PYTHON) -m pytest

nightly: apt-test $(VENV)/.tested
	@FLOWTAP_NIGHTLY=1 $(PYTHON) -m pytest

bench: $(VENV)/.built
	@$(call packages,$(APT_BENCH))
	@$(PIP) --no-build-isolation --editable '.[bench]'
	@mkdir -p bench/out
	@$(PYTHON) -m bench.engine | tee bench/out/engine.json
	@$(PYTHON) -m bench.read | tee bench/out/read.json
	@$(PYTHON) -m bench.worker | tee bench/out/worker.json
	@$(PYTHON) -m bench.fingerprint | tee bench/out/fingerprint.json
	@$(PYTHON) -m bench.hosts | tee bench/out/hosts.json

bench-live: $(VENV)/.lab
	@$(call packages,$(APT_BENCH))
	@mkdir -p bench/out
	@$(PYTHON) -m bench.kernel | tee bench/out/kernel.json
	@$(PYTHON) -m bench.parts | tee bench/out/parts.json
	@$(PYTHON) -m bench.live | tee bench/out/live.json

bench-replay: $(VENV)/.lab
	@$(call packages,$(APT_BENCH))
	@mkdir -p bench/out
	@for backend in ebpf afpacket; do \
	  $(PYTHON) -m bench.replay --backend $$backend '$(CAPTURES)' | tee bench/out/replay-$$backend.json; \
	done

fuzz: $(VENV)/.built
	@$(call packages,$(APT_FUZZ))
	@$(PIP) --no-build-isolation --editable '.[fuzz]'
	@$(PYTHON) fuzz/run.py $(SECONDS)

man: $(VENV)/.built
	@$(PYTHON) docs/man.py build/man

# The wheel is made here, and what runs is a copy of it: a change in this directory reaches the host by the next install.
install: man
	@rm -rf build/bdist* build/wheel
	@find build/lib* -type f ! -name '*.so' -delete 2>/dev/null || true
	@$(PYTHON) -m pip wheel --quiet --disable-pip-version-check --no-build-isolation --no-deps -w build/wheel .
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' deploy/install.sh install build/wheel/*.whl \
	  '$(PYTHON) -m pip --disable-pip-version-check' build/man

uninstall purge:
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' deploy/install.sh $@

test-systemd: $(VENV)/.tested
	@$(call packages,$(APT_SYSTEMD))
	@FLOWTAP_SYSTEMD=1 $(PYTHON) -m pytest tests/test_systemd.py

clean:
	rm -rf build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis bench/out fuzz-out
	rm -f bench/*.c bench/*.so capture/*.c capture/*.so engine/*.c engine/*.so $(VENV)/.built $(VENV)/.lab $(VENV)/.tested
	find $(filter-out setup.py,$(wildcard $(CODE))) -name __pycache__ -prune -exec rm -rf {} +
