package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/wsclient"
)

// Listen has a subscription for each selection. A reply that several select comes once.
func (w *webSocket) Listen(ctx context.Context, selections []Selection, each func(Event) error) error {
	within, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var mu sync.Mutex // each is called by one goroutine at a time
	var before delivered
	call := func(event Event) {
		mu.Lock()
		defer mu.Unlock()
		if r, ok := event.(*Reply); within.Err() != nil || ok && len(selections) > 1 && !before.first(r) {
			return
		}
		if err := each(event); err != nil {
			stop(err)
		}
	}
	defer w.watch(func(s LinkState) { call(s) })()
	var running sync.WaitGroup
	defer running.Wait()
	defer stop(nil)
	for _, s := range selections {
		subscription, err := w.subscribe(within, s)
		if within.Err() != nil {
			break // each has had enough, or the context has ended
		}
		if err != nil {
			return fromClient(err)
		}
		defer subscription.Close()
		running.Go(func() {
			for event, err := range subscription.Events(within) {
				if err != nil {
					stop(fromClient(err))
					return
				}
				if event := fromEvent(event); event != nil {
					call(event)
				}
			}
		})
	}
	<-within.Done()
	return context.Cause(within)
}

func (w *webSocket) subscribe(ctx context.Context, s Selection) (*wsclient.Subscription, error) {
	filter, err := json.Marshal(s.Filter)
	if err != nil {
		return nil, err
	}
	options := wsclient.SubscribeOptions{RawFilter: filter, Snapshot: s.Snapshot, Lossless: true}
	if s.Since != nil {
		options.Since = &wsclient.Position{Epoch: s.Since.Epoch, Seq: s.Since.Seq}
	}
	return w.client.Subscribe(ctx, options)
}

// fromEvent returns an event of the client as one of this package, or nil.
func fromEvent(event wsclient.Event) Event {
	switch event := event.(type) {
	case *wsclient.Reply:
		return fromReply(event)
	case *wsclient.Snapshot:
		return fromSnapshot(event)
	case wsclient.Gap:
		gap := Gap{Reason: event.Reason}
		if !event.From.IsZero() {
			seconds := event.To.Sub(event.From).Seconds()
			gap.Seconds = &seconds
		}
		return gap
	case wsclient.Dropped:
		return Dropped{event.Count}
	}
	return nil
}

func fromSnapshot(s *wsclient.Snapshot) Values {
	values := Values{Actors: map[string]ActorValues{}}
	for name, a := range s.Actors {
		actor := ActorValues{Time: timeOrNil(a.Heard), Consumer: a.Consumer, Keywords: map[string]Keyword{}}
		if a.IntervalMS != nil {
			interval := float64(*a.IntervalMS)
			actor.IntervalMS = &interval
		}
		for keyword, v := range a.Keywords {
			actor.Keywords[keyword] = Keyword{Value: v.Raw, Time: timeOrNil(v.Heard), Code: v.Code, Seq: v.Seq, TooLarge: v.TooLarge, Outdated: v.Outdated}
		}
		values.Actors[name] = actor
	}
	return values
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// watch calls do with each change of the link, until the returned function is called.
func (w *webSocket) watch(do func(LinkState)) (stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := w.next
	w.next++
	w.watchers[id] = do
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.watchers, id)
	}
}

func (w *webSocket) stateChanged(state wsclient.State, err error) {
	if state == wsclient.Connected {
		w.changed(&w.away, LinkState{Up: true})
		return
	}
	reason := "the connection to the bridge is lost"
	if err != nil && !errors.Is(err, wsclient.ErrClosed) {
		reason = err.Error()
	}
	w.changed(&w.away, LinkState{Reason: reason})
}

func (w *webSocket) brokerChanged(state, reason string) {
	up := hearsActors(state)
	if !up && reason == "" {
		reason = "the bridge is not linked to the broker"
	}
	w.changed(&w.deaf, LinkState{Up: up, Reason: reason})
}

// changed tells the watchers of a change, and nothing twice. The whole link is up if both of its parts are.
func (w *webSocket) changed(part *bool, s LinkState) {
	w.mu.Lock()
	*part = !s.Up
	s.Up = !w.away && !w.deaf
	if w.lost == !s.Up {
		w.mu.Unlock()
		return
	}
	w.lost = !s.Up
	watchers := make([]func(LinkState), 0, len(w.watchers))
	for _, do := range w.watchers {
		watchers = append(watchers, do)
	}
	w.mu.Unlock()
	for _, do := range watchers {
		do(s)
	}
}
