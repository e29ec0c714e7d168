"""Which addresses the portal connects to: public ones only."""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Ranges that `is_global` of some Python versions lets through, or that carry an IPv4 address
# inside which a translator on the way would connect to.
_REFUSED_NETWORKS = [
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; 100.100.100.200 is a cloud's metadata
        "168.63.129.16/32",  # a cloud's host agent on a public address
        "192.0.0.0/24",
        "192.88.99.0/24",  # 6to4 relay
        "198.18.0.0/15",
        "224.0.0.0/3",  # multicast and reserved
        "::/96",  # IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",  # Teredo, ORCHID, benchmarking
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
]


def is_refused(address: Address) -> bool:
    """Say whether an address is one that only our own networks or machines should reach."""
    if any(address in network for network in _REFUSED_NETWORKS):
        return True
    return not address.is_global or address.is_multicast or address.is_reserved
