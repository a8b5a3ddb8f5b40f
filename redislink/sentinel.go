package redislink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

// connectMaster connects to the server that the Sentinels name, unless that has become a replica.
func (l *Link) connectMaster(ctx context.Context) (c *conn, addr string, agreed time.Time, err error) {
	began := time.Now()
	v := l.vote(ctx)
	err = v.err
	for _, named := range v.named {
		c, failed := l.dialMaster(ctx, named.addr)
		if failed == nil {
			if v.decides(named.votes) {
				agreed = began
			}
			return c, named.addr, agreed, nil
		}
		err = failed
	}
	return nil, "", time.Time{}, err
}

// dialMaster connects to a server that a Sentinel names.
func (l *Link) dialMaster(ctx context.Context, addr string) (*conn, error) {
	c, err := l.dial(ctx, addr, l.to.user, l.to.password)
	if err == nil {
		var info []field
		info, err = c.do("INFO", "replication")
		switch {
		case err == nil && len(info) == 1 && strings.Contains(string(info[0].text), "role:slave"):
			err = errReplica
		case err == nil, isServerError(err): // the user may have no right to ask
			return c, nil
		}
		c.close()
	}
	return nil, fmt.Errorf("the server %s, which the Sentinels name: %w", addr, explain(err))
}

// confirmMaster asks whether an address is still that of the server. It returns errMoved if it is not, and
// another error if that is not known.
func (l *Link) confirmMaster(ctx context.Context, addr string) error {
	v := l.vote(ctx)
	if len(v.named) == 0 {
		return v.err
	}
	own := 0
	for _, named := range v.named {
		if named.addr == addr {
			own = named.votes
		}
	}
	switch {
	case own < v.named[0].votes:
		return errMoved
	case !v.decides(own):
		return errors.New("too few Sentinels name the server")
	}
	return nil
}

// vote is what the Sentinels say.
type vote struct {
	named  []candidate // that with most votes first
	voters int
	err    error // of a Sentinel that does not say it
}

type candidate struct {
	addr  string
	votes int
}

// decides reports whether the others cannot have replaced a server that has so many votes: for that most
// of them are needed.
func (v *vote) decides(votes int) bool { return 2*votes >= v.voters }

// vote asks all Sentinels at once, until most say the same. One that the others do not reach goes on
// naming a server that they have replaced.
func (l *Link) vote(ctx context.Context) vote {
	ctx, cancel := context.WithCancel(ctx)
	var asking sync.WaitGroup
	defer asking.Wait()
	defer cancel()
	type answer struct {
		addr string
		err  error
	}
	answers := make(chan answer, len(l.to.addrs))
	for _, sentinel := range l.to.addrs {
		asking.Go(func() {
			addr, err := l.named(ctx, sentinel)
			answers <- answer{addr, err}
		})
	}
	v := vote{voters: len(l.to.addrs)}
	for range l.to.addrs {
		a := <-answers
		if a.err != nil {
			v.err = a.err
			continue
		}
		i := slices.IndexFunc(v.named, func(c candidate) bool { return c.addr == a.addr })
		if i < 0 {
			i = len(v.named)
			v.named = append(v.named, candidate{addr: a.addr})
		}
		if v.named[i].votes++; 2*v.named[i].votes > v.voters {
			break
		}
	}
	slices.SortStableFunc(v.named, func(a, b candidate) int { return b.votes - a.votes })
	return v
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
