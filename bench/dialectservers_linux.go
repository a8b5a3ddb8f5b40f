package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/gomodule/redigo/redis"
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
message-rate: 1000000
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
func (r *peersRun) startSharkBridge(ctx context.Context) (p *runningPeer, err error) {
	addr, err := r.startRedis(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "clu-ws-bench-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(dir)
		}
	}()
	file, err := config(dir, "clu-ws.yaml", sharkBridgeConfig, addr)
	if err != nil {
		return nil, err
	}
	url := r.rabbitURL
	if url == "" {
		url = r.brokerURL
	}
	t, err := r.serverWithoutSource(ctx, url, "--config", file)
	if err != nil {
		return nil, err
	}
	p = &runningPeer{target: t, path: "/shark", dialect: shark, end: func() { t.stop(); os.RemoveAll(dir) }}
	t.source = r.viaRedis(p, bridgePrefix)
	if err := listensToRedis(ctx, addr); err != nil {
		t.stop()
		return nil, err
	}
	return p, nil
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

// viaRedis publishes the replies of a peer's topics on Redis.
func (r *peersRun) viaRedis(p *runningPeer, prefix string) *viaStream {
	return newStreamSource(r.redis.addr.String(), "", r.loop.clock, func(number uint64, payload []byte) []byte {
		topics := topicNames(p.topics)
		topic := topics[number%uint64(len(topics))]
		channel, body := prefix+sharkService+topic, sharkMessage(topic, payload)
		return fmt.Appendf(nil, "*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(channel), channel, len(body), body)
	})
}

// listensToRedis waits until somebody listens to a pattern of channels.
func listensToRedis(ctx context.Context, addr string) error {
	conn, err := redis.DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	for start := time.Now(); time.Since(start) < startTimeout; {
		if n, err := redis.Int(conn.Do("PUBSUB", "NUMPAT")); err != nil || n > 0 {
			return err
		}
		if err := sleep(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.New("the bridge does not listen to Redis")
}
