package hub

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
)

// recordingWaiter records what a waiter is told.
type recordingWaiter struct {
	gathered int
	ends     []CommandEnd
	stopped  int
}

func (p *recordingWaiter) Viewer() *Viewer  { return nil }
func (p *recordingWaiter) Gather(*Reply)    { p.gathered++ }
func (p *recordingWaiter) End(e CommandEnd) { p.ends = append(p.ends, e) }
func (p *recordingWaiter) Stop()            { p.stopped++ }

// inflightHarness is a registry with a clock that the test moves.
type inflightHarness struct {
	*Inflight
	t     *testing.T
	clock time.Time
}

func newInflightHarness(t *testing.T) *inflightHarness {
	f := &inflightHarness{t: t, clock: time.Unix(1e9, 0)}
	f.Inflight = newInflight("bridge", func() time.Time { return f.clock }, func(e evicted) { e.waiter.End(e.ending) })
	return f
}

// sends adds a command, and checks whether it may be sent.
func (f *inflightHarness) sends(c Client, id, consumer string, w Waiter, want error) *Command {
	f.t.Helper()
	flight, err := f.Add(c, CommandKey{id, consumer}, w)
	if err != want {
		f.t.Fatalf("%s to %s: %v, want %v", id, consumer, err, want)
	}
	return flight
}

// calls is sends for a command that is awaited over HTTP.
func (f *inflightHarness) calls(c Client, id, consumer string, w Waiter, want error) {
	f.t.Helper()
	if _, err := f.AddHTTP(c, CommandKey{id, consumer}, w); err != want {
		f.t.Fatalf("%s to %s: %v, want %v", id, consumer, err, want)
	}
}

// hears matches a reply, and returns the end of an awaited command if it ends one.
func (f *inflightHarness) hears(id, code, commander, sender string) string {
	a := f.replied(&Reply{Reply: filter.Reply{CommandID: id, Code: code, Commander: commander, Sender: sender}, Frame: engine.Text("{}")})
	if a.waiter == nil {
		return ""
	}
	a.waiter.End(a.end)
	return a.end.Status
}

func at(remote string) *recordingClient { return &recordingClient{remote: remote} }

func TestOnlyItsOwnReplyEndsACommand(t *testing.T) {
	f, w := newInflightHarness(t), &recordingWaiter{}
	f.sends(at("a:1"), "7", "dome.x", w, nil)
	for _, other := range []struct{ what, commander, sender string }{
		{"another consumer's", "bridge.weather", "weather"},
		{"another client's of the exchange", "another-client.dome.x", "dome"},
		{"a bridge's with a longer name", "bridge.dome.x.y", "dome"},
		{"a bridge's with a shorter name", "dome.x", "dome"},
		{"another sender's", "bridge.dome.x", "weather"},
		{"one of a name that begins alike", "bridge.dome.x", "dom"},
		{"one of a longer name", "bridge.dome.x", "dome.x.y"},
		{"nobody's", "bridge.dome.x", ""},
		{"one without a commander", "", "dome"},
	} {
		if status := f.hears("7", ":", other.commander, other.sender); status != "" {
			t.Errorf("%s ends it as %s", other.what, status)
		}
	}
	f.hears("7", ">", "bridge.dome.x", "dome")
	if status := f.hears("7", ":", "bridge.dome.x", "dome"); status != "done" || w.gathered != 2 || w.ends[0].Replies != 2 {
		t.Errorf("its own end is %q, with %d replies: %+v", status, w.gathered, w.ends)
	}
	if f.Len() != 0 || len(f.ids) != 0 || len(f.callers) != 0 || len(f.shares) != 0 || f.oldest != nil {
		t.Error("something is left")
	}
}

func TestAnIDInFlightIsRefusedToEveryOtherClient(t *testing.T) {
	plain, v1, http := at("a:1"), at("a:2"), at("b:1")
	f := newInflightHarness(t)
	for i, first := range []struct {
		c Client
		w Waiter
	}{{plain, nil}, {v1, &recordingWaiter{}}, {http, &recordingWaiter{}}} {
		id := fmt.Sprint(i)
		f.sends(first.c, id, "dome", first.w, nil)
		for _, second := range []*recordingClient{plain, v1, http} {
			for _, w := range []Waiter{nil, &recordingWaiter{}, &recordingWaiter{}} {
				for _, consumer := range []string{"dome", "weather"} {
					if second == first.c && w == nil && first.w == nil {
						continue // neither is awaited
					}
					f.sends(second, id, consumer, w, errInUse)
				}
			}
		}
	}
	f.sends(plain, "0", "dome", nil, nil) // the same client, and neither is awaited
	f.sends(plain, "0", "weather", nil, nil)
	f.hears("0", ":", "bridge.dome", "dome")
	f.hears("0", ":", "bridge.weather", "weather")
	f.sends(http, "0", "weather", nil, errInUse) // one of the two to the dome is in flight
	f.hears("0", ":", "bridge.dome", "dome")
	f.sends(http, "0", "weather", nil, nil)
}

