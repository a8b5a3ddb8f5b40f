package bridge

import (
	"slices"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/problem"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/snapshot"
)

// newProblems makes the tracker of problems, which numbers replies as the hub does.
func (b *Bridge) newProblems() {
	b.problems = problem.New(problem.Config{
		Epoch:  b.hub.Epoch,
		Past:   b.cfg.Durable.Stream != nil,
		Record: b.refill.past != nil,
		Views:  b.cfg.Access != nil,
		Changed: func(actor string) {
			b.hub.Do(func() { b.noticeProblems(actor) })
		},
		Now:   b.hub.Time,
		After: b.cfg.after,
	})
	b.problems.SetConditions(b.site.Load().Conditions())
}

// noteProblems notes what a reply says of its actor's problems, or that problems are acknowledged.
func (b *Bridge) noteProblems(o *hub.Observed) {
	switch {
	case o.Aside:
		b.noteAck(o)
	case !o.Unroutable:
		b.noting = problem.Reply{Reply: o.Reply, Seq: o.Seq, Heard: o.Heard, Body: o.Body, Keywords: o.Keywords}
		b.problems.Note(&b.noting)
	}
}

// lastValues calls yield with the last value of each keyword, until it returns false.
func (b *Bridge) lastValues(yield func(problem.Value) bool) {
	all, err := filter.Parse(nil)
	if err != nil {
		return // cannot happen: no filter selects everything
	}
	b.hub.EachKeyword(all, nil, func(e snapshot.Entry, value []byte) bool {
		return yield(problem.Value{
			Reply: filter.Reply{
				Sender: e.Actor, RoutingKey: e.RoutingKey, Code: e.Code, CommandID: e.CommandID, Commander: e.Commander,
				Internal: e.Internal, Keywords: e.Keywords,
			},
			Known: e.Known && !e.Cut, Seq: e.Seq, Heard: e.Time, Keyword: e.Keyword, Value: value,
		})
	})
}

// noteLiveness notes how alive the actors are.
func (b *Bridge) noteLiveness(all []snapshot.Liveness) {
	lives := make([]problem.Life, 0, len(all))
	for _, l := range all {
		life := problem.Life{Actor: l.Name, Heard: l.Last, Seq: l.Seq, Interval: l.Interval}
		life.Consumer, life.Known = l.Consumer == snapshot.Present, l.Consumer != snapshot.Unknown
		lives = append(lives, life)
	}
	b.problems.NoteLives(lives)
}

// noticeProblems tells the problems of an actor to those that asked for notices, as far as they may
// hear of them. It is called on the hub's queue.
func (b *Bridge) noticeProblems(actor string) {
	b.hub.NoticeEach(protocol.NoticeProblems, func(v *filter.View) engine.Frame {
		if !v.MayHear(actor) {
			return nil
		}
		problems, omitted := b.problems.Of(actor, v)
		notice := protocol.ActorProblems{Op: "problem", Actor: actor, Problems: encodeProblems(problems)}
		notice.Omitted.Add(actor, omitted)
		return protocol.Encode(notice)
	})
}

const (
	// actorsPerTurn is how many actors' problems are read in a turn.
	actorsPerTurn = 32
	// maxProblems is how many problems an answer lists.
	maxProblems = 2000
)

// problemsRequest is a request for all problems in progress.
type problemsRequest struct {
	b        *Bridge
	r        request
	answered func()

	answer *protocol.AllProblems // nil until it is begun
	view   *filter.View          // what the client may hear
	left   []string              // actors that are not read yet
	all    []problem.Problem
}

// listProblems answers with all problems of which the client may know, the most urgent first.
func (b *Bridge) listProblems(s *hub.Session, r request) error {
	return b.hub.SubmitAfterPast(s, func(answered func()) hub.Task {
		return (&problemsRequest{b: b, r: r, answered: answered}).step
	})
}

// step does one turn's work.
func (t *problemsRequest) step() (done bool) {
	if now := viewOf(t.r.client); t.answer == nil || now.Key() != t.view.Key() { // it changed meanwhile
		t.answer, t.all, t.left, t.view = &protocol.AllProblems{Op: "problems", ID: t.r.id}, nil, t.b.problems.Actors(), now
	}
	n := min(actorsPerTurn, len(t.left))
	for _, actor := range t.left[:n] {
		problems, omitted := t.b.problems.Of(actor, t.view)
		t.all = append(t.all, problems...)
		t.answer.Omitted.Add(actor, omitted)
	}
	t.left = t.left[n:]
	t.cut()
	if len(t.left) > 0 {
		return false
	}
	if t.view == nil {
		t.answer.Omitted.Add("", t.b.problems.Omitted())
	}
	t.answer.Problems = encodeProblems(t.all)
	t.r.conn.SendInOrder(protocol.Encode(t.answer))
	t.answered()
	return true
}

// cut sorts the problems that were read, and leaves out those that are too many.
func (t *problemsRequest) cut() {
	slices.SortFunc(t.all, problem.Compare)
	for i := maxProblems; i < len(t.all); i++ {
		t.answer.Omitted.Add(t.all[i].Actor, 1)
	}
	t.all = t.all[:min(len(t.all), maxProblems)]
}

// viewOf returns the view of a client; nil hears everything.
func viewOf(c *client) *filter.View {
	if p := c.principal(); p != nil {
		return p.Grants.View
	}
	return nil
}

// encodeProblems returns problems as clients get them.
func encodeProblems(all []problem.Problem) []protocol.Problem {
	encoded := make([]protocol.Problem, 0, len(all))
	for i := range all {
		encoded = append(encoded, encodeProblem(&all[i]))
	}
	return encoded
}

func encodeProblem(p *problem.Problem) protocol.Problem {
	e := protocol.Problem{
		Actor: p.Actor, Key: p.Key, Kind: string(p.Kind), Level: p.Level.String(), Code: orNull(p.Code), Text: p.Text,
		Keyword: orNull(p.Keyword), Began: encodeTime(p.Began), Time: encodeTime(p.Time), Count: p.Count,
	}
	if p.Seq > 0 {
		e.Seq = &p.Seq
	}
	if p.Kind != problem.Broadcast {
		e.Active = &p.Active
	}
	if p.Acked != nil {
		e.Acked = &protocol.Acked{By: orNull(p.Acked.By), Time: encodeTime(p.Acked.Time)}
	}
	return e
}

func encodeTime(t time.Time) string { return t.UTC().Format(protocol.TimeFormat) }

// orNull returns nil, which is null in JSON, for "".
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
