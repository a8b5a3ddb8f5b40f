package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/actor"
)

// answered measures how many commands a second are done. The actor replies to each that it is running and that it is
// done, and every client gets the replies to every command, as from CLU's own server.
func (b *bench) answered(ctx context.Context) ([]Row, error) {
	answering, err := startBareActor(b.rabbitURL, []actor.Code{actor.Running, actor.Done}, exchange, cluExchange)
	if err != nil {
		return nil, err
	}
	defer answering.close()
	server, err := b.serverAt(ctx, b.rabbitURL, "--message-rate", "1000000")
	if err != nil {
		return nil, err
	}
	defer server.stop()
	clu, addr, err := b.cluWebsocket(ctx)
	if missing, ok := err.(errMissing); ok {
		b.report.LeftOut = append(b.report.LeftOut, "answered: "+missing.Error())
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer clu.stop()

	s := b.size
	var with, without []float64
	round := func(name, addr string, each int, list *[]float64) func() error {
		return func() error {
			count := s.Commanders * each
			b.progress.begin("answered", fmt.Sprintf("%d through %s, %d rounds done", count, name, len(*list)), answeredTime)
			took, err := followCommands(ctx, addr, s.Commanders, each, s.InFlight)
			if err != nil {
				return fmt.Errorf("through %s: %w", name, err)
			}
			*list = append(*list, float64(count)/took.Seconds())
			return nil
		}
	}
	if err := alternate(answeredRounds(s), round("clu websocket", addr, s.CLUAnswered, &without), round("the bridge", server.addr.String(), s.Answered, &with)); err != nil {
		return nil, err
	}
	what := fmt.Sprintf("commands done, %d clients", s.Commanders)
	return []Row{row("answered", what, "/s", with[1:], "clu websocket", without[1:], limit{by: Informational})}, nil
}

// answeredRounds returns the number of rounds. The first warms up, and does not count.
func answeredRounds(s Sizes) int { return 1 + min(s.Rounds, 3) }

// answeredTime is the approximate duration of a round in seconds.
const answeredTime = 2.0

func answeredSeconds(s Sizes) float64 { return float64(2*answeredRounds(s)) * answeredTime }

// followCommands has new clients send their commands, with inFlight of them in flight at a time, and returns the time
// from the first command until every client knows that its own are done.
func followCommands(ctx context.Context, addr string, clients, each, inFlight int) (time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not all commands were done within %v", patience))
	defer cancel()
	failed := make([]error, clients)
	askers := make([]*follower, clients)
	for i := range askers {
		a, err := newFollower(ctx, addr, each, inFlight)
		if err != nil {
			return 0, err
		}
		defer a.close()
		askers[i] = a
	}
	start := time.Now()
	var asking sync.WaitGroup
	for i, a := range askers {
		asking.Go(func() { failed[i] = a.follow(ctx) })
	}
	asking.Wait()
	return time.Since(start), errors.Join(failed...)
}

// follower is a client that follows its commands to their final replies.
type follower struct {
	*commander
	frames [][]byte
	open   map[string]bool // ids of the commands that are not done
	slots  chan struct{}
}

func newFollower(ctx context.Context, addr string, each, inFlight int) (*follower, error) {
	a := &follower{open: make(map[string]bool, each), slots: make(chan struct{}, inFlight)}
	for n := range each {
		frame, id, err := commandFrame(uint64(n))
		if err != nil {
			return nil, err
		}
		a.frames = append(a.frames, frame)
		a.open[id] = true
	}
	for range inFlight {
		a.slots <- struct{}{}
	}
	c, err := dialCommander(ctx, addr)
	if err != nil {
		return nil, err
	}
	a.commander = c
	return a, nil
}

func (a *follower) follow(ctx context.Context) error {
	stop := context.AfterFunc(ctx, a.close) // a silent server must not block it
	defer stop()
	sent := make(chan error, 1)
	go func() { sent <- a.send(ctx, a.frames, a.slots) }()
	for len(a.open) > 0 {
		text, err := a.readText()
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			<-sent
			return fmt.Errorf("%d commands are not done: %w", len(a.open), err)
		}
		id := idOf(text)
		if !a.open[id] || bytes.Contains(text, runningCode) {
			continue
		}
		if !bytes.Contains(text, doneCode) {
			a.close()
			<-sent
			return fmt.Errorf("command %s was not done: %s", id, text)
		}
		delete(a.open, id)
		a.slots <- struct{}{}
	}
	return <-sent
}

var (
	doneCode    = []byte(`"message_code": ":"`)
	runningCode = []byte(`"message_code": ">"`)
	idKey       = []byte(`"command_id": "`)
)

// idOf returns the command id of an envelope. Decoding the envelope would cost more than the server's own work.
func idOf(text []byte) string {
	_, behind, _ := bytes.Cut(text, idKey)
	id, _, _ := bytes.Cut(behind, []byte(`"`))
	return string(id)
}