// As when a page that counts its ids from 1 is reloaded.
func TestTheIDsOfADisconnectedClientAreFreeButForTheSameConsumers(t *testing.T) {
	f, w := newInflightHarness(t), &recordingWaiter{}
	before, now := at("a:1"), at("a:2")
	f.sends(before, "1", "dome", w, nil)
	f.Leave(before)
	if w.stopped != 1 {
		t.Error("nothing is awaited, and the timer still runs")
	}
	f.sends(now, "1", "dome", nil, errInUse) // their replies could not be distinguished
	f.sends(now, "1", "weather", &recordingWaiter{}, nil)
	if status := f.hears("1", ":", "bridge.dome", "dome"); status != "" || len(w.ends) != 0 {
		t.Errorf("the end of a disconnected client's command ends another one as %q", status)
	}
	if status := f.hears("1", "f", "bridge.weather", "weather"); status != "failed" {
		t.Errorf("its own end is %q", status)
	}
	f.sends(now, "1", "dome", &recordingWaiter{}, nil)
}

// As for a command that waited for the hello.
func TestACommandOfADisconnectedClientHasNoCaller(t *testing.T) {
	f, c := newInflightHarness(t), at("a:1")
	c.left = true
	f.Leave(c)
	w := &recordingWaiter{}
	if _, err := f.Add(c, CommandKey{"1", "dome"}, w); err != nil {
		t.Fatal(err)
	}
	if len(f.callers) != 0 || w.stopped != 1 {
		t.Errorf("%d clients are known, and its end is waited for", len(f.callers))
	}
	if _, err := f.Add(at("a:2"), CommandKey{"1", "weather"}, nil); err != nil {
		t.Error(err)
	}
}

func TestRepliesBelongToTheirCommandAfterItsTimeout(t *testing.T) {
	f, w, c := newInflightHarness(t), &recordingWaiter{}, at("a:1")
	c.session = &Session{ID: "s"}
	flight := f.sends(c, "slow", "dome", w, nil)
	if given, e := f.GiveUp(flight, "no longer"); given != w || e.Status != "timeout" {
		t.Error("it was not awaited")
	}
	if given, _ := f.GiveUp(flight, "no longer"); given != nil {
		t.Error("its end would be reported twice")
	}
	f.sends(c, "slow", "dome", &recordingWaiter{}, errInUse) // its end could not be distinguished from the first one's
	late := &Reply{Reply: filter.Reply{CommandID: "slow", Code: "i", Commander: "bridge.dome", Sender: "dome"}}
	if f.replied(late).owner != c.session {
		t.Error("its replies belong to no session")
	}
	if f.Failed(flight, false) {
		t.Error("it would end twice")
	}
	if f.Len() != 0 {
		t.Error("a command that was not sent is in flight")
	}
}

func TestAfterATimeoutItsClientMayUseTheIDAgainWithoutWaiting(t *testing.T) {
	f, c := newInflightHarness(t), at("a:1")
	f.GiveUp(f.sends(c, "slow", "dome", &recordingWaiter{}, nil), "no longer")
	f.sends(c, "slow", "dome", nil, nil)
	f.sends(c, "slow", "weather", nil, nil)
	f.sends(c, "slow", "dome", &recordingWaiter{}, errInUse)
}

func TestACommandInDoubtStaysInFlight(t *testing.T) {
	f, c := newInflightHarness(t), at("a:1")
	flight := f.sends(c, "1", "dome", &recordingWaiter{}, nil)
	if !f.Failed(flight, true) {
		t.Error("the waiter is not told the end")
	}
	f.sends(at("a:2"), "1", "dome", nil, errInUse)
	if status := f.hears("1", ":", "bridge.dome", "dome"); status != "" || f.Len() != 0 {
		t.Errorf("its end ends it as %q; %d are left", status, f.Len())
	}
}

