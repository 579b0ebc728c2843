#!/usr/bin/env python3
"""The image of deploy/container, without a container engine: its file is judged, and its last stage is executed.

usage: tests/packaging/container.py BUILD_FOLDER

Each COPY and RUN of the last stage is done in a clean Debian 12; what the first stage would make (the package) comes from
the built release in BUILD_FOLDER. Then the entry point runs as the image's user, without capabilities, on a root that is
read-only but for the volume, with the health check and the signal to stop that the file names. The Compose example and
the Kubernetes manifest are judged for what must not be missing; each configuration in them has to pass check-config.
Exit code 77: no Debian mirror answers.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import yaml

from clean_system import ROOT, SKIPPED, Failure, Service, System, build_package, clean_system, expect, fill_archives, say

FILE = os.path.join(ROOT, "deploy", "container", "Containerfile")
COMPOSE = os.path.join(ROOT, "deploy", "compose")
KUBERNETES = os.path.join(ROOT, "deploy", "kubernetes", "stampede.yml")


# --- The Containerfile.

def stages(text):
    """A list of stages, each a list of (instruction, rest)."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    found = []
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        if not line.strip():
            continue
        instruction, rest = line.split(None, 1)
        expect(instruction.isupper(), "no instruction: " + line)
        if instruction == "FROM":
            found.append([])
        expect(found, instruction + " before the first FROM")
        found[-1].append((instruction, rest.strip()))
    return found


def all_of(stage, instruction):
    return [rest for name, rest in stage if name == instruction]


def last_of(stage, instruction):
    expect(all_of(stage, instruction), "the image has no " + instruction)
    return all_of(stage, instruction)[-1]


def exec_form(text):
    """A JSON list: no shell between the engine and the broker."""
    try:
        command = json.loads(text)
    except ValueError:
        command = None
    expect(isinstance(command, list) and command, "not in exec form: " + text)
    return command


def judge(text):
    found = stages(text)
    expect(len(found) == 2, "two stages: one that builds, one that is shipped")
    build, image = found
    for stage in found:
        base = last_of(stage, "FROM").split()[0]
        expect(re.search(r":bookworm-slim$", base), "the base has no fixed release: " + base)
        expect(not all_of(stage, "ADD"), "ADD fetches or unpacks unasked: COPY")
        for line in all_of(stage, "ENV") + all_of(stage, "ARG"):
            expect(not re.search("(?i)pass|secret|token", line), "a secret would stay in the image: " + line)
    expect(any("cpack" in line for line in all_of(build, "RUN")), "the first stage makes no package")
    expect(last_of(image, "USER") == "65532:65532", "the user is not 65532")
    expect(last_of(image, "STOPSIGNAL") == "SIGTERM", "the signal to stop is not SIGTERM")
    expect(last_of(image, "VOLUME") == "/var/lib/stampede", "the store has no volume")
    exec_form(last_of(image, "ENTRYPOINT"))
    exec_form(last_of(image, "CMD"))
    exec_form(last_of(image, "HEALTHCHECK").split("CMD", 1)[1])
    labels = " ".join(all_of(image, "LABEL"))
    for label in ("title", "description", "licenses", "version", "revision"):
        expect("org.opencontainers.image.%s=" % label in labels, "no label " + label)
    for line in all_of(image, "RUN"):
        if "apt-get install" in line:
            expect("--no-install-recommends" in line and "rm -rf" in line, "lists or recommendations stay in the image")
    for stage in found:
        for line in all_of(stage, "COPY"):
            *sources, _ = [part for part in line.split() if not part.startswith("--")]
            if "--from=" not in line:
                for source in sources:
                    expect(os.path.exists(os.path.join(ROOT, source)), "COPY of what is not there: " + source)
    return image


