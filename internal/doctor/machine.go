package doctor

import (
	"fmt"
	"strings"
)

// machine is what the system says of itself. 0 and "" are what it does not say.
type machine struct {
	openFiles   uint64 // the limit of this process
	allFiles    uint64 // the limit of the system
	backlog     uint64 // connections that wait to be accepted
	localPorts  uint64 // from which programs of this machine connect
	clockWanted bool   // the system says whether the clock is set
	clockSet    bool
}

const (
	spareFiles  = 1000 // beyond those of clients
	wantBacklog = 4096
)

// Machine checks this machine's limits for a number of clients.
func (r *Report) Machine(clients int) { r.judge(readMachine(), uint64(max(0, clients))) }

func (r *Report) judge(m machine, clients uint64) {
	bad := len(r.Findings)
	if need := clients + spareFiles; m.openFiles > 0 && clients > 0 && m.openFiles < need {
		r.Warn("machine.files", fmt.Sprintf("set LimitNOFILE=%d in the unit, or ulimit -n; or lower --max-clients", need),
			"this shell's programs may open %d files, which is too few for %d clients; a service has a limit of its own", m.openFiles, clients)
	}
	if need := 2 * (clients + spareFiles); m.allFiles > 0 && m.allFiles < need {
		r.Warn("machine.files", fmt.Sprintf("sysctl -w fs.file-max=%d", need), "all programs of this machine may together open %d files", m.allFiles)
	}
	if m.backlog > 0 && m.backlog < wantBacklog {
		r.Warn("machine.backlog", fmt.Sprintf("sysctl -w net.core.somaxconn=%d", wantBacklog),
			"%d connections may wait to be accepted: after a restart, when all clients come back at once, more are turned away", m.backlog)
	}
	if m.localPorts > 0 && m.localPorts < min(clients, 60_000) {
		r.Warn("machine.ports", "sysctl -w net.ipv4.ip_local_port_range='1024 65535', or let the proxy use a Unix socket",
			"a proxy on this machine can make %d connections to the bridge, fewer than the %d clients", m.localPorts, clients)
	}
	if len(r.Findings) == bad && m.openFiles > 0 {
		r.OK("machine.limits", "%s", strings.TrimSpace(fmt.Sprintf("this machine's limits suffice (%d files, a backlog of %d)", m.openFiles, m.backlog)))
	}
	switch {
	case !m.clockWanted:
	case m.clockSet:
		r.OK("machine.clock", "the clock is kept right by an NTP service")
	default:
		r.Warn("machine.clock", "timedatectl set-ntp true, or start chrony; in a container, look at its host", "the kernel does not know the clock to be right: commands with a deadline and plots depend on it")
	}
}
