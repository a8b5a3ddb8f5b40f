#!/usr/bin/env bash
# rabbitmq.sh DIR SUITE: sets up the RabbitMQ of another suite of Debian in the empty folder DIR: its
# rabbitmq-server and rabbitmqctl in DIR/bin, its version in DIR/version. The packages are unpacked, not
# installed, from the mirror that this machine's apt uses. It takes no privilege, neither now nor to run
# it, and so works in a container too: the suite's programs are started with the suite's own loader and
# libraries, and its scripts run in this machine's shell.
set -euo pipefail
dir=$1 suite=$2
cd "$dir"

mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -E '/debian/?$' | sort -u | head -n 1)
[ -n "$mirror" ] || { echo "apt knows no mirror of Debian" >&2; exit 1; }
mkdir -p apt/lists/partial apt/cache/archives/partial root bin
: >apt/status
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >apt/sources.list
# An apt of its own: what this machine's one knows stays as it is.
apt=(apt-get -qq -o Dir::Etc::SourceList="$PWD/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::Etc::Parts=/dev/null
	-o Dir::Etc::PreferencesParts=/dev/null -o Dir::State::Lists="$PWD/apt/lists" -o Dir::State::status="$PWD/apt/status"
	-o Dir::Cache="$PWD/apt/cache" -o APT::Sandbox::User=root -o Debug::NoLocking=1 -o Acquire::Languages=none)
"${apt[@]}" update
"${apt[@]}" -y --download-only --no-install-recommends install rabbitmq-server >/dev/null
for deb in apt/cache/archives/*.deb; do dpkg-deb -x "$deb" root; done
rm -r apt root/usr/share

erlang=$PWD/root/usr/lib/erlang
sed -i "s#^\( *ROOTDIR=\)/usr/lib/erlang\$#\1'$erlang'#" "$erlang"/bin/erl "$erlang"/erts-*/bin/erl
loader=$(find "$PWD/root" -name 'ld-linux*.so.*' | head -n 1)
[ -n "$loader" ] || { echo "no loader among the packages of $suite" >&2; exit 1; }
libraries=$(find "$PWD/root" -type d -path '*/lib/*-linux-gnu*' -prune | paste -sd :)
# In the place of each of Erlang's programs comes a script that starts it.
find "$erlang" -type f -perm -u+x ! -name '*.so*' | while read -r program; do
	[ "$(head -c 4 "$program" | tail -c 3)" = ELF ] || continue
	mv "$program" "$program.elf"
	printf '#!/bin/sh\nexec "%s" --library-path "%s" --argv0 "%s" "%s" "$@"\n' \
		"$loader" "$libraries" "$program" "$program.elf" >"$program"
	chmod 755 "$program"
done
for tool in rabbitmq-server rabbitmqctl; do
	printf '#!/bin/sh\nPATH="%s:$PATH"\nexport PATH\nexec "%s" "$@"\n' "$erlang/bin" "$PWD/root/usr/lib/rabbitmq/bin/$tool" >bin/$tool
	chmod 755 bin/$tool
done
HOME=$PWD bin/rabbitmqctl version >version
