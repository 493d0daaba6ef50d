# SPDX-License-Identifier: LGPL-2.1-or-later
"""Community ID against the published baseline values of the specification."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from engine.community_id import community_id, flow_community_id, icmp_ports


def packed(text: str) -> bytes:
    address = ip_address(text)
    if isinstance(address, IPv4Address):
        return IPv6Address(f"::ffff:{text}").packed
    return address.packed


# The values are those of the specification's baseline and of its reference implementation's tests.
@pytest.mark.parametrize(
    ("proto", "source", "destination", "sport", "dport", "expected"),
    [
        (6, "128.232.110.120", "66.35.250.204", 34855, 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
        (6, "66.35.250.204", "128.232.110.120", 80, 34855, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
        (6, "10.0.0.1", "10.0.0.2", 10, 11569, "1:SXBGMX1lBOwhhoDrZynfROxnhnM="),
        (17, "192.168.1.52", "8.8.8.8", 54585, 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
        (17, "8.8.8.8", "192.168.1.52", 53, 54585, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
        (
            6,
            "2001:470:e5bf:dead:4957:2174:e82c:4887",
            "2607:f8b0:400c:c03::1a",
            63943,
            25,
            "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=",
        ),
        (132, "192.168.170.8", "192.168.170.56", 7, 7, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="),
    ],
)
def test_ports(proto: int, source: str, destination: str, sport: int, dport: int, expected: str) -> None:
    assert community_id(proto, packed(source), packed(destination), sport, dport) == expected


def test_seed() -> None:
    assert (
        community_id(6, packed("128.232.110.120"), packed("66.35.250.204"), 34855, 80, seed=1)
        == "1:3V71V58M3Ksw/yuFALMcW0LAHvc="
    )


@pytest.mark.parametrize(
    ("proto", "source", "destination", "kind", "code", "expected"),
    [
        (1, "192.168.0.89", "192.168.0.1", 8, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
        (1, "192.168.0.1", "192.168.0.89", 0, 8, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
        (1, "192.168.0.89", "192.168.0.1", 20, 0, "1:3o2RFccXzUgjl7zDpqmY7yJi8rI="),
        (1, "192.168.0.89", "192.168.0.1", 20, 1, "1:tz/fHIDUHs19NkixVVoOZywde+I="),
        (1, "192.168.0.1", "192.168.0.89", 0, 20, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
        (1, "10.0.0.1", "10.0.0.2", 11, 0, "1:YHxtAirCG//0OzkcVAukqKQN9xM="),
        (58, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 135, 0, "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="),
        (58, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 136, 0, "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="),
        (
            58,
            "3ffe:507:0:1:260:97ff:fe07:69ea",
            "3ffe:507:0:1:200:86ff:fe05:80da",
            3,
            0,
            "1:NdobDX8PQNJbAyfkWxhtL2Pqp5w=",
        ),
        (
            58,
            "3ffe:507:0:1:200:86ff:fe05:80da",
            "3ffe:507:0:1:260:97ff:fe07:69ea",
            3,
            0,
            "1:/OGBt9BN1ofenrmSPWYicpij2Vc=",
        ),
        (58, "3ffe:507:0:1:200:86ff:fe05:80da", "3ffe:501:0:1001::2", 128, 0, "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg="),
        (58, "fe80::200:86ff:fe05:80da", "ff02::2", 133, 0, "1:hO+sN4H+MG5MY/8hIrXPqc4ZQz0="),
        (58, "fe80::260:97ff:fe07:69ea", "ff02::1", 134, 0, "1:pkvHqCL88/tg1k4cPigmZXUtL00="),
    ],
)
def test_icmp(proto: int, source: str, destination: str, kind: int, code: int, expected: str) -> None:
    sport, dport, one_way = icmp_ports(proto, kind, code)
    assert community_id(proto, packed(source), packed(destination), sport, dport, one_way=one_way) == expected


def test_flow_takes_an_icmp_identifier_for_an_echo() -> None:
    client, server = packed("192.168.0.89"), packed("192.168.0.1")
    assert flow_community_id(1, client, server, 4711, 4711) == "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="
    assert flow_community_id(1, server, client, 4711, 4711) != "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="  # who asks counts
    assert flow_community_id(1, client, server, 0, 0) is None
