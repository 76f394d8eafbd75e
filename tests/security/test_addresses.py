"""Webhooks to where only the studio gets: every way that people know to write such an address.

Names that change their answer, redirects, slow receivers: see test_notification_sending.
"""

from __future__ import annotations

import pytest

from experiments.notify.addresses import AddressRefused, read_url, resolve
from experiments.notify.posting import post

INSIDE = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://0/",
    "http://0.0.0.0/",
    "http://[::]/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[2002:7f00:1::]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[fd00:ec2::254]/",
    "http://[fe80::1]/",
    "http://10.0.0.1:6379/",
    "http://100.100.100.200/",
    "http://192.168.0.1/",
    "http://[ff02::1]/",
    "http://255.255.255.255/",
    "http://LocalHost/",
    "http://localhost./",
    "http://metadata.google.internal/",
    "http://user@127.0.0.1/",
    "http://hooks.example.org@127.0.0.1/",
    "http://hooks.example.org#@127.0.0.1/",
    "http://127.0.0.1\\@hooks.example.org/",
    "http://①②⑦.0.0.1/",
    "http://127。0。0。1/",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "file:///etc/passwd",
    "http://hooks.example.org:80@127.0.0.1:6379/",
    "http://127.0.0.1%00.example.org/",
    "http://[127.0.0.1]/",
]


@pytest.mark.parametrize("url", INSIDE)
def test_no_spelling_of_an_address_inside_is_posted_to(url):
    try:
        target = read_url(url, allow_private=False)
    except AddressRefused:
        return
    # The name is no address by itself: whoever resolves it finds one inside.
    with pytest.raises(AddressRefused, match="private network"):
        resolve(target, allow_private=False)
    answer = post(target, b"{}", {}, allow_private=False)
    assert answer.is_final
    assert "private network" in answer.error


@pytest.mark.parametrize("name", ["X-Evil: 1\r\nHost", "a b", "x\ny"])
def test_no_part_of_an_address_writes_a_header(name):
    for url in (f"http://{name}.example.org/", f"http://hooks.example.org/{name}"):
        with pytest.raises(AddressRefused):
            read_url(url, allow_private=True)
