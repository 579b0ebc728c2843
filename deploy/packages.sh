# Debian packages and small shell functions that deploy/run and tests/run share. To be sourced by bash.
# Debian 12 (bookworm) is what is tested; elsewhere the same libraries do, installed by hand.
# shellcheck shell=bash disable=SC2034  # The lists are used by the scripts that source this file.

build_packages=(
  ca-certificates g++ cmake ninja-build ccache
  libboost1.81-dev libboost-json1.81-dev libspdlog-dev libfmt-dev libcli11-dev libtomlplusplus-dev
  libsimdjson-dev libssl-dev librocksdb-dev prometheus-cpp-dev libxxhash-dev libcrypt-dev libargon2-dev
)

package_packages=(dpkg-dev file)  # For cpack -G DEB.

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
warn() { printf '\033[1mwarning:\033[0m %s\n' "$*" >&2; }
die() { printf '\033[1merror:\033[0m %s\n' "$*" >&2; exit 1; }

has() { command -v "$1" >/dev/null 2>&1; }

# missing_packages NAME...: those of the packages that are not installed, one a line.
missing_packages() {
  local name
  for name in "$@"; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || printf '%s\n' "$name"
  done
}

# install_packages NAME...: installs what is missing; who is not root is told what to run.
install_packages() {
  local missing
  if ! has dpkg-query || ! has apt-get; then
    warn "no apt-get here: taking for granted what these packages hold: $*"
    return 0
  fi
  mapfile -t missing < <(missing_packages "$@")
  if ((${#missing[@]} == 0)); then return 0; fi
  if ((EUID != 0)); then
    die "packages are missing. As root, run:
  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
  fi
  say "installing ${missing[*]}"
  apt_get update
  apt_get install -y --no-install-recommends "${missing[@]}"
}

apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 \
    -o DPkg::Lock::Timeout=120 "$@" >&2 || die "apt-get $1 failed; its last lines above say why"
}

# npm with its node, for the web console, unless there is one already (of any origin).
npm_packages=(nodejs npm)

install_npm() {
  has npm || install_packages "${npm_packages[@]}"
}

# install_build_packages: all that a build needs.
install_build_packages() {
  install_packages "${build_packages[@]}"
  install_npm
}

# build_jobs: as many compilers as there are processors, but no more than memory has room for (1.2 GB each).
build_jobs() {
  local processors memory jobs
  processors=$(nproc)
  memory=$(awk '/^MemAvailable:/ { print int($2 / 1200000) }' /proc/meminfo)
  jobs=$((memory < processors ? memory : processors))
  echo $((jobs > 0 ? jobs : 1))
}

# build_release ROOT [TARGET...]: an up-to-date ROOT/build/release/stampede, what cpack adds to it, and these targets. A no-op
# takes well under a second.
build_release() {
  local root=$1 cache=$1/build/release/CMakeCache.txt
  if [[ ! -f $root/build/release/build.ninja ]] || ! grep -qs '^STAMPEDE_WERROR:BOOL=OFF' "$cache"; then
    say "configuring build/release"
    (cd "$root" && cmake --preset release -DSTAMPEDE_TESTS=OFF -DSTAMPEDE_WERROR=OFF) || return
  fi
  cmake --build "$root/build/release" --parallel "$(build_jobs)" --target stampede stampede_package_files "${@:2}"
}
