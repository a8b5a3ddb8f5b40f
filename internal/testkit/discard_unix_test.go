//go:build unix

package testkit

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// allDefunct reports whether the group's processes have ended and only await a parent that reaps them, which
// the first process of a container often does not. Without /proc it is false.
func allDefunct(group int) bool {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		// pid (name) state parent group ..., and the name may hold anything.
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if fields[2] == strconv.Itoa(group) && fields[0] != "Z" {
			return false
		}
	}
	return len(stats) > 0
}

func TestNothingIsLeftOfADiscardedNode(t *testing.T) {
	n := StartRabbitMQ(t)
	pid := n.proc.Pid()
	n.discard()
	// The group includes the server's helpers, which end by themselves when their parent does.
	Eventually(t, Patience, "the process group is gone", func() error {
		if err := syscall.Kill(-pid, 0); errors.Is(err, syscall.ESRCH) || allDefunct(pid) {
			return nil
		}
		return errors.New("the process group is alive")
	})
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(n.Port())))
	if err != nil {
		t.Fatalf("the port is still taken: %v", err)
	}
	l.Close()
}
