package audit

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// syslogSockets are the sockets of syslog daemons, journald among them.
var syslogSockets = []string{"/dev/log", "/var/run/syslog", "/var/run/log"}

const (
	// syslogPriority is the facility authpriv (10) with the severity info (6); see RFC 5424,
	// 6.2.1. Daemons keep authpriv where only administrators can read it.
	syslogPriority = 10<<3 | 6
	// syslogTimeout bounds the wait for a daemon that does not read.
	syslogTimeout = time.Second
)

// syslog sends each row as a message to the local syslog daemon. It connects again when the
// daemon was restarted.
//
// A local message is <PRIORITY>TIME TAG[PID]: TEXT, without the host (RFC 3164 as the C
// library's syslog() writes it), which every daemon reads. The form of RFC 5424 is not read by
// journald.
type syslog struct {
	sockets []string
	conn    net.Conn // nil if it must connect
	stream  bool     // messages end with a NUL
}

func openSyslog(sockets []string) (sink, error) {
	s := &syslog{sockets: sockets}
	return s, s.connect()
}

func (s *syslog) joins() bool { return false }
func (s *syslog) torn() bool  { return false }

func (s *syslog) connect() error {
	var failures []error
	for _, path := range s.sockets {
		for _, network := range []string{"unixgram", "unix"} {
			conn, err := net.Dial(network, path)
			if err == nil {
				s.conn, s.stream = conn, network == "unix"
				return nil
			}
			failures = append(failures, err)
		}
	}
	return fmt.Errorf("no syslog daemon can be reached: %w", errors.Join(failures...))
}

// Write sends one row. Of a row that cannot be sent, nothing counts as written.
func (s *syslog) Write(row []byte) (int, error) {
	message := fmt.Appendf(nil, "<%d>%s clu-ws[%d]: %s", syslogPriority, time.Now().Format(time.Stamp), os.Getpid(), bytes.TrimSpace(row))
	if s.conn != nil && s.send(message) == nil {
		return len(row), nil
	}
	if err := s.connect(); err != nil {
		return 0, err
	}
	if err := s.send(message); err != nil {
		return 0, err
	}
	return len(row), nil
}

// send sends a message. After an error, the connection is closed.
func (s *syslog) send(message []byte) error {
	if s.stream {
		message = append(message[:len(message):len(message)], 0)
	}
	_ = s.conn.SetWriteDeadline(time.Now().Add(syslogTimeout))
	_, err := s.conn.Write(message)
	if err != nil {
		s.conn.Close()
		s.conn = nil
	}
	return err
}

// Close closes the connection.
func (s *syslog) Close() error {
	if s.conn == nil {
		return nil
	}
	return s.conn.Close()
}
