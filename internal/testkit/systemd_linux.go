package testkit

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

//go:embed systemd.sh
var systemdScript string

// systemdHow says what [StartSystemd] needs.
const systemdHow = "it needs root, namespaces and the package systemd: run scripts/setup-test.sh as root, or in a container with --privileged"

// Systemd is a systemd that runs units for a test, as process 1 of namespaces of its own. It has the machine's network
// and programs, and a /etc, /var, /run and /tmp of its own.
type Systemd struct {
	t       testing.TB
	process *Process
	pid     string // of its process 1
}

// StartSystemd starts a systemd with unit files by name, and with a program as /usr/local/bin/clu-ws. It ends with the
// test, and all services with it. If the machine permits no namespaces, that is a missing component.
func StartSystemd(t testing.TB, program string, units map[string]string) *Systemd {
	t.Helper()
	need(t, "systemd")
	for _, tool := range []string{"/lib/systemd/systemd", "systemctl", "unshare", "nsenter"} {
		if _, err := exec.LookPath(tool); err != nil || os.Getuid() != 0 {
			Missing(t, "systemd", systemdHow)
		}
	}
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"systemd.sh": systemdScript})
	writeFiles(t, filepath.Join(dir, "units"), systemdTargets())
	writeFiles(t, filepath.Join(dir, "units"), units)
	cgroup := fmt.Sprintf("clu-ws-test-%d-%d", os.Getpid(), time.Now().UnixNano())
	t.Cleanup(func() { removeCgroup(t, dir, cgroup) })
	s := &Systemd{t: t, process: StartProcess(t, exec.Command("unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child",
		"sh", "-eu", "-c", systemdScript, "sh", cgroup, dir, program))}
	line, err := s.process.Output.waitFor(Patience, "process ")
	if err != nil {
		Missing(t, "systemd", fmt.Sprintf("%s. %v", systemdHow, err))
	}
	_, s.pid, _ = strings.Cut(line, "process ")
	s.await("/run/systemd/private")
	Eventually(t, Patience, "systemd answers", func() error { // not as soon as its socket is there
		_, err := s.Ctl("show", "--property=Version")
		return err
	})
	return s
}

// await waits until systemd has made a file.
func (s *Systemd) await(path string) {
	s.t.Helper()
	Eventually(s.t, Patience, "systemd runs", func() error {
		select {
		case <-s.process.Done():
			s.t.Fatalf("systemd has ended:\n%s", s.process.Output)
		default:
		}
		_, err := os.Stat(s.Path(path))
		return err
	})
}

// systemdTargets returns empty targets, so that services find those that they need by default, and nothing else runs.
func systemdTargets() map[string]string {
	units := map[string]string{}
	for _, name := range []string{"basic", "sysinit", "sockets", "shutdown", "network-online", "multi-user"} {
		units[name+".target"] = "[Unit]\nDefaultDependencies=no\nAllowIsolate=yes\n"
	}
	return units
}

func writeFiles(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// removeCgroup removes the cgroups of a systemd that has been killed, once its processes are gone.
func removeCgroup(t testing.TB, dir, cgroup string) {
	t.Helper()
	const script = `mkdir -p "$1" && mount -t cgroup2 none "$1" && cd "$1" && if [ -d "$2" ]; then find "$2" -depth -type d -exec rmdir {} +; fi`
	Eventually(t, Patience, "the cgroups of systemd are removed", func() error {
		out, err := exec.Command("unshare", "--mount", "sh", "-c", script, "sh", filepath.Join(dir, "cgroup"), cgroup).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
}

// Path returns where a file of systemd's is for the test.
func (s *Systemd) Path(name string) string { return filepath.Join("/proc", s.pid, "root", name) }

// Write writes a file, which everyone may read.
func (s *Systemd) Write(name, content string) {
	s.t.Helper()
	writeFiles(s.t, s.Path(filepath.Dir(name)), map[string]string{filepath.Base(name): content})
}

// Ctl runs systemctl, and returns what it prints.
func (s *Systemd) Ctl(args ...string) (string, error) {
	s.t.Helper()
	out, err := exec.Command("nsenter", append([]string{"--target", s.pid, "--mount", "--pid", "--uts", "--ipc", "--cgroup", "systemctl", "--no-pager", "--no-ask-password"}, args...)...).CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("systemctl %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}

// MustCtl is Ctl, which must succeed.
func (s *Systemd) MustCtl(args ...string) string {
	s.t.Helper()
	out, err := s.Ctl(args...)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// Show returns a property of a unit.
func (s *Systemd) Show(unit, property string) string {
	s.t.Helper()
	return s.MustCtl("show", "--value", "--property="+property, unit)
}

// AwaitShow waits until a property of a unit is one that is wanted, and returns it.
func (s *Systemd) AwaitShow(unit, property string, wanted func(string) bool) (value string) {
	s.t.Helper()
	Eventually(s.t, Patience, unit+" has another "+property, func() error {
		if value = s.Show(unit, property); !wanted(value) {
			return errors.New(property + " is " + value)
		}
		return nil
	})
	return value
}

// HostPid returns the process id of a unit's main process as the machine sees it.
func (s *Systemd) HostPid(unit string) int {
	s.t.Helper()
	inside := s.Show(unit, "MainPID")
	namespace, err := os.Readlink(filepath.Join("/proc", s.pid, "ns/pid"))
	if err != nil {
		s.t.Fatal(err)
	}
	all, _ := filepath.Glob("/proc/[0-9]*/status") // the pattern is correct
	for _, status := range all {
		text, err := os.ReadFile(status)
		if err != nil {
			continue // it has ended
		}
		_, ids, _ := strings.Cut(string(text), "\nNSpid:")
		ids, _, _ = strings.Cut(ids, "\n")
		dir := filepath.Dir(status)
		if in, err := os.Readlink(dir + "/ns/pid"); err != nil || in != namespace || !strings.HasSuffix(ids, "\t"+inside) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			s.t.Fatal(err)
		}
		return pid
	}
	s.t.Fatalf("%s has no main process", unit)
	panic("unreachable")
}
