package redislink

import (
	"context"
	"errors"
	"fmt"
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

// confirm asks whether an address is still that of the right server. It returns errMoved or errCutOff
// if it is not, and another error if that is not known.
func (l *Link) confirm(ctx context.Context, addr string) error {
	if l.to.master != "" {
		return l.confirmMaster(ctx, addr)
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
