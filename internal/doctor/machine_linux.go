package doctor

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// timeError is the answer of adjtimex for a clock that nothing keeps right.
const timeError = 5

func readMachine() (m machine) {
	var files unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &files) == nil {
		m.openFiles = files.Cur
	}
	m.allFiles = number("/proc/sys/fs/file-max", 0)
	m.backlog = number("/proc/sys/net/core/somaxconn", 0)
	if first, last := number("/proc/sys/net/ipv4/ip_local_port_range", 0), number("/proc/sys/net/ipv4/ip_local_port_range", 1); last > first {
		m.localPorts = last - first + 1
	}
	if state, err := unix.Adjtimex(new(unix.Timex)); err == nil {
		m.clockWanted, m.clockSet = true, state != timeError
	}
	return m
}

// number returns a number of a file of numbers; 0 if there is none.
func number(file string, field int) uint64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	all := strings.Fields(string(text))
	if field >= len(all) {
		return 0
	}
	n, err := strconv.ParseUint(all[field], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// portOwner returns the program that listens at a TCP port; "" if this user may not know.
func portOwner(port string) (name string, pid int) {
	inodes := listeningInodes(port)
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, process := range processes {
		links, _ := filepath.Glob(process + "/fd/*")
		for _, link := range links {
			target, err := os.Readlink(link)
			if err != nil || !inodes[target] {
				continue
			}
			comm, err := os.ReadFile(process + "/comm")
			if err != nil {
				continue
			}
			pid, _ = strconv.Atoi(filepath.Base(process))
			return string(bytes.TrimSpace(comm)), pid
		}
	}
	return "", 0
}

// listeningInodes returns the sockets that listen at a port, as links of /proc name them.
func listeningInodes(port string) map[string]bool {
	const local, state, inode, listening = 1, 3, 9, "0A"
	found := map[string]bool{}
	n, _ := strconv.Atoi(port)
	suffix := fmt.Sprintf(":%04X", n)
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, _ := os.ReadFile(table)
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) > inode && strings.HasSuffix(f[local], suffix) && f[state] == listening {
				found["socket:["+f[inode]+"]"] = true
			}
		}
	}
	return found
}
