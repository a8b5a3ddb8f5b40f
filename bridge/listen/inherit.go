package listen

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

// firstInherited is the first file descriptor of the service manager's sockets
// (SD_LISTEN_FDS_START); the others follow.
const firstInherited = 3

// errNotListening is the result of a wrong .socket unit.
var errNotListening = errors.New("it is not a listening stream socket; the .socket unit needs ListenStream= and Accept=no")

// Socket is a listener opened by the service manager.
type Socket struct {
	net.Listener
	Name string // FileDescriptorName= of the .socket unit, or ""
}

// Inherited returns the sockets that the service manager passed to this process, as
// described in sd_listen_fds(3), and removes the variables from the environment. It returns
// none if they were meant for another process.
func Inherited() ([]Socket, error) {
	pid, count, names := takeEnv("LISTEN_PID"), takeEnv("LISTEN_FDS"), takeEnv("LISTEN_FDNAMES")
	if pid != strconv.Itoa(os.Getpid()) || count == "" {
		return nil, nil
	}
	n, err := strconv.ParseUint(count, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("LISTEN_FDS must be a number of sockets, and is %q", count)
	}
	name := strings.Split(names, ":")
	var sockets []Socket
	for i := range int(n) {
		ln, err := listenerAt(firstInherited + i)
		if err != nil {
			for _, s := range sockets {
				s.Close()
			}
			return nil, fmt.Errorf("socket %d of %d from the service manager cannot be used: %w", i+1, n, err)
		}
		s := Socket{Listener: ln}
		if i < len(name) {
			s.Name = name[i]
		}
		sockets = append(sockets, s)
	}
	return sockets, nil
}

// takeEnv reads an environment variable and removes it, so that child processes do not act
// on it.
func takeEnv(name string) string {
	value := os.Getenv(name)
	os.Unsetenv(name)
	return value
}
