# SPDX-License-Identifier: LGPL-2.1-or-later
# ruff: noqa: D103, PLC0415 - each role has its own library and is named for what it does
"""Web clients in Python: `client.py KIND PLAN`, PLAN as JSON of lab/webplan.py with the base URL.

KIND is requests, urllib3, http.client, pycurl, cffi (curl_cffi, as browsers), curl (the program, a process for each
session), httpx, aiohttp. Each session is one connection.
"""

import asyncio
import json
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
import warnings

warnings.simplefilter("ignore")
DONE = 30  # seconds that an answer may take


def trusting(old):
    """Return the settings of a client."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    if old:
        made.maximum_version = ssl.TLSVersion.TLSv1_2
    return made


def wait(step):
    """Pause before a step."""
    if step[0] > 0:
        time.sleep(step[0])


def body(step):
    """Return what a step sends."""
    return b"y" * step[4] or None


def by_requests(base, one):
    import requests
    from requests.adapters import HTTPAdapter

    class Flavoured(HTTPAdapter):
        def init_poolmanager(self, *words, **more):
            return super().init_poolmanager(*words, **more, ssl_context=trusting(one["old"]))

        def cert_verify(self, *_):
            pass

    with requests.Session() as web:
        web.mount("https://", Flavoured())
        for step in one["steps"]:
            wait(step)
            web.request(step[1], base + step[2], headers=step[3], data=body(step), timeout=DONE, allow_redirects=False)


def by_urllib3(base, one):
    import urllib3

    pool = urllib3.PoolManager(ssl_context=trusting(one["old"]), cert_reqs="CERT_NONE", assert_hostname=False)
    for step in one["steps"]:
        wait(step)
        pool.request(step[1], base + step[2], headers=step[3], body=body(step), timeout=DONE, redirect=False)


def by_client(base, one):
    import http.client

    place = urllib.parse.urlsplit(base)
    if place.scheme == "http":
        web = http.client.HTTPConnection(place.hostname, place.port or 80, timeout=DONE)
    else:
        web = http.client.HTTPSConnection(place.hostname, place.port or 443, timeout=DONE, context=trusting(one["old"]))
    for step in one["steps"]:
        wait(step)
        web.request(step[1], step[2], body(step), step[3])
        web.getresponse().read()
    web.close()


def by_pycurl(base, one):
    import io

    import pycurl

    web = pycurl.Curl()
    web.setopt(pycurl.SSL_VERIFYPEER, 0)
    web.setopt(pycurl.SSL_VERIFYHOST, 0)
    web.setopt(pycurl.TIMEOUT, DONE)
    web.setopt(pycurl.NOSIGNAL, 1)
    web.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS if one["h2"] else pycurl.CURL_HTTP_VERSION_1_1)
    if one["old"]:
        web.setopt(pycurl.SSLVERSION, pycurl.SSLVERSION_MAX_TLSv1_2)
    for step in one["steps"]:
        wait(step)
        web.setopt(pycurl.URL, base + step[2])
        web.setopt(pycurl.CUSTOMREQUEST, step[1])
        web.setopt(pycurl.NOBODY, step[1] == "HEAD")
        web.setopt(pycurl.HTTPHEADER, [f"{key}: {value}" for key, value in step[3].items()])
        if step[4]:
            web.setopt(pycurl.POSTFIELDS, b"y" * step[4])
        elif step[1] != "HEAD":
            web.setopt(pycurl.HTTPGET, 1)
            web.setopt(pycurl.CUSTOMREQUEST, step[1])
        web.setopt(pycurl.WRITEDATA, io.BytesIO())
        web.perform()
    web.close()


def by_cffi(base, one):
    from curl_cffi import requests

    whom = ("chrome124", "safari17_0", "edge101", "chrome110")[int(one["at"] * 1000) % 4]
    with requests.Session(impersonate=whom, verify=False) as web:
        for step in one["steps"]:
            wait(step)
            web.request(step[1], base + step[2], headers=step[3], data=body(step), timeout=DONE, allow_redirects=False)


def by_curl(base, one):
    """All steps in one process, without pauses."""
    lines = []
    for step in one["steps"]:
        lines += [f'url = "{base}{step[2]}"', "output = /dev/null", "insecure", f"max-time = {DONE}", "silent"]
        lines += ["http2" if one["h2"] else "http1.1"] + (["tls-max = 1.2"] if one["old"] else [])
        lines += [f'header = "{key}: {value}"' for key, value in step[3].items()]
        lines += ["head"] if step[1] == "HEAD" else [f"request = {step[1]}"]
        lines += [f'data-binary = "{"y" * step[4]}"'] if step[4] else []
        lines += ["next"]
    program = ["curl", "-K", "-"]
    subprocess.run(program, input="\n".join(lines[:-1]).encode(), timeout=90, check=False, capture_output=True)


async def by_httpx(base, one):
    import httpx

    async with httpx.AsyncClient(verify=trusting(one["old"]), http2=one["h2"], timeout=DONE) as web:
        under_way = []
        for step in one["steps"]:
            if step[0] >= 0:
                await asyncio.gather(*under_way, return_exceptions=True)
                under_way = []
                await asyncio.sleep(step[0])
            asked = web.request(step[1], base + step[2], headers=step[3], content=body(step))
            if one["h2"]:
                under_way.append(asyncio.ensure_future(asked))
            else:
                await asked
        await asyncio.gather(*under_way, return_exceptions=True)


async def by_aiohttp(base, one):
    import aiohttp

    way = aiohttp.TCPConnector(ssl=trusting(one["old"]), limit=1)
    async with aiohttp.ClientSession(connector=way, timeout=aiohttp.ClientTimeout(DONE)) as web:
        for step in one["steps"]:
            await asyncio.sleep(max(0, step[0]))
            async with web.request(
                step[1], base + step[2], headers=step[3], data=body(step), allow_redirects=False
            ) as reply:
                await reply.read()


def main():
    """Play all sessions, each in a thread or a task of its own."""
    kind, path = sys.argv[1:]
    with open(path) as text:
        plan = json.load(text)

    def one(play, session):
        time.sleep(session["at"])
        try:
            play(plan["base"], session)
        except Exception as error:
            print(type(error).__name__, str(error)[:200], file=sys.stderr)

    async def task(play, session):
        await asyncio.sleep(session["at"])
        try:
            await play(plan["base"], session)
        except Exception as error:
            print(type(error).__name__, str(error)[:200], file=sys.stderr)

    async def tasks(play):
        await asyncio.gather(*(task(play, session) for session in plan["sessions"]))

    together = {"httpx": by_httpx, "aiohttp": by_aiohttp}
    if kind in together:
        asyncio.run(tasks(together[kind]))
        return
    play = {
        "requests": by_requests,
        "urllib3": by_urllib3,
        "http.client": by_client,
        "pycurl": by_pycurl,
        "cffi": by_cffi,
        "curl": by_curl,
    }[kind]
    threads = [threading.Thread(target=one, args=(play, session)) for session in plan["sessions"]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
