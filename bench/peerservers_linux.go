package bench

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// Each peer is configured as its documentation advises for many subscribers: no persistence, no access log, and queues
// that hold a burst.

// startBridge starts the bridge on RabbitMQ, whose work counts as the bridge's.
func (r *peersRun) startBridge(ctx context.Context) (*runningPeer, error) {
	broker, url := r.rabbit, r.rabbitURL
	if url == "" {
		broker, url = r.embedded, r.brokerURL
	}
	t, err := r.serverAt(ctx, url, "--message-rate", "1000000")
	if err != nil {
		return nil, err
	}
	return &runningPeer{target: t, path: "/", behind: []*child{broker}, end: t.stop}, nil
}

func (r *peersRun) startBareLoop(ctx context.Context) (*runningPeer, error) {
	t, err := r.startBaseline(ctx, false)
	if err != nil {
		return nil, err
	}
	return &runningPeer{target: t, path: "/", end: t.stop}, nil
}

func (r *peersRun) startCLU(ctx context.Context) (*runningPeer, error) {
	if r.rabbitURL == "" {
		return nil, errMissing("it needs RabbitMQ")
	}
	server, addr, err := r.cluWebsocket(ctx)
	if err != nil {
		return nil, err
	}
	p := &runningPeer{target: &target{child: server.child, addr: mustAddr(addr), next: firstNumber}, path: "/", behind: []*child{r.rabbit},
		end: func() { server.stop() }}
	publisher, err := newPublisher(r.rabbitURL, cluExchange)
	if err != nil {
		server.stop()
		return nil, err
	}
	p.source = viaBroker{publisher, r.loop.clock}
	p.end = func() { publisher.close(); server.stop() }
	return p, nil
}

// rabbitPlugin starts a peer in a RabbitMQ of its own: thousands of queues that another has left would be its work.
func (r *peersRun) rabbitPlugin(ctx context.Context, says *dialect, portOf func(rabbitPorts) int) (*runningPeer, error) {
	if r.rabbitURL == "" {
		return nil, errMissing("it needs RabbitMQ")
	}
	rabbit, url, ports, err := r.startRabbitMQ(ctx)
	if err != nil {
		return nil, err
	}
	end := func() { rabbit.stopGently(startTimeout) }
	publisher, err := newPublisher(url, "amq.topic")
	if err != nil {
		end()
		return nil, err
	}
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(portOf(ports)))
	if err := (&cluServer{child: rabbit}).listens(ctx, addr); err != nil {
		publisher.close()
		end()
		return nil, err
	}
	return &runningPeer{
		target: &target{child: rabbit, addr: mustAddr(addr), next: firstNumber, source: viaTopic{viaBroker{publisher, r.loop.clock}}},
		path:   "/ws", dialect: says, window: 64, end: func() { publisher.close(); end() },
	}, nil
}

func (r *peersRun) startWebSTOMP(ctx context.Context) (*runningPeer, error) {
	return r.rabbitPlugin(ctx, stomp, func(p rabbitPorts) int { return p.stomp })
}

func (r *peersRun) startWebMQTT(ctx context.Context) (*runningPeer, error) {
	return r.rabbitPlugin(ctx, mqtt, func(p rabbitPorts) int { return p.mqtt })
}

const natsConfig = `
listen: "127.0.0.1:%d"
websocket { listen: "127.0.0.1:%d", no_tls: true, compression: false }
max_connections: 100000
`

func (r *peersRun) startNATS(ctx context.Context) (*runningPeer, error) {
	p, addrs, err := r.serverProcess(ctx, "NATS", 2, func(dir string, ports []int) ([]string, error) {
		program, err := r.tool("bin/nats-server")
		if err != nil {
			return nil, err
		}
		file, err := config(dir, "nats.conf", natsConfig, ports[1], ports[0])
		return []string{program, "-c", file}, err
	})
	if err != nil {
		return nil, err
	}
	p.dialect = nats
	source := newStreamSource(addrs[1], natsConnect, r.loop.clock, func(_ uint64, payload []byte) []byte { return natsPublish(repliesTopic, payload) })
	// The server pings a connection every two minutes. An answer that was not asked for does no harm.
	source.alive = "PONG\r\n"
	p.source = source
	return p, nil
}

const mosquittoConfig = `
user root
allow_anonymous true
persistence false
log_type error
max_queued_messages 0
set_tcp_nodelay true
listener %d 127.0.0.1
listener %d 127.0.0.1
protocol websockets
`

