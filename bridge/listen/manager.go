package listen

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// Manager is the service manager that started the program. Its methods tell it
// how the program is, as sd_notify(3) has it, and may be called from any
// goroutine; those of nil tell nobody. That the manager hears nothing is no
// reason for the program to do anything, so they have no errors.
type Manager struct {
	conn     net.Conn
	watchdog time.Duration
}

// notifyTimeout bounds how long the program waits for a manager that does not read.
const notifyTimeout = time.Second

// ManagerFromEnv reads from the environment who wants to be told, and removes it
// there. Without anybody it is nil.
func ManagerFromEnv() (*Manager, error) {
	at, every, pid := takeEnv("NOTIFY_SOCKET"), takeEnv("WATCHDOG_USEC"), takeEnv("WATCHDOG_PID")
	if at == "" {
		return nil, nil
	}
	conn, err := net.Dial("unixgram", at)
	if err != nil {
		return nil, fmt.Errorf("the service manager at NOTIFY_SOCKET cannot be told anything: %w", err)
	}
	m := &Manager{conn: conn}
	if usec, err := strconv.ParseInt(every, 10, 64); err == nil && usec > 0 && (pid == "" || pid == strconv.Itoa(os.Getpid())) {
		m.watchdog = time.Duration(usec) * time.Microsecond
	}
	return m, nil
}

// Ready says that clients are served, and how things are in a line.
func (m *Manager) Ready(status string) { m.notify("READY=1", "STATUS="+oneLine(status)) }

// Status says how things are in a line.
func (m *Manager) Status(status string) { m.notify("STATUS=" + oneLine(status)) }

// Reloading says that files are read again; [Manager.Reloaded] ends it.
func (m *Manager) Reloading() {
	m.notify("RELOADING=1", fmt.Sprintf("MONOTONIC_USEC=%d", monotonic()))
}

// Reloaded says that the files were read.
func (m *Manager) Reloaded() { m.notify("READY=1") }

// Stopping says that the program begins to end.
func (m *Manager) Stopping() { m.notify("STOPPING=1") }

// Alive says that the program runs.
func (m *Manager) Alive() { m.notify("WATCHDOG=1") }

// WatchdogInterval is how often to call Alive: twice as often as the manager looks. It
// is 0 where nobody looks.
func (m *Manager) WatchdogInterval() time.Duration {
	if m == nil {
		return 0
	}
	return m.watchdog / 2
}

// Close ends the word with the manager.
func (m *Manager) Close() {
	if m != nil {
		m.conn.Close()
	}
}

func (m *Manager) notify(lines ...string) {
	if m == nil {
		return
	}
	_ = m.conn.SetWriteDeadline(time.Now().Add(notifyTimeout))
	_, _ = m.conn.Write([]byte(strings.Join(lines, "\n")))
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
