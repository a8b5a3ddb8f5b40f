package access

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestEventsAreToldInOrder(t *testing.T) {
	testkit.Bubble(t, func(t *testing.T) {
		app := newFakeApp(t, CallbackConfig{Events: []string{"subscribe", "message"}})
		told := make(chan string, 10)
		down := true
		app.client.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			if down { // the first time
				down = false
				return &http.Response{StatusCode: 502, Body: http.NoBody}, nil
			}
			body := new(bytes.Buffer)
			_, _ = body.ReadFrom(r.Body)
			told <- body.String()
			return &http.Response{StatusCode: 204, Body: http.NoBody}, nil
		})
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { app.run(ctx) })
		app.event(&Principal{Name: "ada"}, Event{Op: "subscribe", Client: "bridge-1", Path: "/live", ID: "s1"})
		app.event(nil, Event{Op: "unsubscribe", Client: "bridge-1", Path: "/live", ID: "s1"}) // not wanted
		app.event(nil, Event{Op: "message", Client: "bridge-2", Path: "/live", Body: []byte(`{"a":1}`)})
		got := []string{<-told, <-told}
		synctest.Wait()
		stop()
		running.Wait()
		want := `{"event":"subscribe","name":"ada","client":"bridge-1","path":"/live","id":"s1"}` + "\n" +
			`{"event":"message","name":"","client":"bridge-2","path":"/live","body":{"a":1}}`
		if strings.Join(got, "\n") != want || len(told) != 0 || app.dropped.Load() != 0 {
			t.Errorf("it was told\n%s\nwant\n%s", strings.Join(got, "\n"), want)
		}
	})
}

// An event that the application never takes does not keep back the next one.
func TestAnEventIsGivenUpAfterSomeAttempts(t *testing.T) {
	for status, attempts := range map[int64]int64{502: eventAttempts, 403: 1} {
		testkit.Bubble(t, func(t *testing.T) {
			app := newFakeApp(t, CallbackConfig{Events: []string{"message"}})
			close(app.answers)
			app.says(status, "")
			ctx, stop := context.WithCancel(t.Context())
			var running sync.WaitGroup
			running.Go(func() { app.run(ctx) })
			app.event(nil, Event{Op: "message"})
			time.Sleep(time.Minute)
			if asked, dropped := app.asked.Load(), app.dropped.Load(); asked != attempts || dropped != 1 {
				t.Errorf("status %d: %d attempts, %d dropped", status, asked, dropped)
			}
			stop()
			running.Wait()
		})
	}
}

// An application that takes no events costs a bounded queue, and delays nobody.
func TestEventsThatNobodyTakesAreDroppedAndCounted(t *testing.T) {
	testkit.Bubble(t, func(t *testing.T) {
		app := newFakeApp(t, CallbackConfig{Events: []string{"message"}})
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { app.run(ctx) })
		app.event(nil, Event{Op: "message"})
		synctest.Wait() // one is on its way
		for range eventsMax + 500 {
			app.event(nil, Event{Op: "message", Path: "/live", Body: []byte("1")})
		}
		app.event(nil, Event{Op: "message", Body: []byte("{")}) // no JSON
		if n := app.stats().DroppedEvents; n != 501 {
			t.Errorf("%d were dropped", n)
		}
		stop()
		running.Wait()
	})
}
