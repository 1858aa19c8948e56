#!/usr/bin/env bash
# Makes the environments the project runs in, each once, from pinned files:
#   local/setup.sh app ministack sam bench engine verapdf stripe-mock   what is named, in .venv/<name> (the engine in .venv/npm)
#   local/setup.sh --python [3.13]            prints the newest usable Python (or that one)
# A stamp holds the hash of the pinned files: nothing changed, nothing done.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() { printf 'ZenBilling: %s\n' "$*" >&2; exit 1; }

# A name on the path can be a pyenv shim that only complains, and Debian ships Python without venv: ask each one to work.
usable() { "$1" -c "import ensurepip, ssl, sys, venv; sys.exit(sys.version_info[:2] != (3, $2))" >/dev/null 2>&1; }

find_python() {
  local minor candidate
  for minor in "$@"; do
    while IFS= read -r candidate; do
      if [ -x "$candidate" ] && usable "$candidate" "$minor"; then printf '%s\n' "$candidate"; return 0; fi
    done < <(
      find "${PYENV_ROOT:-$HOME/.pyenv}/versions" -maxdepth 3 -path "*/3.$minor.*/bin/python3.$minor" 2>/dev/null | sort -rV || true
      type -ap "python3.$minor" || true
      printf '%s\n' "/usr/local/bin/python3.$minor" "/usr/bin/python3.$minor" "/opt/homebrew/bin/python3.$minor"
    )
  done
  return 1
}

sha() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -d' ' -f1; }

# Counts what pip collects: every package on a terminal, every 20th line in a log.
progress() {
  local name=$1 total=$2 count=0 line
  while IFS= read -r line; do
    case "$line" in
      Collecting*|"Requirement already"*)
        count=$((count + 1))
        if [ -t 1 ]; then printf '\r  %s: %d of %d packages' "$name" "$count" "$total"
        elif [ $((count % 20)) -eq 0 ]; then printf '  %s: %d of %d packages\n' "$name" "$count" "$total"; fi ;;
      "Installing collected"*)
        if [ -t 1 ]; then printf '\n'; fi
        printf '  %s: installing\n' "$name" ;;
    esac
  done
}

make_environment() {
  local name=$1; shift
  local home=.venv/$name log=.venv/$name.log requirements=local/requirements/$name.txt python version stamp total
  if ! python=$(find_python 13 12 11); then
    fail "Python 3.11 or newer with venv is missing. Install it: sudo apt-get install -y python3 python3-venv   (or: pyenv install 3.13)"
  fi
  version=$("$python" -c 'import platform; print(platform.python_version())')
  stamp="$version $(cat "$requirements" "$@" | sha)"
  if [ -x "$home/bin/python" ] && [ "$(cat "$home/.stamp" 2>/dev/null)" = "$stamp" ]; then return 0; fi

  total=$(cat "$requirements" "$@" | grep -c '==' || true)
  printf 'Setting up %s: Python %s, %d pinned packages (one to two minutes, once)\n' "$home" "$version" "$total"
  rm -rf "$home"
  "$python" -m venv "$home"
  if ! "$home/bin/python" -m pip install --no-input --disable-pip-version-check --progress-bar off \
       -r "$requirements" 2>&1 | tee "$log" | progress "$name" "$total"; then
    grep -v '^Collecting' "$log" | tail -n 8 >&2
    fail "the packages of $requirements could not be installed: is a package index reachable? Full log: $log"
  fi
  printf '%s\n' "$stamp" > "$home/.stamp"
}

