package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// peer is a server that is measured beside the bridge.
type peer struct {
	name  string
	start func(*peersRun, context.Context) (*runningPeer, error)
	asked bool // commands and answers go through it
}

// runningPeer is a peer that has started.
type runningPeer struct {
	*target
	path    string
	dialect *dialect
	topics  int      // over which clients and replies are spread; 0 and 1 are one
	window  int      // the limit of connections being made; 0 is the usual one
	behind  []*child // what it needs, whose work counts too
	end     func()
}

// peers returns all of them. The order is that of the table.
func peers() []peer {
	return []peer{
		{"clu-ws", (*peersRun).startBridge, true},
		{"bare write loop", (*peersRun).startBareLoop, false},
		{"uWebSockets", (*peersRun).startUWebSockets, false},
		{"nchan (nginx)", (*peersRun).startNchan, false},
		{"NATS", (*peersRun).startNATS, true},
		{"mosquitto", (*peersRun).startMosquitto, true},
		{"Centrifugo", (*peersRun).startCentrifugo, false},
		{"RabbitMQ Web STOMP", (*peersRun).startWebSTOMP, true},
		{"RabbitMQ Web MQTT", (*peersRun).startWebMQTT, true},
		{"clu websocket", (*peersRun).startCLU, true},
	}
}

// serverProcess is a child with a folder of its own, that listens at some ports.
func (r *peersRun) serverProcess(ctx context.Context, name string, ports int, command func(dir string, ports []int) ([]string, error)) (*runningPeer, []string, error) {
	dir, err := os.MkdirTemp("", "clu-ws-bench-")
	if err != nil {
		return nil, nil, err
	}
	p, addrs, err := r.startIn(ctx, name, dir, ports, command)
	if err != nil {
		os.RemoveAll(dir)
	}
	return p, addrs, err
}

func (r *peersRun) startIn(ctx context.Context, name, dir string, count int, command func(dir string, ports []int) ([]string, error)) (*runningPeer, []string, error) {
	var ports []int
	var addrs []string
	for range count {
		port, err := freePort()
		if err != nil {
			return nil, nil, err
		}
		ports, addrs = append(ports, port), append(addrs, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	}
	args, err := command(dir, ports)
	if err != nil {
		return nil, nil, err
	}
	c, err := startChild(name, args[0], args[1:]...)
	if err != nil {
		return nil, nil, err
	}
	for _, addr := range addrs {
		if err := (&cluServer{child: c}).listens(ctx, addr); err != nil {
			c.stop()
			return nil, nil, err
		}
	}
	p := &runningPeer{target: &target{child: c, addr: netip.MustParseAddrPort(addrs[0]), next: firstNumber}, path: "/"}
	p.end = func() {
		p.target.stop()
		os.RemoveAll(dir)
	}
	return p, addrs, nil
}

// tool returns the path of a file that scripts/setup-peers.sh has set up.
func (r *peersRun) tool(path string) (string, error) {
	file := filepath.Join(r.cfg.Folder, path)
	if _, err := os.Stat(file); err != nil {
		return "", errMissing("it is not set up: scripts/setup-peers.sh says why")
	}
	return filepath.Abs(file)
}

// config writes a configuration file.
func config(dir, name, format string, args ...any) (file string, err error) {
	file = filepath.Join(dir, name)
	return file, os.WriteFile(file, fmt.Appendf(nil, format, args...), 0o600)
}

// processes returns the ids of the processes whose work counts: all that the peer has started, and what is behind it.
func (r *peersRun) processes(p *runningPeer) ([]int, error) {
	roots := []int{p.pid}
	for _, c := range p.behind {
		roots = append(roots, c.pid)
	}
	return r.proc.descendants(roots)
}

// cpuOf returns the CPU time that processes have used.
func (r *peersRun) cpuOf(pids []int) (sum time.Duration, err error) {
	for _, pid := range pids {
		used, err := r.proc.cpu(pid)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}

// rssOf returns the memory of processes.
func (r *peersRun) rssOf(pids []int) (sum int64, err error) {
	for _, pid := range pids {
		bytes, err := r.proc.rss(pid)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return 0, err
		}
		sum += bytes
	}
	return sum, nil
}
