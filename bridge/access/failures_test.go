package access

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

var (
	badToken = refuse(401, "invalid", "the token is not valid here")
	goodName = Verdict{Principal: &Principal{Name: "ada"}}
	somebody = netip.MustParseAddr("192.0.2.1")
)

func TestTooManyFailuresOfAnAddressAre429(t *testing.T) {
	var clock testClock
	f := newFailures(clock.Now)
	for n := range failureBurst {
		if v := f.judge(somebody, badToken); v.Refusal.Status != 401 {
			t.Fatalf("failure %d: %d", n, v.Refusal.Status)
		}
	}
	v := f.judge(somebody, badToken)
	if v.Refusal.Status != http.StatusTooManyRequests || v.Refusal.RetryAfter < time.Second || v.Refusal.RetryAfter > 2*time.Second {
		t.Errorf("one more: %+v", v.Refusal)
	}
	if v := f.judge(netip.MustParseAddr("192.0.2.2"), badToken); v.Refusal.Status != 401 {
		t.Errorf("another address: %d", v.Refusal.Status)
	}
	clock.Pass(failureEvery) // a client that waits as told hears what is wrong with its credential
	if v := f.judge(somebody, badToken); v.Refusal.Status != 401 {
		t.Errorf("a while later: %d", v.Refusal.Status)
	}
}

func TestOnlyBadCredentialsAreFailures(t *testing.T) {
	f := newFailures((&testClock{}).Now)
	for _, v := range []Verdict{goodName, {Awaits: true}, refuse(400, "several", "there is more than one credential"), refuse(403, "no_role", "you have no role here"),
		refuse(401, "missing", "this bridge must know who you are"), unavailable("nobody knows now", 0)} {
		for range 2 * failureBurst {
			if got := f.judge(somebody, v); got.Refusal != v.Refusal || got.Principal != v.Principal || got.Awaits != v.Awaits {
				t.Fatalf("%+v became %+v", v, got)
			}
		}
	}
	if len(f.fresh) != 0 {
		t.Errorf("there are failures of %v", f.fresh)
	}
	for range 2 * failureBurst {
		if v := f.judge(netip.Addr{}, badToken); v.Refusal.Status != 401 {
			t.Fatalf("on a Unix socket: %d", v.Refusal.Status)
		}
	}
}

func TestAnIPv6NetworkIsOneAddress(t *testing.T) {
	for text, want := range map[string]string{"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::", "2001:db8:1:3::1": "2001:db8:1:3::", "::ffff:192.0.2.1": "192.0.2.1", "192.0.2.1": "192.0.2.1", "fe80::1%eth0": "fe80::"} {
		if got := network(netip.MustParseAddr(text)); got.String() != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// A ban of the address would lock out everybody behind the proxy of an observatory, because of one
// page with an old token.
func TestAnAddressWithFailuresDoesNotLockOutOthersBehindIt(t *testing.T) {
	testkit.Bubble(t, func(t *testing.T) {
		f := newFailures(time.Now)
		decides := func(v Verdict) Verdict {
			return f.judge(somebody, Verdict{Later: func(context.Context) Verdict {
				time.Sleep(50 * time.Millisecond) // the application
				return v
			}})
		}
		var wrong sync.WaitGroup
		ctx, stop := context.WithCancel(t.Context())
		for range 10 { // pages that try again all the time
			wrong.Go(func() {
				for ctx.Err() == nil {
					if v := decides(badToken).Later(t.Context()); v.Refusal == nil || v.Refusal.Status != 401 && v.Refusal.Status != 429 {
						t.Errorf("a bad token: %+v", v)
					}
				}
			})
		}
		time.Sleep(time.Minute)
		for n := range 50 {
			if v := f.judge(somebody, goodName); v.Principal == nil {
				t.Fatalf("token %d: %v", n, v.Refusal)
			}
			began := time.Now()
			if v := decides(goodName).Later(t.Context()); v.Principal == nil {
				t.Fatalf("ticket %d: %v", n, v.Refusal)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("ticket %d took %v", n, took)
			}
		}
		stop()
		wrong.Wait()
	})
}

// What an address with too many failures may not do is occupy the application.
func TestAnAddressWithFailuresIsDecidedTwoAtATime(t *testing.T) {
	testkit.Bubble(t, func(t *testing.T) {
		f := newFailures(time.Now)
		for range failureBurst {
			f.judge(somebody, badToken)
		}
		deciding, answer := make(chan struct{}, 1000), make(chan struct{})
		v := f.judge(somebody, Verdict{Later: func(context.Context) Verdict {
			deciding <- struct{}{}
			<-answer
			return badToken
		}})
		verdicts := make(chan Verdict, 100)
		for range cap(verdicts) {
			go func() { verdicts <- v.Later(t.Context()) }()
		}
		synctest.Wait()
		if n := len(deciding); n != slowedAtOnce {
			t.Errorf("%d are decided at the same time", n)
		}
		if n := len(verdicts); n != cap(verdicts)-slowedAtOnce-slowedWaiting {
			t.Errorf("%d were sent away", n)
		}
		close(answer)
		for range cap(verdicts) {
			if v := <-verdicts; v.Refusal.Status != 429 || v.Refusal.RetryAfter < time.Second {
				t.Fatalf("%+v", v.Refusal)
			}
		}
	})
}

func TestTheTableOfFailuresIsBounded(t *testing.T) {
	f := newFailures((&testClock{}).Now)
	for range failureBurst {
		f.judge(somebody, badToken)
	}
	for n := range 3 * failureMax {
		f.judge(netip.MustParseAddr(fmt.Sprintf("2001:db8:%x::1", n)), badToken)
		if n%failureMax == 0 && f.judge(somebody, badToken).Refusal.Status != 429 {
			t.Fatalf("after %d other addresses the failures are forgotten", n)
		}
	}
	if n := len(f.fresh) + len(f.previous); n > 2*failureMax {
		t.Errorf("it has %d addresses", n)
	}
}

func TestWorkersWaitInABoundedQueue(t *testing.T) {
	testkit.Bubble(t, func(t *testing.T) {
		w := newSlots(2, 3)
		results := make(chan error, 10)
		ctx, cancel := context.WithCancel(t.Context())
		for range 6 {
			go func() { results <- w.take(ctx) }()
		}
		synctest.Wait()
		if len(results) != 3 || w.peak.Load() != 2 || w.waiting.Load() != 3 {
			t.Errorf("%d have a result, %d wait", len(results), w.waiting.Load())
		}
		w.give()
		synctest.Wait()
		cancel()
		synctest.Wait()
		var taken, failed int
		for range 6 {
			if <-results == nil {
				taken++
			} else {
				failed++
			}
		}
		if taken != 3 || failed != 3 || w.waiting.Load() != 0 || w.busy.Load() != 2 {
			t.Errorf("%d have a slot, %d none; %d wait, %d are busy", taken, failed, w.waiting.Load(), w.busy.Load())
		}
	})
}
