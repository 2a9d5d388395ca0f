"""A certificate authority of a test's own."""

import shutil
import ssl
import subprocess

import kit
import tap


def is_missing():
    return shutil.which("openssl") is None


def need_authorities():
    if is_missing():
        raise tap.Skip("there is no openssl")


def server_context(pair, clients=None):
    """How a server with (certificate, key) speaks TLS; `clients` issues the
    certificates that it asks for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    if clients:
        context.load_verify_locations(clients.cert)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True,
                   capture_output=True, timeout=kit.wait_limit(20))


class Authority:

    def __init__(self, name):
        self.name = name
        self.cert = kit.fresh_path(f"{name}.pem")
        self.key = kit.fresh_path(f"{name}.key")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1", "-nodes", "-days", 2,
                "-subj", f"/CN={name}", "-keyout", self.key,
                "-out", self.cert)

    def issue(self, name, address=None, days=2):
        """(certificate, key) for a host or a client. -1 days: expired."""
        key, cert = kit.fresh_path("key"), kit.fresh_path("cert")
        asked, more = kit.fresh_path("csr"), kit.fresh_path("ext")
        more.write_text(f"subjectAltName=IP:{address}" if address
                        else f"subjectAltName=DNS:{name}")
        openssl("req", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1", "-nodes",
                "-subj", f"/CN={name}", "-keyout", key, "-out", asked)
        openssl("x509", "-req", "-in", asked, "-CA", self.cert,
                "-CAkey", self.key, "-CAcreateserial", "-days", days,
                "-extfile", more, "-out", cert)
        for path in (key, cert):
            path.chmod(0o644)
        return cert, key
