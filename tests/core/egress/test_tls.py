"""TLS goes to the checked address under the name: SNI, certificate and Host header are those of the URL."""

from __future__ import annotations

import ssl
import subprocess

import pytest

from neomind_core.contracts import EgressFailed

PUBLIC = "93.184.216.34"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    where = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 2"
    )
    command += " -subj /CN=secure.example -addext subjectAltName=DNS:secure.example"
    subprocess.run(command.split(), cwd=where, check=True, capture_output=True)
    return where


@pytest.fixture
async def secure(certificate, start_server):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    asked: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    async with start_server(ssl=context) as server:
        yield server, asked


@pytest.fixture
def egress(monkeypatch, certificate, make_egress, names, detour, secure):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    names.table |= {"secure.example": [PUBLIC], "other.example": [PUBLIC]}
    detour.to[PUBLIC] = secure[0].port
    return make_egress()


async def test_the_name_is_verified_at_the_checked_address(egress, secure, detour):
    server, asked = secure
    assert (await egress.request("GET", "https://Secure.example./x")).body == b"ok"
    assert asked == ["secure.example"]
    assert server.received[0].headers["host"] == "secure.example"
    assert detour.dialed == [(PUBLIC, 443)]


@pytest.mark.parametrize("url", ["https://other.example/", f"https://{PUBLIC}/"])
async def test_a_certificate_for_another_name_is_refused(egress, secure, url):
    await egress.request("GET", "https://secure.example/")
    with pytest.raises(EgressFailed, match="cannot be connected to"):
        await egress.request("GET", url)
    assert len(secure[0].received) == 1


async def test_an_unknown_authority_is_refused(monkeypatch, make_egress, egress, secure):
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(EgressFailed, match="CERTIFICATE_VERIFY_FAILED"):
        await make_egress().request("GET", "https://secure.example/")
    assert secure[0].received == []