func (r *peersRun) startMosquitto(ctx context.Context) (*runningPeer, error) {
	p, addrs, err := r.serverProcess(ctx, "mosquitto", 2, func(dir string, ports []int) ([]string, error) {
		program, err := r.tool("debian/usr/sbin/mosquitto")
		if err != nil {
			return nil, err
		}
		file, err := config(dir, "mosquitto.conf", mosquittoConfig, ports[1], ports[0])
		libraries, _ := filepath.Glob(filepath.Join(filepath.Dir(program), "../lib/*-linux-gnu*"))
		if err == nil && len(libraries) == 0 {
			err = errMissing("its libraries are not set up")
		}
		if err != nil {
			return nil, err
		}
		return []string{"env", "LD_LIBRARY_PATH=" + libraries[0], program, "-c", file}, nil
	})
	if err != nil {
		return nil, err
	}
	p.dialect, p.path = mqtt, "/mqtt"
	p.source = newStreamSource(addrs[1], mqttConnect, r.loop.clock, func(_ uint64, payload []byte) []byte { return mqttPublish(repliesTopic, payload) })
	return p, nil
}

const nchanConfig = `
load_module %s;
user root;
worker_processes auto;
worker_rlimit_nofile %d;
daemon off;
pid nginx.pid;
error_log stderr error;
events { worker_connections %d; }
http {
	access_log off;
	nchan_shared_memory_size 256M;
	keepalive_requests 1000000;
	client_body_temp_path body;
	proxy_temp_path proxy;
	fastcgi_temp_path fastcgi;
	uwsgi_temp_path uwsgi;
	scgi_temp_path scgi;
	server {
		listen 127.0.0.1:%d;
		location = / {
			nchan_subscriber websocket;
			nchan_channel_id bench;
			nchan_subscriber_first_message newest;
		}
		location = /publish {
			nchan_publisher http;
			nchan_channel_id bench;
			nchan_message_buffer_length 5000;
			nchan_message_timeout 1m;
		}
	}
}
`

func (r *peersRun) startNchan(ctx context.Context) (*runningPeer, error) {
	p, addrs, err := r.serverProcess(ctx, "nginx", 1, func(dir string, ports []int) ([]string, error) {
		module, err := r.tool("debian/usr/lib/nginx/modules/ngx_nchan_module.so")
		if err != nil {
			return nil, err
		}
		program, err := exec.LookPath("nginx")
		if err != nil {
			if program, err = exec.LookPath("/usr/sbin/nginx"); err != nil {
				return nil, errMissing("it needs nginx")
			}
		}
		files := r.files()
		file, err := config(dir, "nginx.conf", nchanConfig, module, files, files, ports[0])
		return []string{program, "-p", dir, "-e", "stderr", "-c", file}, err
	})
	if err != nil {
		return nil, err
	}
	p.source = newStreamSource(addrs[0], "", r.loop.clock, post(addrs[0], "/publish", func(payload []byte) []byte { return payload }))
	return p, nil
}

const centrifugoConfig = `{
	"http_server": {"address": "127.0.0.1", "port": "%d"},
	"client": {"insecure": true, "queue_max_size": 67108864},
	"http_api": {"insecure": true},
	"usage_stats": {"disabled": true},
	"log": {"level": "error"}
}`

func (r *peersRun) startCentrifugo(ctx context.Context) (*runningPeer, error) {
	p, addrs, err := r.serverProcess(ctx, "Centrifugo", 1, func(dir string, ports []int) ([]string, error) {
		program, err := r.tool("bin/centrifugo")
		if err != nil {
			return nil, err
		}
		file, err := config(dir, "config.json", centrifugoConfig, ports[0])
		return []string{program, "-c", file}, err
	})
	if err != nil {
		return nil, err
	}
	p.dialect, p.path = centrifugo, "/connection/websocket"
	p.source = newStreamSource(addrs[0], "", r.loop.clock, post(addrs[0], "/api/publish", func(payload []byte) []byte {
		return fmt.Appendf(nil, `{"channel":%q,"data":%s}`, repliesTopic, payload)
	}))
	return p, nil
}

// stopGently closes the child's stdin, and gives it time to end its own children.
func (c *child) stopGently(patience time.Duration) {
	c.stdin.Close()
	select {
	case <-c.done:
	case <-time.After(patience):
	}
	c.stop()
}
