"""A clean Debian 12 to install things on, and a process confined to it: its user, its root, a network of its own."""
import os
import shlex
import shutil
import signal
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
from support.manager import NotifySocket  # pylint: disable=wrong-import-position

CACHE = os.path.join(ROOT, "build", "package")
MIRROR = os.environ.get("STAMPEDE_DEBIAN_MIRROR", "http://deb.debian.org/debian")
SKIPPED = 77


def say(text):
    print("==> " + text, flush=True)


def run(*command, **options):
    return subprocess.run(command, check=True, text=True, **options)


def output(*command):
    return run(*command, stdout=subprocess.PIPE).stdout


class Failure(Exception):
    """What the package does not do."""


def expect(condition, what):
    if not condition:
        raise Failure(what)


def clean_system(folder):
    """A fresh copy of a minimal Debian 12 in `folder`; False if there is none to be had."""
    archive = os.path.join(CACHE, "debian-12.tar")
    if not os.path.exists(archive):
        say("debootstrap (once)")
        base = folder + ".base"
        done = subprocess.run(["debootstrap", "--variant=minbase", "bookworm", base, MIRROR],
                              stdout=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            return False
        run("tar", "-C", base, "-cf", archive + ".new", ".")
        shutil.rmtree(base)
        os.rename(archive + ".new", archive)
    os.mkdir(folder)
    run("tar", "-C", folder, "-xpf", archive)
    shutil.copy("/etc/resolv.conf", os.path.join(folder, "etc", "resolv.conf"))
    return True


class System:
    """Commands in the clean system, which has /proc and a network only where it is asked for."""

    def __init__(self, folder):
        self.folder = folder

    def path(self, name):
        return os.path.join(self.folder, name.lstrip("/"))

    def text(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def enter(self):
        """What begins a command that is to run there."""
        return ["chroot", self.folder]

    def run(self, *command, accept=(0,)):
        """What it prints; its code must be one of `accept`."""
        done = subprocess.run([*self.enter(), *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=300, text=True, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND":
                                              "noninteractive", "LC_ALL": "C.UTF-8", "HOME": "/root"}, check=False)
        if done.returncode not in accept:
            raise Failure("%s: code %d\n%s" % (shlex.join(command), done.returncode, done.stdout[-3000:]))
        return done.stdout

    def apt(self, *arguments):
        return self.run("apt-get", "-q", "-o", "Dpkg::Use-Pty=0", "-o", "APT::Sandbox::User=root", "-y", *arguments)

    def has(self, name):
        return os.path.lexists(self.path(name))


def fill_archives(system):
    """With the packages that were downloaded before. Returns both folders."""
    archives = os.path.join(CACHE, "archives")
    os.makedirs(archives, exist_ok=True)
    inside = system.path("/var/cache/apt/archives")
    for name in os.listdir(archives):
        shutil.copy(os.path.join(archives, name), inside)
    return archives, inside


def install(system, package):
    """With what it depends on, whose archives are kept for the next time."""
    archives, inside = fill_archives(system)
    shutil.copy(package, system.path("/stampede.deb"))
    system.apt("update")
    system.apt("install", "-o", "APT::Keep-Downloaded-Packages=true", "--no-install-recommends", "./stampede.deb")
    for name in os.listdir(inside):
        if name.endswith(".deb"):
            shutil.copy(os.path.join(inside, name), archives)


def build_package(folder):
    """The path of the package that cpack makes of the built release in `folder`."""
    shutil.rmtree(os.path.join(CACHE, "deb"), ignore_errors=True)
    run("cpack", "-G", "DEB", "--config", os.path.join(folder, "CPackConfig.cmake"), "-B", os.path.join(CACHE, "deb"),
        cwd=folder, stdout=subprocess.DEVNULL)
    (name,) = [name for name in os.listdir(os.path.join(CACHE, "deb")) if name.endswith(".deb")]
    return os.path.join(CACHE, "deb", name)


class Service:
    """`command` in the system as `user`:`group`, without capabilities, in a network of its own; readiness is what the
    manager's socket hears."""

    def __init__(self, system, command, user, group, before=()):
        self.system = system
        run_folder = system.path("/run/notify")
        os.makedirs(run_folder, exist_ok=True)
        self.manager = NotifySocket(folder=run_folder)
        os.chmod(self.manager.path, 0o666)
        os.chmod(os.path.dirname(self.manager.path), 0o755)
        # What it does is in a mount space of its own; `before` runs there, such as a mount that makes its root read-only.
        script = 'ip link set lo up && %sexec "$@"' % "".join(line + " && " for line in before)
        as_user = ["setpriv", "--reuid", user, "--regid", group, "--clear-groups", "--no-new-privs",
                   "--bounding-set=-all", "--inh-caps=-all"]
        inside = {"NOTIFY_SOCKET": "/" + os.path.relpath(self.manager.path, system.folder), "WATCHDOG_USEC": "2000000"}
        self.process = subprocess.Popen(
            ["unshare", "--net", "--mount", "--", "sh", "-c", script, "sh", "chroot", system.folder, *as_user, *command],
            env={"PATH": os.environ["PATH"], **inside}, stderr=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
        self.manager.close()

    def await_ready(self):
        if not self.manager.hears("READY=1", seconds=60):
            self.process.kill()
            raise Failure("not ready: " + self.process.communicate()[1].decode()[-3000:])

    def call(self, *command, accept=(0,)):
        """A command in the service's network and root."""
        done = subprocess.run(["nsenter", "-t", str(self.process.pid), "--net", "--mount", "--", "chroot",
                               self.system.folder, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False)
        if done.returncode not in accept:
            raise Failure("%s: code %d: %s" % (shlex.join(command), done.returncode, done.stdout))
        return done.stdout

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        try:
            log = self.process.communicate(timeout=60)[1].decode()
        except subprocess.TimeoutExpired as error:
            raise Failure("it does not end") from error
        expect(self.process.returncode == 0, "it ended with %d: %s" % (self.process.returncode, log[-3000:]))
        expect("STOPPING=1" in self.manager.read(), "the manager was not told of the end")
        return log