def check_judge(text):
    """The controls: each of these must be found out."""
    for before, after in (("USER 65532:65532\n", ""), ("USER 65532:65532", "USER root"), ("STOPSIGNAL SIGTERM\n", ""),
                          ('ENTRYPOINT ["/usr/bin/stampede"]', "ENTRYPOINT /usr/bin/stampede"),
                          ("HEALTHCHECK", "#HEALTHCHECK"), ("bookworm-slim AS", "latest AS"),
                          ("COPY . .", "ADD https://example.org/x /x"), ("ENV ", "ENV ADMIN_TOKEN=x\nENV "),
                          ("image.licenses", "image.other"), ("VOLUME", "#VOLUME")):
        broken = text.replace(before, after)
        expect(broken != text, "the control changes nothing: " + before)
        try:
            judge(broken)
        except Failure:
            continue
        raise Failure("nobody finds out that %r became %r" % (before, after))


# --- The image.

def execute(image, system, package):
    for instruction, rest in image:
        if instruction == "COPY":
            *sources, target = [part for part in rest.split() if not part.startswith("--")]
            expect("--from=build" in rest and sources == ["/stampede.deb"], "do not know how to copy " + rest)
            shutil.copy(package, system.path(target))
        elif instruction == "RUN":
            system.run("/bin/sh", "-c", rest)


def read_only_but(system, volume):
    """Commands that make it so in the mount space of the process."""
    root, inside = system.folder, system.path(volume)
    return ["mount --bind %s %s" % (root, root), "mount --bind %s %s" % (inside, inside),
            "mount --bind %s %s" % (system.path("/run/notify"), system.path("/run/notify")),
            "mount -o remount,bind,ro %s" % root]


def run_image(image, system):
    user, group = last_of(image, "USER").split(":")
    volume = last_of(image, "VOLUME")
    expect(os.stat(system.path(volume)).st_uid == int(user), "the volume does not belong to the user")
    expect(system.has("/etc/ssl/certs/ca-certificates.crt"), "the image knows no authority")
    command = exec_form(last_of(image, "ENTRYPOINT")) + exec_form(last_of(image, "CMD"))
    os.makedirs(system.path("/run/notify"), exist_ok=True)
    health = exec_form(last_of(image, "HEALTHCHECK").split("CMD", 1)[1])
    with Service(system, command, user, group, read_only_but(system, volume)) as service:
        service.await_ready()
        expect(service.call(*health).startswith("ok"), "the health check fails")
        service.call("sh", "-c", "! touch /etc/x 2>/dev/null")
        service.call("stampede", "pub", "/queue/image", "hello", "--receipt")
        heard = service.call("stampede", "sub", "/queue/image", "-n", "1", "--wait", "5s", "--format", "%b", accept=(0, 5))
        expect("hello" in heard, "a message does not come back: " + heard)
        log = service.stop(getattr(signal, last_of(image, "STOPSIGNAL")))
    expect(log.startswith("{"), "the log is not JSON")
    down = subprocess.run(["chroot", system.folder, *health], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          check=False)
    expect(down.returncode == 1, "the health check is content with a broker that is down")


# --- Compose and Kubernetes.

def check_config(system, text, *flags):
    """`text` passes check-config, which opens what it names; but for what the `flags` of serve waive by name."""
    for path in re.findall(r'users_file = "([^"]+)"', text):
        os.makedirs(os.path.dirname(system.path(path)), exist_ok=True)
        system.run("sh", "-c", "echo passcode | stampede passwd %s anna --role staff" % path)
    with open(system.path("/tmp/check.toml"), "w", encoding="utf-8") as file:
        file.write(text)
    said = system.run("stampede", "check-config", "/tmp/check.toml", accept=(0, 3)).splitlines()
    wrong = [line for line in said if not line.endswith(": ok") and not any(flag in line for flag in flags)]
    expect(not wrong, "a configuration is not good: " + "; ".join(wrong))