func TestACommandThatNeverEndsIsDropped(t *testing.T) {
	f := newInflightHarness(t)
	f.sends(at("a:1"), "1", "dome", nil, nil)
	waits := f.sends(at("a:2"), "2", "dome", &recordingWaiter{}, nil)
	f.clock = f.clock.Add(forgetAfter)
	f.sends(at("a:3"), "1", "dome", nil, nil)
	f.sends(at("a:3"), "2", "dome", nil, errInUse) // the first one is awaited
	f.GiveUp(waits, "")
	f.clock = f.clock.Add(forgetAfter)
	f.sends(at("a:3"), "2", "dome", nil, nil)
}

func TestMatchingAReplyWithItsCommandAllocatesNothing(t *testing.T) {
	f := newInflightHarness(t)
	f.sends(at("a:1"), "1", "dome", nil, nil)
	r := &Reply{Reply: filter.Reply{CommandID: "1", Code: "i", Commander: "bridge.dome", Sender: "dome"}}
	if n := testing.AllocsPerRun(100, func() { f.replied(r) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// Commands are added, end, fail, lose their clients and are given up, at random.
func TestTheIndexesOfInflightAgree(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 9))
	f := newInflightHarness(t)
	clients, known := []*recordingClient{}, []*Command{}
	for n := range 20_000 {
		if len(clients) < 8 {
			clients = append(clients, at(fmt.Sprintf("10.0.0.%d:%d", n%3, n)))
		}
		c := clients[random.IntN(len(clients))]
		id, consumer := fmt.Sprint(random.IntN(12)), []string{"dome", "weather"}[random.IntN(2)]
		switch random.IntN(6) {
		case 0, 1:
			var w Waiter
			if random.IntN(2) == 0 {
				w = &recordingWaiter{}
			}
			if flight, err := f.Add(c, CommandKey{id, consumer}, w); err == nil {
				known = append(known, flight)
			}
		case 2:
			f.hears(id, ":", "bridge."+consumer, consumer)
		case 3:
			f.Leave(c)
			clients = slices.DeleteFunc(clients, func(o *recordingClient) bool { return o == c })
		case 4:
			if len(known) > 0 {
				f.Failed(known[random.IntN(len(known))], random.IntN(2) == 0)
			}
		case 5:
			if len(known) > 0 {
				f.GiveUp(known[random.IntN(len(known))], "")
			}
			f.clock = f.clock.Add(time.Minute)
		}
		f.agree()
	}
}

// agree checks that all indexes hold the same commands.
func (f *inflightHarness) agree() {
	f.t.Helper()
	inShares, uses, inCallers := 0, 0, 0
	for _, s := range f.shares {
		sum := 0
		callers := slices.Clone(s.callers)
		if s.left != nil {
			callers = append(callers, s.left)
		}
		for _, one := range callers {
			has := 0
			for waits, q := range map[bool]*commandQueue{true: &one.waits, false: &one.rest} {
				n := 0
				for c := q.oldest; c != nil; c = c.next {
					n++
					if f.commands[c.CommandKey] != c || c.caller != one || c.share != s || (c.waiter != nil) != waits {
						f.t.Fatalf("%v is not in all indexes", c.CommandKey)
					}
				}
				if q.count != n {
					f.t.Fatalf("of a caller's there are %d, counted %d", n, q.count)
				}
				has += n
			}
			sum += has
			if one.count != has || has == 0 || (one.client == nil) != (one == s.left) {
				f.t.Fatalf("a caller has %d, counted %d", has, one.count)
			}
			if one.client != nil {
				inCallers += has
			}
		}
		if s.count != sum {
			f.t.Fatalf("a share of %d has %d", s.count, sum)
		}
		inShares += sum
	}
	for _, use := range f.ids {
		uses += use.count
	}
	aged := 0
	for c := f.oldest; c != nil; c = c.younger {
		aged++
	}
	if inShares != len(f.commands) || aged != len(f.commands) || uses != inCallers || len(f.largest) != len(f.shares) {
		f.t.Fatalf("%d commands: %d in shares, %d aged; %d ids used, %d of clients that are here", len(f.commands), inShares, aged, uses, inCallers)
	}
	for i, s := range f.largest {
		if s.at != i || s.count > f.largest[0].count {
			f.t.Fatal("the ranking is wrong")
		}
	}
}
