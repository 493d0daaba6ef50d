# SSH protocol 2: what the login does, from sizes alone.
#
# Every cipher pads in its own way, so a size says little; the difference of two sizes says much. The service request
# and its acceptance carry the same 17 bytes (RFC 4253, 10) and so have the same size, whatever cipher and MAC were
# agreed; that is the anchor, `req`. USERAUTH_SUCCESS is a single byte (RFC 4252, 5.1): 16 bytes less than `req` with
# every cipher of block size 8 or 16 that was tried, 8 less from Dropbear's server with chacha20, which never sends a
# packet of less than 16 bytes. Nothing else that a server says during the login is that small. USERAUTH_FAILURE lists
# the methods that may continue, so all refusals of one flow have the size of the first one, `fail`: the answer to the
# request "none" with which most clients begin.
#
# Taken from: OpenSSH 9.2p1, Dropbear 2022.83, libssh 0.10 (hydra 9.4), libssh2 1.10 (curl 7.88), Paramiko 2.12, on
# Debian 12, in chacha20-poly1305, aes-gcm, aes-ctr and aes-cbc with umac, sha1 and sha2, MAC before and after. Read
# against older captures: OpenSSH 5 to 8, Cisco, Apple.
# Surprising: libssh2 in some versions joins NEWKEYS (16 bytes) and the service request in one segment; Dropbear's
# client does not wait for anything and joins three messages. OpenSSH pads each password message to a multiple of 64,
# but the message may be as long as the query for an Ed25519 key, so a fast refusal of that size tells nothing.
# Not covered: clients that skip "none" (Paramiko on its first attempt, some brute-force tools on libssh2), servers that send a banner in the same segment as
# the first refusal, ciphers with random padding (Apache MINA). They stay unknown.

# One hit for each refused attempt, passwords and keys alike: an agent that offers three unknown keys makes three.
tcp * = < x8-255 ~ x8-1600 (~ x*){2,12} ~ c16-128 ~ c40-100#req ~ s@req ~ c48-200 ~ s36-200#fail (~ c52-1500 ~ s@fail | ~ c52-400 ~ s@req+32/24 ~ c36-400 ~ s@fail | ~ c@req ~ s@req ~ c52-400 ~ s@fail){1,} : SSH2 - authentication attempt refused (password or key)
    id = ssh.auth.failure
    severity = low
    attack = T1110
    category = ssh
    reference = RFC 4252

# The pause before the request is the person; OpenSSH's server takes its own time to answer, hence `~`.
tcp * = < x8-255 ~ x8-1600 (~ x*){2,12} ~ c16-128 ~ c40-100#req ~ s@req ~ c48-200 ~ s36-200#fail (~ c52-1500 ~ s@fail){0,} + c52-400 ~ s@fail : SSH2 - wrong password, typed by a person
    id = ssh.auth.failure.typed
    severity = low
    attack = T1110.001
    category = ssh
    note = also a refused hardware key that had to be touched first

# The query for a public key is at least 64 bytes longer than "none" (the smallest, Ed25519, carries 76 more), a short
# password at most 56: a refusal of such a message at once is a password that nobody typed.
tcp * = < x8-255 ~ x8-1600 (~ x*){2,12} ~ c16-128 ~ c40-100#req ~ s@req ~ c48-200#none ~ s36-200#fail (~ c52-1500 ~ s@fail){0,} c@none+28/28 ~ s@fail : SSH2 - wrong password, sent by a program
    id = ssh.auth.failure.automated
    severity = medium
    attack = T1110.001
    category = ssh
    note = libssh, libssh2, Go and OpenSSH with short passwords; hydra, curl, sshpass

# OpenSSH's client pads: in chacha20 "none" has 60 bytes for a user name of up to 4 letters (root), a password 148, and
# the query for an Ed25519 key 140. With longer names the two cannot be told apart.
tcp * = < x8-255 ~ x8-1600 (~ x*){2,12} ~ c16-128 ~ c44 ~ s44 ~ c60 ~ s36-200#fail (~ c52-1500 ~ s@fail){0,} c148 ~ s@fail : SSH2 - wrong password, sent by a program (OpenSSH)
    id = ssh.auth.failure.automated.openssh
    severity = medium
    attack = T1110.001
    category = ssh

# NEWKEYS and the service request in one segment: the acceptance is 16 bytes smaller.
tcp * = < x8-255 ~ x8-1600 (~ x*){2,9} ~ c20-1300 ~ s150-1600 (s20-1600){0,1} ~ c56-116#keys ~ s@keys-16 ~ c48-200#none ~ s36-200#fail (~ c52-1500 ~ s@fail){0,} c@none+28/28 ~ s@fail : SSH2 - wrong password, sent by a program (libssh2)
    id = ssh.auth.failure.automated.libssh2
    severity = medium
    attack = T1110.001
    category = ssh

