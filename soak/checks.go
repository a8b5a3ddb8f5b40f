//go:build unix

package soak

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
	"github.com/clu-ws/clu-ws/wsclient"
)

// check lets everything calm down, and compares all that was shown and kept with what was promised.
func (r *run) check() {
	r.t.Helper()
	r.now("calming down")
	for _, b := range r.bridges {
		b.awaitReady()
	}
	r.reachable()
	broadcasts := r.weather.Sent() + 1
	if !r.await("each client shows the broadcasts", func() string { return r.behind(broadcasts) }) {
		return
	}
	r.silence(true)
	defer r.silence(false)
	r.await("the broker has confirmed the broadcasts", r.weather.Unsettled)
	end := r.weather.Sent()
	if !r.await("each client shows the last broadcast", func() string { return r.behind(r.lastAccepted(end)) }) {
		return
	}
	r.await("each command has its end", func() string {
		for _, c := range r.clients {
			if rest := c.unsettled(); rest != "" {
				return c.name + rest
			}
		}
		return ""
	})
	r.now("checking")
	for _, c := range r.clients {
		for _, wrong := range c.check(end, r.lossy, r.weather.Outcome, r.dome.absences()) {
			r.violate("%s", wrong)
		}
	}
	for i, c := range r.counters {
		for _, wrong := range c.check(end, r.lossy, r.weather.Outcome) {
			r.violate("plain client %d: %s", i, wrong)
		}
	}
	r.checkBridges()
	r.lossy = false
	r.checks++
}

// behind describes a client that has not shown a broadcast, nor a later one, "" without one.
func (r *run) behind(n int) string {
	for _, c := range r.clients {
		if !c.reached(n) {
			return fmt.Sprintf("%s is at %d of %d", c.name, c.last(), n)
		}
	}
	for i, c := range r.counters {
		if !c.reached(n) {
			return fmt.Sprintf("plain client %d is at %d of %d: %v", i, c.last(), n, c.err())
		}
	}
	return ""
}

// lastAccepted returns the last broadcast before end that the broker has taken.
func (r *run) lastAccepted(end int) int {
	for n := end - 1; n >= 0; n-- {
		if r.weather.Outcome(n).Accepted {
			return n
		}
	}
	return -1
}

// checkBridges compares what the bridges say of themselves, while nothing is said.
func (r *run) checkBridges() {
	for _, b := range r.bridges {
		b.scan()
		r.eventually("bridge "+b.name+" has as many clients as there are", func() error { return r.countsClients(b) })
		r.eventually("bridge "+b.name+" has its configuration", func() error { return r.titled(b) })
		r.eventually("bridge "+b.name+" has the last values", func() error { return r.lastValues(b) })
		r.sample(b)
	}
	a, b := r.bridges[0], r.bridges[1]
	r.eventually("the bridges know the same problems", func() error { return same(r, r.problems, a, b) })
	r.eventually("a bridge that was restarted makes no problems up", func() error { return r.makesNoneUp(a, b) })
	r.eventually("the bridges have the same history", func() error { return same(r, r.history, a, b) })
	r.countsDeliveries(b)
}

// eventually is await for what returns an error.
func (r *run) eventually(what string, check func() error) {
	r.await(what, func() string {
		if err := check(); err != nil {
			return err.Error()
		}
		return ""
	})
}

// countsClients checks the number of a bridge's clients.
func (r *run) countsClients(b *bridgeProcess) error {
	want := len(r.clients)
	if b != r.bridges[0] {
		want = len(r.counters)
	}
	m, err := b.metrics()
	if err == nil && int(m["cluws_clients"]) != want {
		err = fmt.Errorf("it has %v, and there are %d", m["cluws_clients"], want)
	}
	if err == nil && m["cluws_panics_total"] > 0 {
		err = errors.New("it has panicked")
	}
	return err
}

// lastValues checks the values that a bridge has, against the last broadcast that a client has shown.
func (r *run) lastValues(b *bridgeProcess) error {
	text, err := b.get("/api/values?sender=weather")
	if err != nil {
		return err
	}
	var answer struct {
		Values struct {
			Weather struct{ N, Slow struct{ Value int } }
		}
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		return err
	}
	want := r.clients[0].last()
	if n, slow := answer.Values.Weather.N.Value, answer.Values.Weather.Slow.Value; n != want || slow != want/50 {
		return fmt.Errorf("n is %d and slow %d, and the last broadcast was %d", n, slow, want)
	}
	return nil
}

// ask asks a bridge something over a connection of its own.
func (r *run) ask(b *bridgeProcess, what func(context.Context, *wsclient.Client) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), testkit.Patience)
	defer cancel()
	c, err := wsclient.Dial(ctx, wsclient.Config{URL: "ws://" + b.addr + "/", FailFast: true})
	if err != nil {
		return err
	}
	defer c.Close()
	return what(ctx, c)
}

