"""An ext4 file system in an image file on a loop device, whose power can be cut. Needs root."""
import atexit
import fcntl
import os
import shutil
import struct
import subprocess
import tempfile

EXT4_IOC_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
NOLOGFLUSH = 2                  # The journal is not flushed: what was not synced is gone.


def command(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError("%s: exit code %d\n%s%s" % (" ".join(words), done.returncode, done.stdout, done.stderr))
    return done.stdout


def missing(_options=None):
    """Why this machine cannot do it, or None."""
    if os.geteuid() != 0:
        return "mounting needs root"
    for tool in ("mkfs.ext4", "e2fsck", "mount", "umount"):
        if shutil.which(tool) is None:
            return "%s is missing (packages e2fsprogs and mount)" % tool
    folder = tempfile.mkdtemp(prefix="stampede-probe-")
    image = None
    try:
        image = Image(folder, "16M")
        image.cut()
        image.unmount()
        image.mount()
        return None
    except (OSError, RuntimeError) as error:
        return "no ext4 on a loop device here: %s" % str(error).replace("\n", " ")
    finally:
        if image is not None:
            image.close()
        shutil.rmtree(folder, ignore_errors=True)


class Image:
    """`size` as truncate(1) takes it; sparse. Mounted at `mountpoint` once made."""

    def __init__(self, folder, size="2G", options="loop"):
        self.path = os.path.join(folder, "image")
        self.mountpoint = os.path.join(folder, "mounted")
        self.options = options
        self.mounted = False
        atexit.register(self.close)
        os.makedirs(self.mountpoint, exist_ok=True)
        if os.path.exists(self.path):
            os.unlink(self.path)
        command("truncate", "-s", size, self.path)
        command("mkfs.ext4", "-q", "-F", "-m", "0", self.path)  # No blocks reserved for root.
        self.mount()

    def mount(self):
        command("mount", "-o", self.options, self.path, self.mountpoint)
        self.mounted = True

    def unmount(self):
        if self.mounted:
            command("umount", self.mountpoint)
            self.mounted = False

    def cut(self):
        """The power goes: from now on nothing reaches the image, and writes and syncs fail with EIO."""
        directory = os.open(self.mountpoint, os.O_RDONLY)
        try:
            fcntl.ioctl(directory, EXT4_IOC_SHUTDOWN, struct.pack("I", NOLOGFLUSH))
        finally:
            os.close(directory)

    def power_on(self):
        """What a boot does: journal replay, then a check that the file system itself is sound."""
        self.unmount()
        self.mount()
        self.unmount()
        command("e2fsck", "-fn", self.path)
        self.mount()

    def free(self):
        status = os.statvfs(self.mountpoint)
        return status.f_bavail * status.f_frsize

    def close(self):
        if self.mounted:
            subprocess.run(["umount", self.mountpoint], check=False, stderr=subprocess.DEVNULL)
            self.mounted = False