# Paramiko does not ask for "none", but asks for the service again before each attempt.
tcp * = < x8-255 ~ x8-1600 (~ x*){2,12} ~ c16-128 ~ c40-100#req ~ s@req ~ c48-200 ~ s36-200#fail (c@req ~ s@req c52-400 ~ s@fail){1,} : SSH2 - wrong password, sent by a program (Paramiko)
    id = ssh.auth.failure.automated.paramiko
    severity = medium
    attack = T1110.001
    category = ssh

# dbclient sends banner, KEXINIT and its guess of the key exchange in one segment, then NEWKEYS, the service request and
# "none" in one: 128 bytes for a user name of 5 to 12 letters in chacha20. After each refusal it tries again.
tcp * = < c500-1500 ~ s20-1500 (~ s100-1500 | ~ c48){0,3} ~ c128/8 ~ s44 ~ s52/8#fail (c60-148 ~ s@fail){1,} : SSH2 - wrong password, sent by a program (Dropbear)
    id = ssh.auth.failure.automated.dropbear
    severity = medium
    attack = T1110.001
    category = ssh

tcp * = < x8-255 ~ x8-1600 (~ x*){2,12} ~ c16-128 ~ c40-100#req ~ s@req ~ c48-200 ~ s36-200#fail (~ c52-1500 ~ s@fail | ~ c52-400 ~ s@req+32/24){0,} (~ c84-1500 ~ s84-900){0,1} ~ c36-1700 ~ s@req-12/4 : SSH2 - login succeeded
    id = ssh.auth.success
    severity = low
    attack = T1021.004
    category = ssh

# The server says that it would take the key (PK_OK), then the client signs.
tcp * = < x8-255 ~ x8-1600 (~ x*){2,12} ~ c16-128 ~ c40-100#req ~ s@req ~ c48-200 ~ s36-200#fail (~ c52-1500 ~ s@fail){0,} ~ c84-1500 ~ s84-900 ~ c200-1700 ~ s@req-12/4 : SSH2 - login by key
    id = ssh.auth.success.key
    severity = low
    attack = T1021.004
    category = ssh

tcp * = < x8-255 ~ x8-1600 (~ x*){2,12} ~ c16-128 ~ c40-100#req ~ s@req ~ c48-200 ~ s36-200#fail (~ c52-1500 ~ s@fail){0,} + c52-200 ~ s@req-12/4 : SSH2 - login by a password that a person typed
    id = ssh.auth.success.typed
    severity = low
    attack = T1021.004
    category = ssh

# Equal sizes without a pause, and no PK_OK before the success: all of these were passwords.
tcp * = < x8-255 ~ x8-1600 (~ x*){2,12} ~ c16-128 ~ c40-100#req ~ s@req ~ c48-200 ~ s36-200#fail (~ c52-1500 ~ s@fail){0,} c52-400#word ~ s@fail (c@word ~ s@fail){0,} c@word ~ s@req-12/4 : SSH2 - password guessed by a program
    id = ssh.auth.success.guessed
    severity = critical
    attack = T1110.001, T1021.004
    category = ssh

# After both KEXINITs the client sends its half of the key exchange, sees the server's key and is gone. A person who says
# "no", a client that knows another key (a man in the middle, or a new server), or a scanner that collects keys.
tcp * = < x8-64 ~ x8-255 ( ~ c300-2000 (~ c20-1500){0,1} ~ s300-2000 (~ s20-1500){0,1} | ~ s300-2000 (~ s20-1500){0,1} ~ c300-2000 (~ c20-400){0,1} ) (~ c20-30 ~ s100-1100){0,1} ~ c48-1300 ~ s200-1600 (s20-1600){0,2} > : SSH2 - client left after it saw the server's key
    id = ssh.hostkey.refused
    severity = medium
    attack = T1557
    category = ssh

# A key pressed is CHANNEL_DATA of one byte: 8 bytes less than `req` in chacha20, 16 less in AES. Six in a row with the
# pauses of a hand. Echoes stand anywhere between them: over a long link the person is ahead of what the screen shows.
# WINDOW_ADJUST has the same size in chacha20, but a download has more and larger packets between two of them.
# OpenSSH 9.5 and later hide keystrokes among chaff at a fixed pace of 20 ms: those stay unknown.
tcp * = < x8-255 ~ x8-1600 (~ x*){2,12} ~ c16-128 ~ c40-100#req ~ s@req ... +30ms-900ms c@req-12/4#key (~ s28-400){0,3} (+30ms-900ms c@key (~ s28-400){0,3}){5} : SSH2 - a person types in a session
    id = human.typing.ssh
    severity = low
    attack = T1021.004
    category = ssh
