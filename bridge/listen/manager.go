package listen

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// Manager notifies the service manager of the program's state, as described in
// sd_notify(3). Its methods may be called from any goroutine; those of nil do nothing.
// Notification errors are ignored.
type Manager struct {
	conn     net.Conn
	watchdog time.Duration
}

// notifyTimeout bounds the wait for a manager that does not read.
const notifyTimeout = time.Second

// ManagerFromEnv returns the service manager named in the environment, and removes the
// variables there. Without one it returns nil.
func ManagerFromEnv() (*Manager, error) {
	at, every, pid := takeEnv("NOTIFY_SOCKET"), takeEnv("WATCHDOG_USEC"), takeEnv("WATCHDOG_PID")
	if at == "" {
		return nil, nil
	}
	conn, err := net.Dial("unixgram", at)
	if err != nil {
		return nil, fmt.Errorf("cannot connect to the service manager at NOTIFY_SOCKET: %w", err)
	}
	m := &Manager{conn: conn}
	if usec, err := strconv.ParseInt(every, 10, 64); err == nil && usec > 0 && (pid == "" || pid == strconv.Itoa(os.Getpid())) {
		m.watchdog = time.Duration(usec) * time.Microsecond
	}
	return m, nil
}

// FailureReporter returns a function that reports the error with which the program ends as its status, which the
// service manager shows until the next start. It finds the manager without removing the variable, so that it
// works before [ManagerFromEnv] and after [Manager.Close]. Without a manager or an error it does nothing.
func FailureReporter() func(error) {
	at := os.Getenv("NOTIFY_SOCKET")
	return func(failure error) {
		if at == "" || failure == nil {
			return
		}
		if conn, err := net.Dial("unixgram", at); err == nil {
			m := &Manager{conn: conn}
			m.Status("failed: " + failure.Error())
			m.Close()
		}
	}
}

// Ready reports that clients are served, with a line of status.
func (m *Manager) Ready(status string) { m.notify("READY=1", "STATUS="+oneLine(status)) }

// Status reports a line of status.
func (m *Manager) Status(status string) { m.notify("STATUS=" + oneLine(status)) }

// Reloading reports that files are being reloaded, until [Manager.Reloaded] is called.
func (m *Manager) Reloading() {
	m.notify("RELOADING=1", fmt.Sprintf("MONOTONIC_USEC=%d", monotonic()))
}

// Reloaded reports that the files were reloaded.
func (m *Manager) Reloaded() { m.notify("READY=1") }

// Stopping reports that the program begins to stop.
func (m *Manager) Stopping() { m.notify("STOPPING=1") }

// Alive keeps the watchdog from restarting the program.
func (m *Manager) Alive() { m.notify("WATCHDOG=1") }

// WatchdogInterval returns how often to call Alive: twice per watchdog timeout. It is 0
// without a watchdog.
func (m *Manager) WatchdogInterval() time.Duration {
	if m == nil {
		return 0
	}
	return m.watchdog / 2
}

// Close closes the connection to the manager.
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
