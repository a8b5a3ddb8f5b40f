package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/sassoftware/go-rpmutils"
)

func TestTwoRunsGiveTheSameBytes(t *testing.T) {
	again := made.builder
	again.work = t.TempDir()
	out := filepath.Join(t.TempDir(), "dist")
	if err := again.release(out, []string{testTarget}); err != nil {
		t.Fatal(err)
	}
	if first, second := read(t, filepath.Join(made.out, marker)), read(t, filepath.Join(out, marker)); first != second || strings.Count(first, "\n") != 5 {
		t.Errorf("the checksums are\n%sand then\n%s", first, second)
	}
	check := exec.Command("sha256sum", "--check", "--strict", marker)
	check.Dir = out
	if text, err := check.CombinedOutput(); err != nil {
		t.Errorf("sha256sum says %s", text)
	}
}

func TestABuildThatIsNoReleaseSortsBeforeIt(t *testing.T) {
	s := source{version: "1.2.3", commit: "0123456789abcdef0123", date: time.Date(2026, 11, 29, 2, 9, 22, 0, time.UTC)}
	for _, c := range []struct {
		tags    []string
		changed bool
		want    string
	}{
		{[]string{"v1.2.2", "v1.2.3"}, false, "1.2.3"},
		{[]string{"v1.2.3"}, true, "1.2.3~dev.20261129020922.01234567.changed"},
		{[]string{"v1.2"}, false, "1.2.3~dev.20261129020922.01234567"},
	} {
		s.snapshot = snapshot(s, c.tags, c.changed)
		if got := s.fullVersion(); got != c.want {
			t.Errorf("with the tags %q it is %s, not %s", c.tags, got, c.want)
		}
	}
}

func TestAFolderThatIsNotAReleasesIsKept(t *testing.T) {
	out := t.TempDir()
	precious := filepath.Join(out, "precious")
	if err := os.WriteFile(precious, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := replaceFolder(out); err == nil || !strings.Contains(err.Error(), "choose another folder") {
		t.Errorf("the error is %v", err)
	}
	if err := os.WriteFile(filepath.Join(out, marker), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := replaceFolder(out); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(precious); err == nil {
		t.Error("what an earlier release wrote is left")
	}
}

func TestTheProgramSaysWhatItWasBuiltFrom(t *testing.T) {
	out, err := exec.Command(made.program(), "--version").Output()
	if want := made.commit[:12] + made.changes() + " " + made.date.Format(time.RFC3339) + "\n"; err != nil || !strings.HasSuffix(string(out), want) {
		t.Errorf("it says %q, %v; its end should be %q", out, err, want)
	}
}

func TestTheBillHasEachModuleOfTheProgram(t *testing.T) {
	var bill cyclonedx.BOM
	if err := json.Unmarshal([]byte(read(t, file(t, ".cdx.json"))), &bill); err != nil {
		t.Fatal(err)
	}
	modules, err := made.modules()
	if err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{}
	for _, c := range *bill.Components {
		has[c.PackageURL] = c.Version != ""
	}
	licences := read(t, made.generated("THIRD-PARTY.txt"))
	for _, m := range modules {
		if _, err := os.Stat(m.Dir); err != nil || !strings.Contains(licences, "\n"+m.Path+" "+m.Version+"\n") {
			t.Errorf("%s is not in THIRD-PARTY.txt", m.Path)
		}
	}
	for _, want := range []string{"pkg:golang/github.com/urfave/cli/v2@", "pkg:golang/std@1.", "pkg:npm/uplot@1."} {
		found := false
		for url := range has {
			found = found || strings.HasPrefix(url, want)
		}
		if !found {
			t.Errorf("%s is not in the bill", want)
		}
	}
	if bill.Metadata.Component.Version != "1.2.3" || !strings.HasPrefix(bill.SerialNumber, "urn:uuid:") {
		t.Errorf("the bill is of %+v", bill.Metadata.Component)
	}
}

func TestTheRPMHasTheFilesAndScriptsOfTheDeb(t *testing.T) {
	rpm, err := rpmutils.ReadRpm(bytes.NewReader([]byte(read(t, file(t, ".rpm")))))
	if err != nil {
		t.Fatal(err)
	}
	found, err := rpm.Header.GetFiles()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range found {
		files[f.Name()] = f.UserName() + ":" + f.GroupName()
	}
	deb, err := exec.Command("dpkg-deb", "--fsys-tarfile", file(t, ".deb")).Output()
	if err != nil {
		missing(t, "dpkg-deb: %v", err)
	}
	for _, name := range tarNames(t, deb) {
		own := strings.Contains(name, "/zsh/") || strings.Contains(name, "lintian") || strings.HasSuffix(name, "/copyright") || strings.Contains(name, "Debian")
		if _, ok := files[name]; !ok && !own {
			t.Errorf("the .rpm is without %s", name)
		}
	}
	if files["/etc/clu-ws/clu-ws.yaml"] != "root:clu-ws" || files["/usr/share/zsh/site-functions/_clu-ws"] == "" {
		t.Errorf("the files are %v", files)
	}
	for tag, want := range map[int]string{rpmutils.PREIN: "useradd --system", rpmutils.POSTIN: "daemon-reload", rpmutils.PREUN: "disable --now", rpmutils.POSTUN: "try-restart"} {
		if script, err := rpm.Header.GetString(tag); err != nil || !strings.Contains(script, want) {
			t.Errorf("script %d is %q, %v", tag, script, err)
		}
	}
}

func TestTheScriptsAreOfAShellThatReadsThem(t *testing.T) {
	scripts, err := filepath.Glob("../scripts/*")
	if err != nil || len(scripts) != 7 {
		t.Fatalf("the scripts are %q, %v", scripts, err)
	}
	for _, script := range scripts {
		if out, err := exec.Command("sh", "-n", script).CombinedOutput(); err != nil {
			t.Errorf("%s: %s", script, out)
		}
	}
}

func TestThePackagesUnitUsesThePackagesFiles(t *testing.T) {
	unit, err := made.unit("clu-ws.service")
	if err != nil {
		t.Fatal(err)
	}
	if text := string(unit); strings.Contains(text, "/usr/local") || !strings.Contains(text, "\nExecStart=/usr/bin/clu-ws websocket --config /etc/clu-ws/clu-ws.yaml") || strings.Contains(text, "Copy it") {
		t.Errorf("the unit is\n%s", text)
	}
}

func TestTheManualPagesAreWithoutFaults(t *testing.T) {
	if _, err := exec.LookPath("mandoc"); err != nil {
		missing(t, "mandoc, a package of Debian")
	}
	pages, err := filepath.Glob(made.generated("man", "*"))
	if err != nil || len(pages) < 20 {
		t.Fatalf("the pages are %q, %v", pages, err)
	}
	if out, err := exec.Command("mandoc", append([]string{"-T", "lint", "-W", "warning"}, pages...)...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("mandoc says %s, %v", out, err)
	}
}
