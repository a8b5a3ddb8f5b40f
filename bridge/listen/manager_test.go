package listen

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// systemd receives a program's notifications.
type systemd struct{ net.PacketConn }

func newSystemd(t *testing.T) systemd {
	t.Helper()
	path := socketPath(t)
	conn, err := net.ListenPacket("unixgram", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return systemd{conn}
}

func (s systemd) hear(t *testing.T) string {
	t.Helper()
	_ = s.SetReadDeadline(time.Now().Add(testkit.Patience))
	buf := make([]byte, 1000)
	n, _, err := s.ReadFrom(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

func findManager(t *testing.T) *Manager {
	t.Helper()
	m, err := ManagerFromEnv()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func TestTheManagerIsNotified(t *testing.T) {
	s := newSystemd(t)
	m := findManager(t)
	for _, c := range []struct {
		tell func()
		want string
	}{
		{func() { m.Ready("linked\nREADY=0") }, "READY=1\nSTATUS=linked READY=0"},
		{func() { m.Status("not linked") }, "STATUS=not linked"},
		{m.Reloading, "RELOADING=1\nMONOTONIC_USEC="},
		{m.Reloaded, "READY=1"},
		{m.Alive, "WATCHDOG=1"},
		{m.Stopping, "STOPPING=1"},
	} {
		c.tell()
		if got := s.hear(t); !strings.HasPrefix(got, c.want) {
			t.Errorf("heard %q, want %q", got, c.want)
		}
	}
	if _, still := os.LookupEnv("NOTIFY_SOCKET"); still {
		t.Error("a child would think that it is meant")
	}
}

func TestTheWatchdogIsFedTwicePerTimeout(t *testing.T) {
	me := fmt.Sprint(os.Getpid())
	for _, c := range []struct {
		usec, pid string
		want      time.Duration
	}{
		{"30000000", me, 15 * time.Second},
		{"30000000", "", 15 * time.Second},
		{"30000000", "1", 0},
		{"often", me, 0},
		{"", "", 0},
	} {
		newSystemd(t)
		t.Setenv("WATCHDOG_USEC", c.usec)
		t.Setenv("WATCHDOG_PID", c.pid)
		if got := findManager(t).WatchdogInterval(); got != c.want {
			t.Errorf("every %q µs of %q: %v, want %v", c.usec, c.pid, got, c.want)
		}
	}
}

func TestWithoutAManagerNothingIsSent(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	m := findManager(t)
	m.Ready("alone")
	m.Stopping()
	if m.WatchdogInterval() != 0 {
		t.Error("there is a watchdog interval")
	}
}

func TestSocketsOfAnotherProcessAreIgnored(t *testing.T) {
	for _, pid := range []string{"1", "", "x"} {
		t.Setenv("LISTEN_PID", pid)
		t.Setenv("LISTEN_FDS", "1")
		t.Setenv("LISTEN_FDNAMES", "web")
		if sockets, err := Inherited(); len(sockets) > 0 || err != nil {
			t.Errorf("pid %q: %v, %v", pid, sockets, err)
		}
		for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
			if _, still := os.LookupEnv(name); still {
				t.Errorf("%s is still there", name)
			}
		}
	}
}
