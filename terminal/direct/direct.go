package direct

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/terminal"
)

// drainTimeout bounds the end of the bridge, which has no clients then: at most the broker does not answer.
const drainTimeout = 2 * time.Second

// Dial starts a bridge, waits until it is linked to its broker, and connects to it. If the broker cannot be reached, it
// does not try again, and the error is the link's. The bridge ends with the link's Close.
func Dial(ctx context.Context, config bridge.Config, userAgent string) (terminal.Link, error) {
	config.FailFast, config.Loops, config.Drain.Timeout = true, 1, drainTimeout
	b, err := bridge.New(config)
	if err != nil {
		return nil, err
	}
	p := start(b)
	if err := p.ready(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	transport := &http.Transport{DialContext: dialer{b.Listen}.dial, DisableKeepAlives: true}
	p.Link, err = terminal.Dial(ctx, terminal.DialOptions{URL: "ws://localhost", UserAgent: userAgent, HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// private is a link to a bridge that runs for it.
type private struct {
	terminal.Link // nil until it is connected
	bridge        *bridge.Bridge
	stop          context.CancelFunc
	ended         chan struct{} // closed when the bridge has ended
	why           error         // then: why it did by itself, such as that there is no broker
	closing       sync.Once
}

// start runs a bridge until Close. The end of a command is not that of the bridge: what it says at its end is to be heard.
func start(b *bridge.Bridge) *private {
	ctx, stop := context.WithCancel(context.Background())
	p := &private{bridge: b, stop: stop, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		p.why = b.Run(ctx)
	}()
	return p
}

// ready waits until the bridge is linked to the broker.
func (p *private) ready(ctx context.Context) error {
	within, stop := context.WithCancel(ctx)
	defer stop()
	linked := make(chan error, 1)
	go func() { linked <- p.bridge.Ready(within) }()
	select {
	case err := <-linked:
		if err == nil || ctx.Err() != nil {
			return err
		}
		<-p.ended // there is no link because the bridge has ended
		return p.why
	case <-p.ended:
		return p.why
	}
}

// Close closes the connection, and ends the bridge. Its error says nothing of a command.
func (p *private) Close() (err error) {
	p.closing.Do(func() {
		if p.Link != nil {
			err = p.Link.Close()
		}
		p.stop()
		<-p.ended
	})
	return err
}
