package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The facts that testdata/deb.sh tells of a package in a copy of this machine.
const debFacts = `== install
systemctl --system daemon-reload
clu-ws: change /etc/clu-ws/clu-ws.yaml, then: systemctl enable --now clu-ws
has /usr/bin/clu-ws
has /usr/lib/systemd/system/clu-ws.service
has /etc/clu-ws/clu-ws.yaml
clu-ws:/usr/sbin/nologin
clu-ws
root:clu-ws 640
/etc/clu-ws/clu-ws.yaml can be used.
== upgrade of an unchanged file
systemctl --system daemon-reload
systemctl try-restart clu-ws.service
# a new default
root:clu-ws 640
== upgrade of a changed file
systemctl --system daemon-reload
systemctl try-restart clu-ws.service
host: 10.1.2.3
clu-ws.yaml
clu-ws.yaml.dpkg-dist
== remove
systemctl stop clu-ws.socket clu-ws.service
systemctl --system daemon-reload
has /etc/clu-ws/clu-ws.yaml
has /var/log/clu-ws
clu-ws:/usr/sbin/nologin
clu-ws
== purge
systemctl --system daemon-reload
== a person of the name clu-ws
root:clu-ws 640
systemctl stop clu-ws.socket clu-ws.service
systemctl --system daemon-reload
clu-ws:Clu Ws
`

func TestADebIsInstalledUpgradedRemovedAndPurged(t *testing.T) {
	for _, program := range []string{"dpkg", "unshare", "mount", "chroot"} {
		if _, err := exec.LookPath(program); err != nil {
			missing(t, "%s, which every Debian has", program)
		}
	}
	if os.Getuid() != 0 {
		missing(t, "root, who may mount a copy of this machine: run it with sudo")
	}
	out, err := exec.Command("unshare", "--mount", "--fork", "sh", "testdata/deb.sh", t.TempDir(), file(t, ".deb"), newerDeb(t)).CombinedOutput()
	// The scripts print what systemctl prints nothing of; daemon-reload is silenced there.
	got := string(out)
	want := strings.ReplaceAll(debFacts, "systemctl --system daemon-reload\n", "")
	if err != nil || got != want {
		t.Errorf("%v; the facts are\n%s\nand should be\n%s", err, got, want)
	}
}

// newerDeb returns a package of a later version, whose configuration file differs.
func newerDeb(t *testing.T) string {
	t.Helper()
	newer := made.builder
	newer.version, newer.work = "1.2.4", t.TempDir()
	generated, err := filepath.Abs(made.generated())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(newer.generated(), os.DirFS(generated)); err != nil {
		t.Fatal(err)
	}
	config := newer.generated("clu-ws.yaml")
	if err := os.WriteFile(config, []byte(read(t, config)+"# a new default\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	info, err := newer.packageInfo("deb", binary{"linux", "amd64", made.program()})
	if err == nil {
		err = newer.writePackage(out, "deb", info)
	}
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(out, "clu-ws_1.2.4-1_amd64.deb")
}
