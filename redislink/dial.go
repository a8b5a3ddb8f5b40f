package redislink

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/gomodule/redigo/redis"
)

// connect connects to the server, to the first node of a cluster that answers, or to the one that the
// Sentinels name. Every node of a cluster gets what is published to any.
func (s *session) connect(ctx context.Context) (conn redis.Conn, err error) {
	for _, addr := range s.to.addrs {
		if s.to.master == "" {
			conn, err = s.dial(ctx, addr, redis.DialUsername(s.to.user), redis.DialPassword(s.to.password), redis.DialDatabase(s.to.db))
		} else {
			conn, err = s.ask(ctx, addr)
		}
		if err == nil || ctx.Err() != nil {
			return conn, err
		}
	}
	return nil, err
}

// ask asks a Sentinel for the server, and connects there.
func (s *session) ask(ctx context.Context, sentinel string) (redis.Conn, error) {
	conn, err := s.dial(ctx, sentinel)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	named, err := redis.Strings(redis.DoContext(conn, ctx, "SENTINEL", "get-master-addr-by-name", s.to.master))
	if err != nil || len(named) != 2 {
		return nil, fmt.Errorf("the Sentinel %s names no server %q: %w", sentinel, s.to.master, err)
	}
	return s.dial(ctx, net.JoinHostPort(named[0], named[1]), redis.DialUsername(s.to.user), redis.DialPassword(s.to.password), redis.DialDatabase(s.to.db))
}

// dial connects to an address.
func (s *session) dial(ctx context.Context, addr string, options ...redis.DialOption) (redis.Conn, error) {
	options = append(options, redis.DialReadTimeout(ioTimeout), redis.DialWriteTimeout(ioTimeout), redis.DialContextFunc(s.open))
	if s.to.tls != nil {
		options = append(options, redis.DialUseTLS(true), redis.DialTLSConfig(s.to.tls))
	}
	return redis.DialContext(ctx, s.to.network, addr, options...)
}

// open opens a connection that notes when something comes, and that closeAll closes.
func (s *session) open(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		_ = conn.Close()
		return nil, ctx.Err()
	}
	s.conns, s.dialled = append(s.conns, conn), time.Now()
	return &heardConn{conn, s}, nil
}

// heardConn is a connection that notes when something comes.
type heardConn struct {
	net.Conn
	session *session
}

func (c *heardConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.session.heard()
	}
	return n, err
}
