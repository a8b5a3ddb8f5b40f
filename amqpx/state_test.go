package amqpx_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestReadyWaitsForALinkThatIsDown(t *testing.T) {
	t.Parallel()
	e := newEmbedded(t)
	w := run(t, amqpx.Config{URLs: []string{e.url()}})
	w.await(t, true)
	e.stop(t)
	w.await(t, false)
	ready := make(chan error, 1)
	go func() { ready <- w.Ready(t.Context()) }()
	e.start(t)
	if err := testkit.Await(t, ready); err != nil || !w.State().Up {
		t.Errorf("%v, and the state is %+v", err, w.State())
	}
}

func TestReadySaysWhyTheLinkIsDownWhenTheContextEnds(t *testing.T) {
	t.Parallel()
	e := newEmbedded(t)
	e.stop(t)
	w := run(t, amqpx.Config{URLs: []string{e.url()}})
	w.await(t, false)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := w.Ready(ctx)
	// The link may have tried again meanwhile, with another error of the same text.
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), w.State().Err.Error()) {
		t.Errorf("%v; the link's own error is %v", err, w.State().Err)
	}
	e.start(t)
}

func TestReadyOfALinkThatHasEndedIsErrClosed(t *testing.T) {
	t.Parallel()
	w := run(t, amqpx.Config{URLs: []string{newEmbedded(t).url()}})
	w.await(t, true)
	w.stop()
	testkit.Await(t, w.ended)
	if err := w.Ready(t.Context()); err != amqpx.ErrClosed {
		t.Errorf("%v, want %v", err, amqpx.ErrClosed)
	}
}
