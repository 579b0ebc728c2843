"""A certificate authority made with the openssl program, for tests of TLS: issues, revokes, publishes its list."""
import os
import shutil
import ssl
import subprocess
import tempfile
import unittest

CONFIG = """
[ca]
default_ca = own
[own]
dir = {folder}
database = {folder}/index.txt
new_certs_dir = {folder}
certificate = {folder}/ca.pem
private_key = {folder}/ca-key.pem
serial = {folder}/serial
rand_serial = yes
default_md = sha256
default_days = 2
default_crl_days = 2
policy = any
unique_subject = no
copy_extensions = copy
email_in_dn = no
[any]
organizationName = optional
commonName = optional
"""


class Authority:
    """`case` is the test class that it lives as long as; skips it where openssl is missing."""

    def __init__(self, case, name="Test CA"):
        if shutil.which("openssl") is None:
            raise unittest.SkipTest("openssl is not installed")
        folder = tempfile.TemporaryDirectory(prefix="stampede-ca-")
        case.addClassCleanup(folder.cleanup)
        self.folder = folder.name
        self.file, self.crl = self.path("ca.pem"), self.path("crl.pem")
        with open(self.path("ca.cnf"), "w", encoding="utf-8") as out:
            out.write(CONFIG.format(folder=self.folder))
        with open(self.path("index.txt"), "w", encoding="utf-8"):
            pass
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                 "-subj", "/CN=" + name, "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout",
                 self.path("ca-key.pem"), "-out", self.file)
        self.publish()

    def path(self, name):
        return os.path.join(self.folder, name)

    @staticmethod
    def run(*arguments):
        done = subprocess.run(["openssl", *arguments], capture_output=True, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stderr.decode())

    def issue(self, name, subject="/O=Example/CN=%s", names="", dates=()):
        """NAME.pem and NAME-key.pem; `names` as subjectAltName takes them. Returns both paths."""
        certificate, key = self.path(name + ".pem"), self.path(name + "-key.pem")
        more = ["-addext", "subjectAltName=" + names] if names else []
        self.run("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                 subject % name if "%s" in subject else subject, *more, "-keyout", key, "-out", self.path("request.pem"))
        self.run("ca", "-batch", "-preserveDN", "-config", self.path("ca.cnf"), "-notext", *dates, "-in", self.path("request.pem"),
                 "-out", certificate)
        return certificate, key

    def revoke(self, name):
        self.run("ca", "-config", self.path("ca.cnf"), "-revoke", self.path(name + ".pem"))
        self.publish()

    def publish(self, *dates):
        """A list of now, put in place of the one before at once."""
        self.run("ca", "-config", self.path("ca.cnf"), "-gencrl", *dates, "-out", self.crl + ".new")
        os.rename(self.crl + ".new", self.crl)

    def client(self, name=None, trust=None):
        """A context that trusts `trust` or this authority, with the certificate of `name` if that is given."""
        context = ssl.create_default_context(cafile=trust or self.file)
        if name is not None:
            context.load_cert_chain(self.path(name + ".pem"), self.path(name + "-key.pem"))
        return context
