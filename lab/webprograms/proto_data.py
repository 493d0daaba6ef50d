# SPDX-License-Identifier: LGPL-2.1-or-later
# ruff: noqa: D103, PLC0415 - each role has its own library and is named for what it does
"""Directories, brokers, databases, names."""

import ssl
import time

from proto_base import AT, HOST, NAMES, PORT, TLS, Outside, connect, person, run, text, trusting


def ldap(draw):
    import ldap3

    way = ldap3.Tls(validate=ssl.CERT_NONE)
    server = ldap3.Server(HOST, PORT, use_ssl=TLS, tls=way, get_info=draw.choice((ldap3.NONE, ldap3.DSA)))
    with ldap3.Connection(server, "cn=admin,dc=lab", "lab") as tree:
        for _ in range(draw.randint(1, 8)):
            tree.search("dc=lab", f"(cn={text(draw, 6)})", attributes=["*"])
            time.sleep(draw.choice((0, 0, 0.3, 1.2)))


def ldap_search(draw):
    way = f"{'ldaps' if TLS else 'ldap'}://{AT}:{PORT}"
    run("ldapsearch", "-x", "-H", way, "-b", "dc=lab", f"(uid={text(draw, 6)})", LDAPTLS_REQCERT="never")


def mqtt(draw):
    import paho.mqtt.client as paho

    made = paho.Client()
    if TLS:
        made.tls_set_context(trusting())
        made.tls_insecure_set(True)
    made.connect(HOST, PORT, keepalive=draw.choice((5, 10, 60)))
    made.loop_start()
    made.subscribe(f"room/{draw.randrange(4)}/#", draw.randrange(2))
    regular, size = draw.random() < 0.5, draw.randint(4, 200)
    for _ in range(draw.randint(2, 14)):
        time.sleep(draw.choice((0.1, 1, 2)) * draw.uniform(0.9, 1.1))
        made.publish(
            f"room/{draw.randrange(4)}/t", "9" * (size if regular else draw.randint(2, 300)), draw.randrange(2)
        )
    made.disconnect()
    made.loop_stop()


def mqtt_tools(draw):
    way = ["-h", HOST, "-p", str(PORT)] + (
        ["--cafile", "/etc/ssl/certs/ca-certificates.crt", "--insecure"] if TLS else []
    )
    if draw.random() < 0.5:
        run("timeout", "12", "mosquitto_sub", *way, "-t", "room/#", "-k", "5", "-C", str(draw.randint(1, 6)))
    else:
        lines = "".join(text(draw, 40) + "\n" for _ in range(draw.randint(1, 9)))
        run("mosquitto_pub", *way, "-t", "room/1/x", "-l", given=lines.encode())


def redis(draw):
    import redis as library

    more = {"ssl": True, "ssl_cert_reqs": None} if TLS else {}
    base = library.Redis(HOST, PORT, socket_timeout=20, single_connection_client=True, **more)
    for _ in range(draw.randint(2, 40)):
        kind = draw.random()
        if kind < 0.4:
            base.set(f"key:{draw.randrange(99)}", text(draw, 30, 1.2))
        elif kind < 0.8:
            base.get(f"key:{draw.randrange(99)}")
        else:
            base.incr("count")
        time.sleep(draw.choice((0, 0, 0, 0.1, 1)))
    base.close()


def redis_cli(draw):
    lines = ["set name value", "get name", "keys *", "info server", "incr hits", "del name", "quit"]
    way = ["--tls", "--insecure"] if TLS else []
    person(draw, ["redis-cli", "-h", HOST, "-p", str(PORT), *way], "> $", [*draw.sample(lines[:-1], 4), "quit"])


QUERIES = (
    "select 1;",
    "select version();",
    "select count(*) from pg_class;",
    "select relname from pg_class limit 20;",
    "create temp table t (a int, b text);",
    "insert into t values (1, 'one');",
    "select * from t;",
    "show all;",
    "\\l",
    "\\dt",
)


def psql_typed(draw):
    with Outside() as out:
        words = ["psql", "-h", out.host, "-p", str(out.port), "-U", "lab", "-P", "pager=off", "postgres"]
        person(draw, words, "=[>#] $", [*draw.sample(QUERIES, 5), "\\q"])


def psql(draw):
    with Outside() as out:
        words = [
            "psql",
            "-h",
            out.host,
            "-p",
            str(out.port),
            "-U",
            "lab",
            "-qAt",
            "postgres",
            "-c",
            draw.choice(QUERIES[:4]),
        ]
        run(*words, given=None, PGSSLMODE=draw.choice(("disable", "prefer")))


def postgres(draw):
    import psycopg2

    with Outside() as out:
        base = psycopg2.connect(host=out.host, port=out.port, user="lab", dbname="postgres", sslmode="disable")
        rows = base.cursor()
        for _ in range(draw.randint(2, 25)):
            rows.execute("select %s, relname from pg_class limit %s", (text(draw, 20), draw.choice((1, 1, 3, 40))))
            rows.fetchall()
            time.sleep(draw.choice((0, 0, 0, 0.2, 1.1)))
        base.close()


def mysql_typed(draw):
    with Outside() as out:
        words = ["mysql", "-h", out.host, "-P", str(out.port), "-u", "lab", "--protocol=tcp", "--skip-ssl"]
        lines = ("select 1;", "show databases;", "select now();", "show variables;", "show processlist;", "status")
        person(draw, words, r"\]> $", [*draw.sample(lines, 4), "quit"])


def mysql(draw):
    import pymysql

    with Outside() as out:
        base = pymysql.connect(host=out.host, port=out.port, user="lab")
        with base.cursor() as rows:
            for _ in range(draw.randint(2, 25)):
                rows.execute("select %s, 1 + %s", (text(draw, 20), draw.randrange(99)))
                rows.fetchall()
                time.sleep(draw.choice((0, 0, 0, 0.2, 1.1)))
        base.close()


def memcached(draw):
    with connect() as stream:
        for _ in range(draw.randint(2, 30)):
            value = text(draw, 40)
            stream.sendall(
                f"set k{draw.randrange(9)} 0 0 {len(value)}\r\n{value}\r\n".encode()
                if draw.random() < 0.4
                else f"get k{draw.randrange(9)}\r\n".encode()
            )
            stream.recv(4096)
            time.sleep(draw.choice((0, 0, 0.1, 1)))


def nats(draw):
    """Speak the text protocol of NATS: servers ping, clients publish and are told."""
    with connect() as stream:
        stream.recv(4096)
        stream.sendall(b'CONNECT {"verbose":false,"lang":"python","version":"2"}\r\nPING\r\n')
        stream.recv(100)
        stream.sendall(b"SUB room 1\r\n")
        for _ in range(draw.randint(3, 15)):
            value = text(draw, 40)
            stream.sendall(f"PUB room {len(value)}\r\n{value}\r\n".encode())
            stream.recv(4096)
            time.sleep(draw.choice((0, 0.3, 1.1)))


def names(draw):
    way = ["+tls"] if TLS else ["+tcp"]
    asked = [
        word
        for _ in range(draw.randint(1, 9))
        for word in (draw.choice(NAMES), draw.choice(("A", "AAAA", "TXT", "MX")))
    ]
    words = ["kdig", *way, "+keepopen", f"@{HOST}", "-p", str(PORT), *asked]
    run(*words, limit=30)
