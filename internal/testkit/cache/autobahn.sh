#!/usr/bin/env bash
# autobahn.sh DIR PYTHON3: sets up AutobahnTestSuite in the empty folder DIR, as DIR/wstest. The suite
# runs on Python 2.7 only, which Debian 11 had last: its packages are unpacked, not installed, from
# the mirror that this machine's apt uses. PYTHON3 has pip and fetches the rest.
set -euo pipefail
dir=$1 python3=$2
cd "$dir"

mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -E '/debian/?$' | sort -u | head -n 1)
[ -n "$mirror" ] || { echo "apt knows no mirror of Debian" >&2; exit 1; }
mkdir -p apt/lists/partial apt/cache/archives/partial debs python
: >apt/status
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bullseye main" >apt/sources.list
# An apt of its own: what this machine's one knows stays as it is.
apt=(apt-get -qq -o Dir::Etc::SourceList="$PWD/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::Etc::Parts=/dev/null
	-o Dir::Etc::PreferencesParts=/dev/null -o Dir::State::Lists="$PWD/apt/lists" -o Dir::State::status="$PWD/apt/status"
	-o Dir::Cache="$PWD/apt/cache" -o APT::Sandbox::User=root)
"${apt[@]}" update
(cd debs && "${apt[@]}" download python2.7 python2.7-minimal libpython2.7-minimal libpython2.7-stdlib libssl1.1 libffi7 libreadline8 libtinfo6)
for deb in debs/*.deb; do dpkg -x "$deb" python; done
rm -r apt debs

cat >run <<'RUN'
#!/bin/sh
# Runs the unpacked Python with what is in site, wherever this folder is.
here=$(cd "$(dirname "$0")" && pwd)
LD_LIBRARY_PATH=$(echo "$here"/python/usr/lib/*-linux-gnu):$(echo "$here"/python/lib/*-linux-gnu)
PYTHONPATH=$here/site:${PYTHONPATH:-}
export LD_LIBRARY_PATH PYTHONPATH
exec "$here/python/usr/bin/python2.7" "$@"
RUN
cat >wstest <<'WSTEST'
#!/bin/sh
exec "$(dirname "$0")/run" -c 'from autobahntestsuite.wstest import run; run()' "$@"
WSTEST
chmod +x run wstest

# The last pip that knows Python 2.7 runs from its wheel.
"$python3" -m pip download -q --disable-pip-version-check --no-deps -d . pip==20.3.4
pip() { PYTHONPATH=$PWD/pip-20.3.4-py2.py3-none-any.whl ./run -m pip install -q --no-cache-dir --disable-pip-version-check --target site "$@"; }
pip setuptools==44.0.0 wheel==0.36.2
pip --only-binary cryptography,cffi,zope.interface txaio==2.1.0 incremental==16.10.1 pyOpenSSL==19.1.0 cryptography==3.3.2 \
	Twisted==19.10.0 zope.interface==4.6.0 jinja2==2.11.3 markupsafe==1.1.1 Werkzeug==1.0.1 klein==17.10.0 \
	service_identity==18.1.0 unittest2==1.1.0 six==1.16.0 autobahn==0.10.9
pip --no-deps autobahntestsuite==25.10.1
touch site/zope/__init__.py # pip does not make one for a namespace in --target
./wstest -a
