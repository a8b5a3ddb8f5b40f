package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

const (
	serviceUnit = "clu-ws.service"
	socketUnit  = "clu-ws.socket"
	configPath  = "/etc/clu-ws/clu-ws.yaml"
	serviceLog  = "/run/clu-ws.log"
	port        = "9876" // of clu-ws.socket
)

// unitService is the bridge as a service of a systemd: the units of docs/systemd.
type unitService struct {
	*testkit.Systemd
	t *testing.T
}

// startSystemd starts a systemd with the units, and with additions to the service.
func startSystemd(t *testing.T, additions string) unitService {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	units := map[string]string{}
	for _, name := range []string{serviceUnit, socketUnit} {
		units[name] = readUnit(t, name)
	}
	s := unitService{testkit.StartSystemd(t, self, units), t}
	s.Write("/etc/systemd/system/clu-ws.service.d/test.conf", "[Service]\nEnvironment="+runAsProgramEnv+"=yes\nStandardOutput=append:"+serviceLog+"\nRestartSec=100ms\n"+additions)
	s.MustCtl("daemon-reload")
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%v\n%s\nthe service wrote:\n%s", s.MustCtl("show", serviceUnit, "--property=ActiveState,SubState,Result,StatusText,NRestarts"), s.MustCtl("list-units", "--all"), s.log())
		}
	})
	return s
}