func (r *run) titled(b *bridgeProcess) error {
	return r.ask(b, func(ctx context.Context, c *wsclient.Client) error {
		site, err := c.Request(ctx, map[string]any{"op": "site"})
		if err == nil && !strings.Contains(string(site), `"`+b.title()+`"`) {
			err = fmt.Errorf("its site is %.200s, and not %q", site, b.title())
		}
		return err
	})
}

// same compares what two bridges answer, from the end, as far as both know it.
func same(r *run, what func(context.Context, *wsclient.Client) ([]string, error), a, b *bridgeProcess) error {
	var answers [2][]string
	for i, of := range []*bridgeProcess{a, b} {
		err := r.ask(of, func(ctx context.Context, c *wsclient.Client) (err error) {
			answers[i], err = what(ctx, c)
			return err
		})
		if err != nil {
			return err
		}
	}
	if !slices.Equal(answers[0], answers[1]) {
		return fmt.Errorf("one has %d: %.500q; the other has %d: %.500q", len(answers[0]), answers[0], len(answers[1]), answers[1])
	}
	return nil
}

// problems returns what the actors complain of. Once the stream was deleted, a bridge that was restarted does not know what was
// told before. Nor need those that were not restarted count the same: what one of them had not read of the stream is lost to it
// alone, and told by a gap.
func (r *run) problems(ctx context.Context, c *wsclient.Client) (all []string, err error) {
	list, _, err := c.Problems(ctx)
	hello, _ := c.Hello()
	for _, p := range list {
		if p.Kind != "broadcast" { // an actor that says nothing is no news while all are silent
			continue
		}
		text := fmt.Sprint(p.Actor, p.Key, p.Level, p.Text)
		switch {
		case r.anew == 0:
			text += fmt.Sprint(p.Count)
		case p.Seq == nil || hello.Seq == nil || *p.Seq/perGeneration < *hello.Seq/perGeneration:
			continue
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return all, err
}

// makesNoneUp checks that a bridge that was restarted since the stream was deleted has no problem that the other one, which
// heard all that is in the new stream, does not have, or has less often.
func (r *run) makesNoneUp(restarted, other *bridgeProcess) error {
	if r.anew == 0 || restarted.starts == r.starts {
		return nil
	}
	var counts [2]map[string]int
	for i, b := range []*bridgeProcess{restarted, other} {
		counts[i] = map[string]int{}
		err := r.ask(b, func(ctx context.Context, c *wsclient.Client) error {
			list, _, err := c.Problems(ctx)
			for _, p := range list {
				if p.Kind == "broadcast" {
					counts[i][fmt.Sprint(p.Actor, p.Key)] = p.Count
				}
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	for of, n := range counts[0] {
		if n > counts[1][of] {
			return fmt.Errorf("it has the problem %s %d times, and the other one %d times", of, n, counts[1][of])
		}
	}
	return nil
}

// kept is how much of the history of a keyword is compared.
const kept = 100 // values

// perGeneration is between the numbers of a stream and those of the one that replaces it.
const perGeneration = 10_000_000_000_000

// history returns the last values of a keyword that counts. Their order is that of the times at which a bridge heard them:
// what waited at the broker has that of its message, which is one of whole seconds.
func (r *run) history(ctx context.Context, c *wsclient.Client) (all []string, err error) {
	h, err := c.History(ctx, []string{"weather.slow"}, wsclient.HistoryOptions{From: "-10m"})
	if err != nil {
		return nil, err
	}
	if h.Filling {
		return nil, errors.New("the past is still being read")
	}
	var values []int
	for _, s := range h.Series {
		for _, v := range s.Last {
			n, err := strconv.Atoi(string(v))
			if err != nil {
				return nil, err
			}
			values = append(values, n)
		}
	}
	slices.Sort(values)
	values = slices.Compact(values)
	for _, n := range values[max(min(1, len(values)), len(values)-kept):] { // without the one that held at the beginning
		if r.anew == 0 || n > r.anew/50+1 {
			all = append(all, strconv.Itoa(n))
		}
	}
	return all, nil
}

// countsDeliveries checks that a bridge whose clients are all known has counted what they got.
func (r *run) countsDeliveries(b *bridgeProcess) {
	before, err := b.metrics()
	frames := 0
	for _, c := range r.counters {
		frames -= c.frames()
	}
	r.weather.Pause(false)
	r.pass(context.Background(), 200*time.Millisecond)
	r.weather.Pause(true)
	r.eventually("all plain clients have what was said", func() error {
		rest := r.weather.Unsettled()
		if rest == "" {
			rest = r.behind(r.lastAccepted(r.weather.Sent()))
		}
		if rest != "" {
			return errors.New(rest)
		}
		return nil
	})
	for _, c := range r.counters {
		frames += c.frames()
	}
	r.eventually("bridge "+b.name+" has counted what it has delivered", func() error {
		after, failed := b.metrics()
		delivered := int(after["cluws_deliveries_total"] - before["cluws_deliveries_total"])
		if err := errors.Join(err, failed); err != nil || delivered != frames {
			return fmt.Errorf("it counts %d, and its clients got %d (%v)", delivered, frames, err)
		}
		return nil
	})
}
