package access

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// An outage of the application: 1,000 newcomers get 503 and times to come again that differ. When
// it is back, they come in as they were told, and meet it 16 at a time at most.
func TestAnOutageOfTheApplicationEndsWithoutAStorm(t *testing.T) {
	testkit.Bubble(t, func(t *testing.T) {
		app := newFakeApp(t, CallbackConfig{})
		verdicts := app.enter(t.Context(), 1000)
		began := time.Now()
		var soonest, latest time.Duration
		for range 1000 {
			v := <-verdicts
			if v.Refusal == nil || v.Refusal.Status != http.StatusServiceUnavailable {
				t.Fatalf("during the outage: %+v", v)
			}
			if soonest == 0 || v.Refusal.RetryAfter < soonest {
				soonest = v.Refusal.RetryAfter
			}
			latest = max(latest, v.Refusal.RetryAfter)
		}
		if took := time.Since(began); took > 2*callbackTimeout {
			t.Errorf("the last newcomer was told after %v", took)
		}
		if soonest < unknownRetry || latest-soonest < 2*time.Second {
			t.Errorf("they come again in %v to %v", soonest, latest)
		}
		app.comesBack(20 * time.Millisecond)
		began = time.Now()
		entered := make(chan struct{})
		for range 1000 {
			go func() {
				for v := (Verdict{Refusal: &Refusal{}}); v.Principal == nil; {
					v = app.identify(t.Context(), approach(""), "x")
					if v.Refusal != nil {
						time.Sleep(v.Refusal.RetryAfter)
					}
				}
				entered <- struct{}{}
			}()
		}
		for range 1000 {
			<-entered
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("all are in after %v", took)
		}
		if s := app.stats(); s.Peak > callbackInFlight || s.Peak < callbackInFlight/2 || s.InFlight != 0 || s.Waiting != 0 {
			t.Errorf("the figures are %+v", s)
		}
	})
}

// While the application is down, who is in hears at once that it stays, however many there are, and
// the application is asked once a second.
func TestManyWhoAreInStayAtOnce(t *testing.T) {
	testkit.Bubble(t, func(t *testing.T) {
		app := newFakeApp(t, CallbackConfig{}) // does not answer at all
		p := &Principal{Name: "ada", RenewAfter: time.Now(), Expires: time.Now().Add(time.Minute), renewal: &renewal{}}
		for range failuresToDown {
			app.renew(t.Context(), p)
		}
		app.asked.Store(0)
		began, stays := time.Now(), make(chan *Principal)
		for range 10_000 {
			go func() {
				next, _ := app.renew(t.Context(), p)
				stays <- next
			}()
		}
		for range 10_000 {
			if next := <-stays; next == nil || next.Expires.Before(time.Now().Add(9*time.Minute)) {
				t.Fatalf("%+v", next)
			}
		}
		if took, n := time.Since(began), app.asked.Load(); took > callbackTimeout || n > 6 {
			t.Errorf("it took %v, and the application was asked %d times", took, n)
		}
	})
}

// Clients that go while they are asked about do not make the application look down.
func TestClientsThatGoAreNotTheApplicationsFault(t *testing.T) {
	testkit.Bubble(t, func(t *testing.T) {
		app := newFakeApp(t, CallbackConfig{})
		ctx, leave := context.WithCancel(t.Context())
		verdicts := app.enter(ctx, 100)
		synctest.Wait()
		leave()
		for range 100 {
			<-verdicts
		}
		close(app.answers)
		if v := <-app.enter(t.Context(), 1); v.Principal == nil {
			t.Error(v.Refusal)
		}
	})
}

// Nobody who is in falls out before the time of grace has passed, even if the credential expires
// meanwhile; then everybody does, and is told why.
func TestWhoIsInStaysForGraceWhenTheApplicationDoesNotAnswer(t *testing.T) {
	for _, style := range []string{"post", "proxy"} {
		testkit.Bubble(t, func(t *testing.T) {
			app := newFakeApp(t, CallbackConfig{Style: style, Grace: 10 * time.Minute})
			close(app.answers)
			app.says(200, `{"status": "ok", "name": "ada", "role": "viewer", "renew_in": 60, "expires_in": 90}`)
			p := (<-app.enter(t.Context(), 1)).Principal
			time.Sleep(time.Until(p.RenewAfter))
			app.says(502, "")
			down := time.Now()
			var refusal *Refusal
			for n := 0; ; n++ {
				var next *Principal
				if next, refusal = app.renew(t.Context(), p); refusal != nil {
					break
				}
				p = next
				if !p.Expires.After(time.Now()) || !p.RenewAfter.After(time.Now()) || n > 100 {
					t.Fatalf("it was to stay: expires in %v, is renewed in %v", time.Until(p.Expires), time.Until(p.RenewAfter))
				}
				time.Sleep(time.Until(p.RenewAfter))
			}
			if stayed := time.Since(down); stayed != 10*time.Minute || refusal.Status != http.StatusServiceUnavailable {
				t.Errorf("%s: it stayed for %v, then: %v", style, stayed, refusal)
			}
		})
	}
}