func readUnit(t *testing.T, name string) string {
	t.Helper()
	unit, err := os.ReadFile(filepath.Join("..", "..", "docs", "systemd", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(unit)
}

// log returns what the service has written.
func (s unitService) log() string {
	s.t.Helper()
	text, err := os.ReadFile(s.Path(serviceLog))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.t.Fatal(err)
	}
	return string(text)
}

func (s unitService) awaitLog(words string) {
	s.t.Helper()
	testkit.Eventually(s.t, testkit.Patience, "the service says "+words, func() error {
		if !strings.Contains(s.log(), words) {
			return errors.New("it does not")
		}
		return nil
	})
}

// awaitRestarts waits until systemd has started the service again this often by itself.
func (s unitService) awaitRestarts(n int) {
	s.t.Helper()
	s.AwaitShow(serviceUnit, "NRestarts", func(got string) bool { now, _ := strconv.Atoi(got); return now >= n })
}

func (s unitService) awaitActive() {
	s.t.Helper()
	s.AwaitShow(serviceUnit, "ActiveState", func(got string) bool { return got == "active" })
}

// address returns where the service listens, of the last line that says so.
func (s unitService) address() string {
	s.t.Helper()
	_, rest, found := cutLast(s.log(), "listens at http://")
	if !found {
		s.t.Fatalf("it listens nowhere:\n%s", s.log())
	}
	address, _, _ := strings.Cut(rest, " ")
	return address
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func TestAServiceWithoutItsConfigurationSaysSoAndRunsOnceItIsThere(t *testing.T) {
	t.Parallel()
	s := startSystemd(t, "")
	if _, err := s.Ctl("start", serviceUnit); err == nil {
		t.Error("it starts without its configuration")
	}
	s.awaitLog(configPath)
	s.AwaitShow(serviceUnit, "StatusText", func(got string) bool {
		return strings.HasPrefix(got, "failed: ") && strings.Contains(got, configPath)
	})
	s.awaitRestarts(7) // more than systemd permits by default
	s.Write(configPath, "host: 127.0.0.1\nport: 0\n")
	s.awaitActive()
	mustAnswer(t, testkit.DialWebSocket(t, "ws://"+s.address()+"/"))
}

func TestTheServiceHasItsSecretAndItsBacklogInItsSandbox(t *testing.T) {
	t.Parallel()
	broker, err := url.Parse(testkit.RabbitMQ(t).NewVHost(t))
	if err != nil {
		t.Fatal(err)
	}
	secret, _ := broker.User.Password()
	s := startSystemd(t, "LoadCredential=broker-password:/etc/clu-ws/broker-password\n")
	s.Write("/etc/clu-ws/broker-password", secret+"\n")
	if err := os.Chmod(s.Path("/etc/clu-ws/broker-password"), 0o600); err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf("host: 127.0.0.1\nport: 0\nrabbitmq-host: %s\nrabbitmq-port: %s\nuser: %s\npassword: credential:broker-password\nvhost: %q\naudit: /var/log/clu-ws/audit.log\n",
		broker.Hostname(), broker.Port(), broker.User.Username(), strings.TrimPrefix(broker.Path, "/"))
	s.Write(configPath, config)
	s.MustCtl("start", serviceUnit)
	s.AwaitShow(serviceUnit, "StatusText", func(got string) bool { return strings.Contains(got, "linked") && !strings.Contains(got, "not linked") })
	status, err := os.ReadFile(s.Path("/proc/" + s.Show(serviceUnit, "MainPID") + "/status"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"NoNewPrivs:\t1", "Seccomp:\t2", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000"} {
		if !strings.Contains(string(status), line+"\n") {
			t.Errorf("there is no %q in\n%s", line, status)
		}
	}
	if uid := s.Show(serviceUnit, "UID"); len(uid) != len("61184") {
		t.Errorf("its user is %s, and not a dynamic one", uid)
	}
	if _, err := os.Stat(s.Path("/var/log/private/clu-ws/audit.log")); err != nil {
		t.Error(err)
	}
	limit, err := os.ReadFile("/proc/sys/net/core/somaxconn")
	if err != nil {
		t.Fatal(err)
	}
	if got := backlogOf(t, s.HostPid(serviceUnit)); fmt.Sprint(got) != strings.TrimSpace(string(limit)) {
		t.Errorf("%d clients may wait, and the system permits %s", got, limit)
	}
	s.Write(configPath, config+"log-level: debug\n")
	s.MustCtl("reload", serviceUnit)
	s.awaitLog("log-level")
	s.awaitActive()
	s.MustCtl("stop", serviceUnit)
	if got := s.Show(serviceUnit, "Result"); got != "success" {
		t.Errorf("it ended with %s", got)
	}
}

// backlogOf returns how many clients may wait to be accepted at the one port of a process.
func backlogOf(t *testing.T, pid int) int {
	t.Helper()
	process, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(process)
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid)) // the pattern is correct
	for _, link := range links {
		if to, err := os.Readlink(link); err != nil || !strings.HasPrefix(to, "socket:") {
			continue
		}
		number, err := strconv.Atoi(filepath.Base(link))
		if err != nil {
			t.Fatal(err)
		}
		fd, err := unix.PidfdGetfd(process, number, 0)
		if err != nil {
			t.Fatal(err)
		}
		listening, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
		if err != nil || listening == 0 {
			unix.Close(fd)
			continue
		}
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		unix.Close(fd)
		if err != nil {
			t.Fatal(err)
		}
		return int(info.Sacked) // of a listening socket
	}
	t.Fatalf("the process %d listens nowhere", pid)
	panic("unreachable")
}

func TestAServiceThatHangsOrEndsIsStartedAgain(t *testing.T) {
	t.Parallel()
	s := startSystemd(t, "WatchdogSec=10s\nSupplementaryGroups=www-data\nPrivateUsers=no\n")
	// As with a package: the user is there, and the file is for it alone.
	const user, proxy = 990, 991
	s.Write("/etc/passwd", fmt.Sprintf("root:x:0:0:root:/root:/bin/sh\nclu-ws:x:%d:%d::/:/usr/sbin/nologin\n", user, user))
	s.Write("/etc/group", fmt.Sprintf("root:x:0:\nclu-ws:x:%d:\nwww-data:x:%d:\n", user, proxy))
	s.Write(configPath, "listen: ['127.0.0.1:0', 'unix:/run/clu-ws/web.sock?group=www-data']\n")
	if err := errors.Join(os.Chown(s.Path(configPath), 0, user), os.Chmod(s.Path(configPath), 0o640)); err != nil {
		t.Fatal(err)
	}
	s.MustCtl("start", serviceUnit)
	if got := s.Show(serviceUnit, "UID"); got != strconv.Itoa(user) {
		t.Errorf("it runs as %s, and not as the package's user", got)
	}
	var socket unix.Stat_t
	if err := unix.Stat(s.Path("/run/clu-ws/web.sock"), &socket); err != nil || socket.Gid != proxy {
		t.Errorf("the socket's group is %d, and not the proxy's; %v", socket.Gid, err)
	}
	for i, signal := range []string{"STOP", "KILL", "TERM"} {
		before := s.Show(serviceUnit, "MainPID")
		s.MustCtl("kill", "--signal="+signal, serviceUnit)
		s.awaitRestarts(i + 1)
		s.AwaitShow(serviceUnit, "MainPID", func(got string) bool { return got != "0" && got != before })
		s.awaitActive()
		mustAnswer(t, testkit.DialWebSocket(t, "ws://"+s.address()+"/"))
	}
}
