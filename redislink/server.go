package redislink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// Why a connection that works is left.
var (
	errMoved  = errors.New("the Sentinels name another server")
	errCutOff = errors.New("the node is cut off from its cluster (cluster_state:fail), and another one is not")
)

// connect connects to the server, to a node of a cluster, or to the server that the Sentinels name. agreed is a
// time at which the server was the right one; zero if that is not known.
func (l *Link) connect(ctx context.Context) (c *conn, addr string, agreed time.Time, err error) {
	if l.to.master != "" {
		return l.connectMaster(ctx)
	}
	var spare *conn // of a node that is cut off, which is better than none
	var spareAddr string
	for _, addr := range l.to.addrs {
		began := time.Now()
		c, failed := l.dial(ctx, addr, l.to.user, l.to.password)
		switch {
		case failed != nil:
			err = failed
		case !l.to.follows() || !cutOff(c):
			if spare != nil {
				spare.close()
			}
			return c, addr, began, nil
		case spare == nil:
			spare, spareAddr = c, addr
		default:
			c.close()
		}
	}
	if spare != nil {
		return spare, spareAddr, time.Time{}, nil
	}
	return nil, "", time.Time{}, err
}

// connectMaster connects to the server that a Sentinel names, unless that has become a replica.
func (l *Link) connectMaster(ctx context.Context) (c *conn, addr string, agreed time.Time, err error) {
	for _, sentinel := range l.to.addrs {
		agreed = time.Now()
		if addr, err = l.named(ctx, sentinel); err != nil {
			continue
		}
		if c, err = l.dial(ctx, addr, l.to.user, l.to.password); err != nil {
			continue
		}
		info, failed := c.do("INFO", "replication")
		if failed == nil && len(info) == 1 && strings.Contains(string(info[0].text), "role:slave") {
			c.close()
			err = fmt.Errorf("the server %s, which the Sentinel %s names, is a replica", addr, sentinel)
			continue
		}
		if failed != nil && !isServerError(failed) { // the user may have no right to ask
			c.close()
			err = failed
			continue
		}
		return c, addr, agreed, nil
	}
	return nil, "", time.Time{}, err
}

// named asks a Sentinel for the server. A Sentinel that wants a password gets that of the servers.
func (l *Link) named(ctx context.Context, sentinel string) (addr string, err error) {
	c, err := l.dial(ctx, sentinel, "", "")
	if err != nil {
		return "", fmt.Errorf("the Sentinel %s: %w", sentinel, err)
	}
	defer c.close()
	ask := []string{"SENTINEL", "get-master-addr-by-name", l.to.master}
	named, err := c.do(ask...)
	if err != nil && strings.HasPrefix(err.Error(), "NOAUTH") && l.to.password != "" {
		c.close()
		if c, err = l.dial(ctx, sentinel, l.to.user, l.to.password); err == nil {
			defer c.close()
			named, err = c.do(ask...)
		}
	}
	switch {
	case err != nil:
		return "", fmt.Errorf("the Sentinel %s: %w", sentinel, err)
	case len(named) != 2:
		return "", fmt.Errorf("the Sentinel %s names no server %q; check master_name in the URL", sentinel, l.to.master)
	}
	return net.JoinHostPort(string(named[0].text), string(named[1].text)), nil
}

// cutOff reports whether the node of a cluster cannot reach most of the others, so that what is
// published there does not come.
func cutOff(c *conn) bool {
	info, err := c.do("CLUSTER", "INFO")
	return err == nil && len(info) == 1 && strings.Contains(string(info[0].text), "cluster_state:fail")
}

// confirm asks whether an address is still that of the right server. It returns errMoved or errCutOff
// if it is not, and another error if that is not known.
func (l *Link) confirm(ctx context.Context, addr string) error {
	if l.to.master != "" {
		var named string
		err := errors.New("no Sentinel")
		for _, sentinel := range l.to.addrs {
			if named, err = l.named(ctx, sentinel); err == nil {
				break
			}
		}
		if err == nil && named != addr {
			err = errMoved
		}
		return err
	}
	unknown := errors.New("no node says that it is not cut off")
	for _, node := range append([]string{addr}, l.to.addrs...) {
		c, err := l.dial(ctx, node, l.to.user, l.to.password)
		if err != nil {
			continue
		}
		cut := cutOff(c)
		c.close()
		switch {
		case !cut && node == addr:
			return nil
		case !cut:
			return errCutOff
		}
	}
	return unknown
}
