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
	errReplica = errors.New("it is a replica")
	errMoved   = errors.New("the Sentinels name another server")
	errCutOff  = errors.New("the node is cut off from its cluster (cluster_state:fail), and another one is not")
)

// connect connects to the server, to a node of a cluster, or to the server that the Sentinels name. agreed is a
// time at which the server was the right one; zero if that is not known.
func (l *Link) connect(ctx context.Context) (c *conn, addr string, agreed time.Time, err error) {
	if l.to.master != "" {
		return l.connectMaster(ctx)
	}
	if !l.to.follows() {
		addr, agreed = l.to.addrs[0], time.Now()
		c, err = l.dial(ctx, addr, l.to.user, l.to.password)
		return c, addr, agreed, err
	}
	var spare *conn // of a node that is cut off, which is better than none
	var spareAddr string
	for i := range l.to.addrs {
		addr, agreed = l.to.addrs[(l.attempts+i)%len(l.to.addrs)], time.Now()
		c, cut, failed := l.dialNode(ctx, addr)
		switch {
		case failed != nil:
			err = failed
		case !cut:
			if spare != nil {
				spare.close()
			}
			return c, addr, agreed, nil
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

// dialNode connects to a node of a cluster, and reports whether it cannot reach most of the others, so
// that what is published there does not come. One that has no cluster, or that the user may not ask, is
// taken not to be.
func (l *Link) dialNode(ctx context.Context, addr string) (c *conn, cut bool, err error) {
	var info []field
	if c, err = l.dial(ctx, addr, l.to.user, l.to.password); err == nil {
		info, err = c.do("CLUSTER", "INFO")
		if isServerError(err) {
			return c, false, nil
		}
		if err != nil {
			c.close()
		}
	}
	if err != nil {
		return nil, false, fmt.Errorf("the node %s: %w", addr, explain(err))
	}
	return c, len(info) == 1 && strings.Contains(string(info[0].text), "cluster_state:fail"), nil
}

// connectMaster connects to the server that a Sentinel names, unless that has become a replica.
func (l *Link) connectMaster(ctx context.Context) (c *conn, addr string, agreed time.Time, err error) {
	for _, sentinel := range l.to.addrs {
		agreed = time.Now()
		if addr, err = l.named(ctx, sentinel); err != nil {
			continue
		}
		if c, err = l.dial(ctx, addr, l.to.user, l.to.password); err == nil {
			var info []field
			info, err = c.do("INFO", "replication")
			switch {
			case err == nil && len(info) == 1 && strings.Contains(string(info[0].text), "role:slave"):
				err = errReplica
			case err == nil, isServerError(err): // the user may have no right to ask
				return c, addr, agreed, nil
			}
			c.close()
		}
		err = fmt.Errorf("the server %s, which the Sentinel %s names: %w", addr, sentinel, explain(err))
	}
	return nil, "", time.Time{}, err
}

// named asks a Sentinel for the server. A Sentinel that wants a password gets that of the servers.
func (l *Link) named(ctx context.Context, sentinel string) (addr string, err error) {
	c, err := l.dial(ctx, sentinel, "", "")
	if err != nil {
		return "", fmt.Errorf("the Sentinel %s: %w", sentinel, explain(err))
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
		return "", fmt.Errorf("the Sentinel %s: %w", sentinel, explain(err))
	case len(named) != 2:
		return "", fmt.Errorf("the Sentinel %s names no server %q; check master_name in the URL", sentinel, l.to.master)
	}
	return net.JoinHostPort(string(named[0].text), string(named[1].text)), nil
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
	cut, err := l.isCutOff(ctx, addr)
	if err != nil || !cut {
		return err
	}
	for _, node := range l.to.addrs {
		if cut, err := l.isCutOff(ctx, node); err == nil && !cut {
			return errCutOff
		}
	}
	return errors.New("no node says that it is not cut off")
}

// isCutOff asks a node by a connection of its own.
func (l *Link) isCutOff(ctx context.Context, addr string) (bool, error) {
	c, cut, err := l.dialNode(ctx, addr)
	if err == nil {
		c.close()
	}
	return cut, err
}
