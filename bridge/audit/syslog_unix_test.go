//go:build unix

package audit

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// daemon listens where a syslog daemon does.
func daemon(t *testing.T, path string) net.PacketConn {
	t.Helper()
	conn, err := net.ListenPacket("unixgram", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		os.Remove(path)
	})
	return conn
}

func receive(t *testing.T, conn net.PacketConn) string {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(testkit.Patience))
	buf := make([]byte, 1<<16)
	n, _, err := conn.ReadFrom(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

var syslogForm = regexp.MustCompile(`^<86>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d clu-ws\[\d+\]: (\{.*\})$`)

func TestEachRowIsAMessageToTheSyslogDaemonEvenAfterItsRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	first := daemon(t, path)
	s, err := openSyslog([]string{filepath.Join(t.TempDir(), "absent"), path})
	if err != nil {
		t.Fatal(err)
	}
	l, _ := logTo(s, true, maxPending)
	l.patiently()
	l.cfg.Target = Syslog
	got := newOutcome()
	long := dome
	long.CommandString = strings.Repeat("é", maxCut)
	l.Command(dome, got.then)
	l.Command(long, got.then)
	for _, want := range []string{`"command_string":"open --fast"`, `"command_bytes":2048`} {
		if err := testkit.Receive(t, got.errs); err != nil {
			t.Error(err)
		}
		if text := receive(t, first); !syslogForm.MatchString(text) || !strings.Contains(text, want) {
			t.Errorf("the message is %q", text)
		}
	}
	first.Close()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	l.Command(dome, got.then)
	if err := testkit.Receive(t, got.errs); err == nil {
		t.Error("a command is recorded by a daemon that is away")
	}
	second := daemon(t, path)
	l.Command(dome, got.then)
	if err := testkit.Receive(t, got.errs); err != nil {
		t.Error(err)
	}
	receive(t, second)
	if text := receive(t, second); !strings.Contains(text, `"event":"lost","count":1`) {
		t.Errorf("the message is %q", text)
	}
	if err := l.Close(testkit.Patience); err != nil {
		t.Error(err)
	}
}

func TestAMissingSyslogDaemonIsAnError(t *testing.T) {
	if _, err := openSyslog([]string{filepath.Join(t.TempDir(), "absent")}); err == nil || !strings.Contains(err.Error(), "no syslog daemon") {
		t.Errorf("%v", err)
	}
}

func TestWhatCannotBeSentOverAStreamIsNotWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	s, err := openSyslog([]string{path})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if n, err := s.Write([]byte("{}\n")); n != 3 || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
	conn.Close()
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Write([]byte("{}\n")); n != 0 || err == nil {
		t.Errorf("%d bytes are sent to nobody, %v", n, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestAStreamsMessagesAreReadApart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	s, err := openSyslog([]string{path})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for range 2 {
		if _, err := s.Write([]byte("{}\n")); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	text, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	messages := strings.Split(string(text), "\x00")
	if len(messages) != 3 || !syslogForm.MatchString(messages[0]) || !syslogForm.MatchString(messages[1]) || messages[2] != "" {
		t.Errorf("the daemon gets %q", text)
	}
}
