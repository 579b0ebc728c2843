"""Users, tokens and rules for a broker that asks who somebody is."""
import base64
import hashlib
import hmac
import json
import os
import subprocess
import tempfile
import time

from .broker import binary

SECRET = b"0123456789abcdef0123456789abcdef"
CANARIES = ("hunter2-canary", "swordfish-canary", SECRET.decode())


def b64(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def token(lifetime=3600, secret=SECRET, **claims):
    head = b64(json.dumps({"alg": "HS256", "typ": "JWT", "kid": "k"}).encode())
    facts = {"iss": "https://id.example", "aud": "stampede", "sub": "tina", "roles": ["staff"],
             "exp": int(time.time()) + lifetime, **claims}
    body = b64(json.dumps(facts).encode())
    text = head + "." + body
    return text + "." + b64(hmac.new(secret, text.encode(), hashlib.sha256).digest())


def login(user, passcode):
    return "login:" + user, "passcode:" + passcode


RULES = [
    {"who": ["role:staff"], "allow": ["publish", "subscribe", "create", "browse"], "on": ["/topic/**", "/queue/**"]},
    {"who": ["role:staff"], "deny": ["subscribe"], "on": ["/topic/secret/**"]},
    {"who": ["authenticated"], "allow": ["publish", "subscribe"], "on": ["/topic/mine/%u", "/topic/good/**",
                                                                         "/topic/good.client", "/topic/none"]},
]


class Place:
    """A folder with users and keys."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="stampede-auth-")
        self.users = os.path.join(self.folder, "users")
        self.keys = os.path.join(self.folder, "keys.json")
        self.passwd("anna", "hunter2-canary", "staff")
        self.passwd("bert", "swordfish-canary")
        with open(self.keys, "w", encoding="utf-8") as out:
            json.dump({"keys": [{"kty": "oct", "alg": "HS256", "kid": "k", "k": b64(SECRET)}]}, out)
        os.chmod(self.keys, 0o640)

    def passwd(self, name, passcode, *roles):
        command = [binary(), "passwd", self.users, name, "--kind", "bcrypt"]
        for role in roles:
            command += ["--role", role]
        subprocess.run(command, input=passcode.encode() + b"\n", check=True, capture_output=True)

    def remove(self, name):
        subprocess.run([binary(), "passwd", self.users, name, "--delete"], check=True, capture_output=True)

    def config(self, rules=None):
        return {"auth": {"users_file": self.users, "failed_logins": 100},
                "jwt": {"keys_file": self.keys, "issuer": "https://id.example", "audience": "stampede", "skew": "1s"},
                "acl": RULES if rules is None else rules}


class Key:
    """An RSA key that signs tokens, made with openssl."""

    def __init__(self, folder, name):
        self.name = name
        self.file = os.path.join(folder, name + ".pem")
        subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", self.file],
                       check=True, capture_output=True)
        modulus = subprocess.run(["openssl", "rsa", "-in", self.file, "-noout", "-modulus"], check=True,
                                 capture_output=True, text=True).stdout.strip().split("=")[1]
        self.jwk = {"kty": "RSA", "alg": "RS256", "kid": name, "n": b64(bytes.fromhex(modulus)), "e": "AQAB"}

    def token(self, kid=None):
        head = b64(json.dumps({"alg": "RS256", "kid": kid or self.name}).encode())
        body = b64(json.dumps({"iss": "https://id.example", "aud": "stampede", "sub": "tina", "roles": ["staff"],
                               "exp": int(time.time()) + 3600}).encode())
        text = head + "." + body
        done = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.file], input=text.encode(), check=True,
                              capture_output=True)
        return text + "." + b64(done.stdout)