make_engine() {
  local home=.venv/npm files=local/requirements/engine stamp
  stamp=$(cat "$files"/package*.json | sha)
  if [ "$(cat "$home/.stamp" 2>/dev/null)" = "$stamp" ]; then return 0; fi
  if [ "$(uname -s)-$(uname -m)" != Linux-x86_64 ]; then
    printf 'The DynamoDB engine has no build for %s: ministack stands in, without surviving a crash.\n' "$(uname -sm)"
    return 0
  fi
  if ! command -v npm >/dev/null; then
    printf 'npm is missing, so ministack stands in for the DynamoDB engine, without surviving a crash. Install it: sudo apt-get install -y npm\n'
    return 0
  fi
  printf 'Setting up %s: the DynamoDB engine (7 MB, once)\n' "$home"
  rm -rf "$home"; mkdir -p "$home"; cp "$files"/package*.json "$home"
  if ! npm ci --prefix "$home" --no-audit --no-fund --loglevel=error >.venv/npm.log 2>&1; then
    tail -n 5 .venv/npm.log >&2
    fail "the DynamoDB engine could not be installed: is the npm registry reachable? Full log: .venv/npm.log"
  fi
  printf '%s\n' "$stamp" > "$home/.stamp"
}

make_verapdf() {
  local home=.venv/verapdf pom=local/requirements/verapdf/pom.xml stamp
  stamp=$(sha < "$pom")
  if [ "$(cat "$home/.stamp" 2>/dev/null)" = "$stamp" ]; then return 0; fi
  if ! command -v java >/dev/null || ! command -v mvn >/dev/null; then
    printf 'veraPDF does not judge the sample documents here: it needs Java and Maven. Install them: sudo apt-get install -y default-jre-headless maven\n'
    return 0
  fi
  printf 'Setting up %s: veraPDF (19 MB, once)\n' "$home"
  rm -rf "$home"
  if ! mvn -q -B -f "$pom" dependency:copy-dependencies -DoutputDirectory="$PWD/$home" >.venv/verapdf.log 2>&1; then
    tail -n 5 .venv/verapdf.log >&2
    fail "veraPDF could not be installed: is the Maven repository reachable? Full log: .venv/verapdf.log"
  fi
  printf '%s\n' "$stamp" > "$home/.stamp"
}

make_stripe_mock() {
  local home=.venv/stripe-mock files=local/requirements/stripe-mock stamp
  stamp=$(cat "$files"/go.* | sha)
  if [ "$(cat "$home/.stamp" 2>/dev/null)" = "$stamp" ]; then return 0; fi
  if ! command -v go >/dev/null; then
    printf "Stripe's official mock does not judge our requests here: it is built by Go. Install it: sudo apt-get install -y golang-go\n"
    return 0
  fi
  printf "Setting up %s: Stripe's official mock (a minute, once)\n" "$home"
  rm -rf "$home"; mkdir -p "$home"
  # Beside it the description of the API that it judges by: the local Stripe's answers are held to it.
  if ! { GOFLAGS=-buildvcs=false go build -C "$files" -mod=readonly -trimpath -o "$PWD/$home/stripe-mock" \
           github.com/stripe/stripe-mock &&
         install -m 644 "$(go list -C "$files" -m -f '{{.Dir}}' github.com/stripe/stripe-mock)/embedded/openapi/spec3.json" "$home"
       } >.venv/stripe-mock.log 2>&1; then
    tail -n 5 .venv/stripe-mock.log >&2
    fail "Stripe's official mock could not be built: is Go 1.22 or newer, and its module proxy reachable? Full log: .venv/stripe-mock.log"
  fi
  printf '%s\n' "$stamp" > "$home/.stamp"
}

if [ "${1:-}" = --python ]; then
  if [ -n "${2:-}" ]; then find_python "${2#3.}" && exit 0; else find_python 13 12 11 && exit 0; fi
  fail "Python ${2:-3.11 or newer} is missing. Install it: pyenv install ${2:-3.13}"
fi

mkdir -p .venv
# Two `make` at once must not build one environment twice.
if command -v flock >/dev/null; then exec 9>.venv/.lock; flock 9; fi
for name in "$@"; do
  case "$name" in
    app) make_environment app layers/core_deps/requirements.txt layers/pdf_deps/requirements.txt \
           layers/stripe_deps/requirements.txt \
           layers/validation_deps/requirements.txt ;;
    ministack|sam|bench) make_environment "$name" ;;
    engine) make_engine ;;
    verapdf) make_verapdf ;;
    stripe-mock) make_stripe_mock ;;
    *) fail "no environment is called $name" ;;
  esac
done
