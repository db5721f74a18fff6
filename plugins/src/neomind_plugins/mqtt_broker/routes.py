"""Routes of the broker's configuration."""

from __future__ import annotations

from neomind_sdk import ADMIN, Raw, Request, Route

from .certificates import Pems
from .models import (
    Certificates,
    CertificatesAnswer,
    ConfigAnswer,
    ConfigChange,
    ConfigChanged,
    ConfigView,
    CredentialAnswer,
    NewCredential,
    OldCredential,
)
from .service import Broker

PEM = "application/x-pem-file"
STORAGE_ERRORS = ("SERVICE_UNAVAILABLE", "STORAGE_FULL")


async def show(request: Request) -> ConfigAnswer:
    return ConfigAnswer(config=request.services[Broker].view())


async def change(request: Request) -> ConfigChanged:
    broker = request.services[Broker]
    await broker.change(request.body.values())
    return ConfigChanged(message="The broker runs with the new configuration", config=broker.view())


async def add_credential(request: Request) -> CredentialAnswer:
    username = request.body.username
    await request.services[Broker].add_credential(username, request.body.password)
    return CredentialAnswer(message="The credential is added", username=username)


async def delete_credential(request: Request) -> CredentialAnswer:
    await request.services[Broker].delete_credential(request.body.username)
    return CredentialAnswer(message="The credential is deleted", username=request.body.username)


async def upload(request: Request) -> CertificatesAnswer:
    body = request.body
    ca = body.ca_pem.encode() if body.ca_pem else None
    pems = Pems(cert=body.cert_pem.encode(), key=body.key_pem.encode(), ca=ca)
    return paths("The certificates are in place", await request.services[Broker].use_certificates(pems))


async def generate(request: Request) -> CertificatesAnswer:
    return paths("A CA and a certificate were made", await request.services[Broker].generate_certificates())


async def download_ca(request: Request) -> Raw:
    headers = {"Content-Disposition": 'attachment; filename="mqtt-ca.crt"'}
    return Raw(content=await request.services[Broker].ca(), media_type=PEM, headers=headers)


def paths(message: str, view: ConfigView) -> CertificatesAnswer:
    return CertificatesAnswer(
        message=message,
        cert_path=view.tls_cert_path or "",
        key_path=view.tls_key_path or "",
        ca_path=view.tls_ca_path,
    )


def routes() -> list[Route]:
    return [*config_routes(), *credential_routes(), *tls_routes()]


def config_routes() -> list[Route]:
    return [
        Route(
            method="GET",
            path="/mqtt/broker-config",
            handler=show,
            scope=ADMIN,
            summary="Show the configuration of the embedded MQTT broker",
            response=ConfigAnswer,
        ),
        Route(
            method="PUT",
            path="/mqtt/broker-config",
            handler=change,
            scope=ADMIN,
            summary="Change the configuration of the embedded MQTT broker",
            description=(
                "The broker is restarted in place and devices connect again; when it does not start with the new "
                "configuration, the old one holds again and the answer is 400."
            ),
            body=ConfigChange,
            body_required=True,
            response=ConfigChanged,
            errors=("BAD_REQUEST", *STORAGE_ERRORS),
        ),
    ]


def credential_routes() -> list[Route]:
    return [
        Route(
            method="POST",
            path="/mqtt/broker-config/credentials",
            handler=add_credential,
            scope=ADMIN,
            summary="Add a credential for MQTT devices",
            body=NewCredential,
            body_required=True,
            response=CredentialAnswer,
            errors=("BAD_REQUEST", *STORAGE_ERRORS),
        ),
        Route(
            method="POST",
            path="/mqtt/broker-config/credentials/delete",
            handler=delete_credential,
            scope=ADMIN,
            summary="Delete a credential of MQTT devices",
            body=OldCredential,
            body_required=True,
            response=CredentialAnswer,
            errors=("BAD_REQUEST", "CREDENTIAL_NOT_FOUND", *STORAGE_ERRORS),
        ),
    ]


def tls_routes() -> list[Route]:
    return [
        Route(
            method="PUT",
            path="/mqtt/broker-config/tls",
            handler=upload,
            scope=ADMIN,
            summary="Upload the certificate of the embedded MQTT broker",
            body=Certificates,
            body_required=True,
            response=CertificatesAnswer,
            errors=("BAD_REQUEST",),
        ),
        Route(
            method="POST",
            path="/mqtt/broker-config/tls/generate",
            handler=generate,
            scope=ADMIN,
            summary="Generate a CA and a certificate for the embedded MQTT broker",
            response=CertificatesAnswer,
            errors=("BAD_REQUEST",),
        ),
        Route(
            method="GET",
            path="/mqtt/broker-config/tls/ca-cert",
            handler=download_ca,
            scope="mqtt:read",
            summary="Download the CA certificate that devices shall trust",
            produces=PEM,
            errors=("CERTIFICATE_NOT_FOUND",),
        ),
    ]