def judge_compose(system):
    with open(os.path.join(COMPOSE, "compose.yml"), encoding="utf-8") as file:
        services = yaml.safe_load(file)["services"]
    expect(set(services) == {"broker", "prometheus", "grafana"}, "the services")
    for name, service in services.items():
        for port in service["ports"]:
            expect(str(port).startswith("127.0.0.1:"), "%s is open to other machines: %s" % (name, port))
        expect("no-new-privileges:true" in service["security_opt"] and service["cap_drop"] == ["ALL"], name + ": confined")
        image = service.get("image", "")
        expect("build" in service or re.search(r":v?\d", image), "%s: no fixed version: %s" % (name, image))
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith(".") and source != "./users":
                expect(os.path.exists(os.path.join(COMPOSE, source)), "compose mounts what is not there: " + source)
    broker = services["broker"]
    expect(broker["read_only"] and "restart" in broker, "the broker's root is not read-only")
    expect(int(broker["stop_grace_period"].rstrip("s")) > 30, "the grace period is shorter than a drain")
    for name in ("prometheus.yml", "grafana/datasources.yml", "grafana/dashboards.yml"):
        with open(os.path.join(COMPOSE, name), encoding="utf-8") as file:
            expect(isinstance(yaml.safe_load(file), dict), name + " is no YAML")
    with open(os.path.join(COMPOSE, "stampede.toml"), encoding="utf-8") as file:
        check_config(system, file.read(), *[part for part in broker["command"] if part.startswith("--insecure")])


def judge_kubernetes(system):
    with open(KUBERNETES, encoding="utf-8") as file:
        found = {thing["kind"]: thing for thing in yaml.safe_load_all(file)}
    expect(set(found) == {"ConfigMap", "Service", "StatefulSet"}, "the kinds are " + ", ".join(found))
    spec = found["StatefulSet"]["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    expect(spec["replicas"] == 1, "a store belongs to one process")
    expect(pod["automountServiceAccountToken"] is False, "the pod has a token of the cluster")
    expect(pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] == 65532, "the user")
    expect(pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault", "seccomp")
    own = container["securityContext"]
    expect(own["readOnlyRootFilesystem"] and not own["allowPrivilegeEscalation"] and own["capabilities"]["drop"] == ["ALL"],
           "the container is not confined")
    text = found["ConfigMap"]["data"]["stampede.toml"]
    times = {key: int(value) for key, value in re.findall(r'(pre_stop_delay|timeout) = "(\d+)s"', text)}
    expect(pod["terminationGracePeriodSeconds"] > sum(times.values()), "the grace period is shorter than a drain")
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        expect(container[probe]["timeoutSeconds"] > 10, probe + " is less patient than /healthz")
    expect("--ready" in container["readinessProbe"]["exec"]["command"], "readiness is another thing than life")
    expect("--ready" not in container["livenessProbe"]["exec"]["command"], "a drain must not be a reason to kill")
    labels = spec["template"]["metadata"]["labels"]
    for selector in (spec["selector"]["matchLabels"], found["Service"]["spec"]["selector"]):
        expect(selector.items() <= labels.items(), "a selector does not select the pod")
    ports = {port["name"] for port in container["ports"]}
    expect({port["targetPort"] for port in found["Service"]["spec"]["ports"]} <= ports, "a port of nobody")
    volumes = {volume["name"] for volume in pod["volumes"]} | {c["metadata"]["name"] for c in spec["volumeClaimTemplates"]}
    expect({mount["name"] for mount in container["volumeMounts"]} == volumes, "volumes and mounts differ")
    (secret,) = [volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume]
    with open(KUBERNETES, encoding="utf-8") as file:
        expect("create secret generic %s " % secret in file.read(), "nobody says how the secret is made")
    check_config(system, text)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(FILE, encoding="utf-8") as file:
        text = file.read()
    say("the Containerfile")
    image = judge(text)
    check_judge(text)
    package = build_package(os.path.abspath(sys.argv[1]))
    place = tempfile.mkdtemp(prefix="stampede-image-")
    try:
        if not clean_system(os.path.join(place, "debian")):
            print("SKIPPED: no Debian mirror answers, so that there is nothing to build the image on")
            return SKIPPED
        system = System(os.path.join(place, "debian"))
        say("its last stage, step by step")
        fill_archives(system)
        execute(image, system, package)
        say("the image: health, a message, the end")
        run_image(image, system)
        say("the Compose example and the Kubernetes manifest")
        judge_compose(system)
        judge_kubernetes(system)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    say("ok")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failure, subprocess.CalledProcessError) as failure:
        sys.exit("FAILED: %s" % failure)