func TestARenewalThatIsAnsweredAgainEndsTheTimeOfGrace(t *testing.T) {
	testkit.Bubble(t, func(t *testing.T) {
		app := newFakeApp(t, CallbackConfig{})
		close(app.answers)
		app.says(200, `{"status": "ok", "name": "ada", "role": "viewer", "renew_in": 60, "expires_in": 90}`)
		p := (<-app.enter(t.Context(), 1)).Principal
		app.says(502, "")
		p, _ = app.renew(t.Context(), p)
		app.says(200, `{"status": "ok", "name": "ada", "role": "observer", "renew_in": 60, "expires_in": 90}`)
		time.Sleep(9 * time.Minute)
		p, refusal := app.renew(t.Context(), p)
		if refusal != nil || p.Role != "observer" || p.Expires.After(time.Now().Add(90*time.Second)) || !p.unknownSince.IsZero() {
			t.Errorf("%+v, %v", p, refusal)
		}
	})
}

// Renewals of those who came together are spread over a fifth of the time, and never late.
func TestRenewalsAreSpread(t *testing.T) {
	testkit.Bubble(t, func(t *testing.T) {
		app := newFakeApp(t, CallbackConfig{})
		close(app.answers)
		app.says(200, `{"status": "ok", "name": "ada", "role": "viewer", "renew_in": 100}`)
		began, early, late := time.Now(), 0, 0
		verdicts := app.enter(t.Context(), 1000)
		for range 1000 {
			switch in := (<-verdicts).Principal.RenewAfter.Sub(began); {
			case in < 80*time.Second || in > 100*time.Second:
				t.Fatalf("one is renewed in %v", in)
			case in < 90*time.Second:
				early++
			default:
				late++
			}
		}
		if early < 300 || late < 300 {
			t.Errorf("%d are renewed in the first half, %d in the second", early, late)
		}
	})
}

// An application that says how long it wants to be left alone is.
func TestAnApplicationThatIsBusyIsLeftAlone(t *testing.T) {
	for name, header := range map[string]http.Header{
		"Retry-After": {"Retry-After": {"20"}}, "a date": {"Retry-After": {"@"}}, "SocketShark's field": {"X-Rate-Limit-Reset": {"20.0"}},
	} {
		testkit.Bubble(t, func(t *testing.T) {
			app := newFakeApp(t, CallbackConfig{})
			close(app.answers)
			if app.header = header.Clone(); header.Get("Retry-After") == "@" {
				app.header.Set("Retry-After", time.Now().Add(20*time.Second).UTC().Format(http.TimeFormat))
			}
			app.says(429, "")
			for range 50 {
				v := <-app.enter(t.Context(), 1)
				if code(v) != "unknown" || v.Refusal.RetryAfter < 20*time.Second || v.Refusal.RetryAfter > 40*time.Second {
					t.Fatalf("%s: %+v", name, v.Refusal)
				}
			}
			if n := app.asked.Load(); n != 1 {
				t.Errorf("%s: it was asked %d times", name, n)
			}
			app.says(200, `{"status": "ok", "role": "viewer"}`)
			time.Sleep(20 * time.Second)
			if v := <-app.enter(t.Context(), 1); v.Principal == nil {
				t.Errorf("%s, afterwards: %v", name, v.Refusal)
			}
		})
	}
}

// Who is in goes on giving commands while many newcomers wait.
func TestACommandIsAskedAboutBeforeAStormOfNewcomers(t *testing.T) {
	testkit.Bubble(t, func(t *testing.T) {
		app := newFakeApp(t, CallbackConfig{Ask: []string{"command"}})
		newcomers := app.enter(t.Context(), 1000)
		synctest.Wait()
		answered := make(chan *Refusal, 1)
		go func() {
			_, refusal := app.ask(t.Context(), &Principal{Name: "ada"}, Ask{Op: "command"})
			answered <- refusal
		}()
		synctest.Wait()
		if n := app.asked.Load(); n != callbackInFlight-callbackInFlight/4+1 {
			t.Errorf("%d are in flight", n)
		}
		close(app.answers)
		if refusal := <-answered; refusal != nil {
			t.Error(refusal)
		}
		for range 1000 {
			<-newcomers
		}
	})
}

// What one client sends must not make the application look down for the others, even if it makes
// it fail.
func TestOneClientCannotMakeTheApplicationLookDown(t *testing.T) {
	for name, attack := range map[string]func(app *fakeApp) *Approach{
		"a ticket that makes it fail": func(app *fakeApp) *Approach { app.says(500, "Traceback"); return approach("", "Authorization: x") },
		"a ticket that it answers wrongly": func(app *fakeApp) *Approach {
			app.says(200, `{"role": "king"}`)
			return approach("", "Authorization: x")
		},
		"a path with a control character": func(*fakeApp) *Approach {
			ap := approach("", "Authorization: x")
			ap.Path = "/a\nX-Remote-User: eng"
			return ap
		},
		"a header with a control character": func(*fakeApp) *Approach { return approach("", "Authorization: x\x00") },
	} {
		for _, style := range []string{"post", "proxy"} {
			testkit.Bubble(t, func(t *testing.T) {
				app := newFakeApp(t, CallbackConfig{Style: style})
				close(app.answers)
				ap := attack(app)
				for range 2 * failuresToDown {
					app.identify(t.Context(), ap, "x\n")
				}
				app.says(200, `{"status": "ok", "name": "ada", "role": "viewer"}`)
				if v := <-app.enter(t.Context(), 1); v.Principal == nil {
					t.Errorf("%s, style %s: %v", name, style, v.Refusal)
				}
			})
		}
	}
}
