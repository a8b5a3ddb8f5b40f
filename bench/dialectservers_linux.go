package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"
)

// The backends of SocketShark publish on Redis. The prefix of the channels says for whom.
const (
	sharkPrefix  = "shark:"
	bridgePrefix = "bridge:"
)

// startRedis starts a redis-server unless there is one. It keeps nothing on disk.
func (r *peersRun) startRedis(ctx context.Context) (addr string, err error) {
	if r.redis == nil {
		r.redis, _, err = r.serverProcess(ctx, "redis-server", 1, func(dir string, ports []int) ([]string, error) {
			program, err := exec.LookPath("redis-server")
			if err != nil {
				return nil, errMissing("it needs redis-server")
			}
			return []string{program, "--bind", "127.0.0.1", "--port", fmt.Sprint(ports[0]), "--save", "", "--appendonly", "no", "--dir", dir}, nil
		})
		if err != nil {
			return "", err
		}
	}
	return r.redis.addr.String(), nil
}

const sharkConfig = `
WS_PORT = %d
WS_PING = {"interval": None}
REDIS = {"host": "127.0.0.1", "port": %d, "channel_prefix": "` + sharkPrefix + `"}
LOG = {"setup_structlog": True, "level": "WARNING", "format": "%%(message)s", "logger_name": "socketshark", "trace_logger_prefix": "trace", "trace_level": "INFO"}
SERVICES = {"bench": {"require_authentication": False}}
`

// startSocketShark starts SocketShark itself, without pings, and without logs of what is usual.
func (r *peersRun) startSocketShark(ctx context.Context) (*runningPeer, error) {
	if _, err := r.startRedis(ctx); err != nil {
		return nil, err
	}
	p, _, err := r.serverProcess(ctx, "SocketShark", 1, func(dir string, ports []int) ([]string, error) {
		if r.cfg.SocketShark == "" {
			return nil, errMissing("it is not installed; run scripts/setup-test.sh")
		}
		if _, err := config(dir, "shark_config.py", sharkConfig, ports[0], r.redis.addr.Port()); err != nil {
			return nil, err
		}
		return []string{"env", "PYTHONPATH=" + r.cfg.SocketShark + string(os.PathListSeparator) + dir, r.cfg.Python, "-m", "socketshark", "-c", "shark_config"}, nil
	})
	if err != nil {
		return nil, err
	}
	p.dialect, p.window = shark, 64
	p.source = r.viaRedis(p, sharkPrefix)
	return p, nil
}

const sharkBridgeConfig = `
source:
  - redis=redis://%s/0,path=/shark,prefix=` + bridgePrefix + `,channel=` + bridgePrefix + `*,format=socketshark
dialects:
  - path: /shark
    socketshark:
      services:
        bench:
          require-authentication: false
`

// startSharkBridge starts the bridge in its place.
func (r *peersRun) startSharkBridge(ctx context.Context) (*runningPeer, error) {
	addr, err := r.startRedis(ctx)
	if err != nil {
		return nil, err
	}
	p, err := r.dialectBridge(ctx, "/shark", shark, sharkBridgeConfig, addr)
	if err != nil {
		return nil, err
	}
	p.source = r.viaRedis(p, bridgePrefix)
	return p, p.unless(listensToRedis(ctx, addr, "PUBSUB NUMPAT"))
}

// dialectBridge starts a bridge with a configuration file.
func (r *peersRun) dialectBridge(ctx context.Context, path string, says *dialect, format string, args ...any) (*runningPeer, error) {
	dir, err := os.MkdirTemp("", "clu-ws-bench-")
	if err != nil {
		return nil, err
	}
	file, err := config(dir, "clu-ws.yaml", format, args...)
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	t, err := r.serverWithoutSource(ctx, r.amqpURL(), "--config", file, "--message-rate", "1000000")
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return &runningPeer{target: t, path: path, dialect: says, end: func() { t.stop(); os.RemoveAll(dir) }}, nil
}

// unless ends the peer if there is an error, which it returns.
func (p *runningPeer) unless(err error) error {
	if err != nil {
		p.end()
	}
	return err
}

// amqpURL returns the URL of the broker that there is.
func (r *peersRun) amqpURL() string {
	if r.rabbitURL != "" {
		return r.rabbitURL
	}
	return r.brokerURL
}

// startBareTopics starts a bare loop, whose frames are of topics. It knows its clients by the order in which they connect.
func (r *peersRun) startBareTopics(ctx context.Context) (*runningPeer, error) {
	p, err := r.startBareLoop(ctx)
	if err != nil {
		return nil, err
	}
	p.window = 1
	p.source = viaPipeByTopic{p.source.(viaPipe), p}
	return p, nil
}

// viaRedis publishes the replies of a peer's topics on Redis, as backends of SocketShark do.
func (r *peersRun) viaRedis(p *runningPeer, prefix string) *viaStream {
	return r.publishes(func(number uint64, payload []byte) (string, []byte) {
		topic := p.topicOf(number)
		return prefix + sharkService + topic, sharkMessage(topic, payload)
	})
}

// publishes returns a source that publishes on Redis what a function makes of each reply: a channel and a message.
func (r *peersRun) publishes(message func(number uint64, payload []byte) (channel string, body []byte)) *viaStream {
	return newStreamSource(r.redis.addr.String(), "", r.loop.clock, func(number uint64, payload []byte) []byte {
		channel, body := message(number, payload)
		return fmt.Appendf(nil, "*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(channel), channel, len(body), body)
	})
}

// topicOf returns the topic of a reply.
func (p *runningPeer) topicOf(number uint64) string {
	topics := topicNames(p.topics)
	return topics[number%uint64(len(topics))]
}

// listensToRedis waits until somebody listens to what a command of Redis counts, such as patterns of channels.
func listensToRedis(ctx context.Context, addr, command string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, errors.New("nobody listens to Redis"))
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Now()) })()
	for lines := bufio.NewScanner(conn); ; {
		if _, err := fmt.Fprintf(conn, "%s\r\n", command); err != nil {
			return err
		}
		// The number is the last line of the answer: that of NUMSUB names the channel before.
		for lines.Scan() && !strings.HasPrefix(lines.Text(), ":") && !strings.HasPrefix(lines.Text(), "-") {
		}
		switch line := lines.Text(); {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !strings.HasPrefix(line, ":"):
			return fmt.Errorf("%q: Redis answers %q", command, line)
		case line != ":0":
			return nil
		}
		if err := sleep(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}
