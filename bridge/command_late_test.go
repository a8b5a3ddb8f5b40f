package bridge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// receive delivers a message from each client of a kind that had waited while the process was
// paused.
func (s *bridgeHarness) receive(v1 bool, text string, late time.Duration) {
	s.engine.Each(func(conn engine.Conn, v any) {
		if c := v.(*client); (c.v1.Load() != nil) == v1 {
			handler{s.Bridge}.Message(conn, c, engine.Message{Payload: []byte(text), Late: late})
		}
	})
}

const lateMessage = "The command was not sent: the bridge stood still for 8.2 s."

// There is no broker: a command that would be sent fails as away.
func TestACommandThatWaitedWhileTheBridgeStoodStillIsNotSent(t *testing.T) {
	s := newHarness(t)
	l := s.connect()
	plain, err := s.dialPlain("/")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { plain.Close() })
	for late, want := range map[time.Duration]string{8200 * time.Millisecond: "expired " + lateMessage, 0: "away The command was not sent: there is no connection to the broker."} {
		s.receive(true, `{"consumer": "dome", "command_string": "open"}`, late)
		m := s.await(l, "error")
		if got := fmt.Sprint(m["code"], " ", m["message"]); got != want {
			t.Errorf("in CLU's form: %s, want %s", got, want)
		}
		s.receive(true, `{"op": "command", "id": "a", "consumer": "dome", "command_string": "open"}`, late)
		if late == 0 {
			s.await(l, "ok")
		}
		m = s.await(l, "error")
		if got := fmt.Sprint(m["code"], " ", m["message"]); got != want || m["id"] != "a" {
			t.Errorf("tracked: %s of %v, want %s", got, m["id"], want)
		}
		s.receive(true, `{"op": "ping", "id": "p"}`, late) // does no harm
		s.await(l, "pong")

		s.receive(false, `{"consumer": "dome", "command_string": "open", "command_id": "mine"}`, late)
		text, err := wsutil.ReadServerText(plain)
		if err != nil {
			t.Fatal(err)
		}
		if _, words, _ := strings.Cut(want, " "); !strings.Contains(string(text), words) || !strings.Contains(string(text), `"mine"`) {
			t.Errorf("plain: %s, want %s", text, words)
		}

		s.paused = func() time.Duration { return late }
		r := httptest.NewRequest("POST", "/api/command", strings.NewReader(`{"consumer": "dome", "command_string": "open"}`))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.Admin().ServeHTTP(w, r)
		var answer apiError
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		if got := answer.Code + " " + answer.Error; w.Code != 503 || got != want {
			t.Errorf("over HTTP: %d %s, want 503 %s", w.Code, got, want)
		}
	}
	if n := s.hub.Inflight.Len(); n != 0 {
		t.Errorf("%d commands are under way", n)
	}
}

func TestACommandThatWaitsForTheHelloCanBeLate(t *testing.T) {
	s := newHarness(t)
	held := make(chan struct{})
	s.hub.Do(func() { <-held }) // the hello waits
	l := s.dial()
	testkit.Eventually(t, testkit.Patience, "it has connected", func() error {
		if len(s.clients()) == 0 {
			return errors.New("not yet")
		}
		return nil
	})
	s.receive(true, `{"op": "command", "id": "a", "consumer": "dome", "command_string": "open"}`, 8200*time.Millisecond)
	close(held)
	s.await(l, "hello")
	if m := s.await(l, "error"); m["message"] != lateMessage || m["code"] != "expired" {
		t.Errorf("the answer is %v", m)
	}
}

// clients returns the bridge's clients.
func (s *bridgeHarness) clients() (all []*client) {
	s.engine.Each(func(_ engine.Conn, v any) { all = append(all, v.(*client)) })
	return all
}

// The message was read, and waited within the bridge.
func TestACommandThatWaitedInTheBridgeIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := incoming{receivedAt: time.Now()}
		time.Sleep(sendWithin)
		if err := tooLate(in, sendWithin, time.Time{}); err != nil {
			t.Errorf("in time: %v", err)
		}
		time.Sleep(time.Second)
		if err := tooLate(in, sendWithin, time.Time{}); err == nil || !strings.Contains(err.Error(), "waited at the bridge for 1.9 s") {
			t.Errorf("late: %v", err)
		}
	})
}

func TestAnExpiredCommandIsRefusedWithItsLateness(t *testing.T) {
	s := newHarness(t)
	l := s.connect()
	past := time.Now().Add(-2300 * time.Millisecond).UTC().Format(time.RFC3339Nano)
	for _, form := range []string{`{`, `{"op": "command", "id": "a", `} {
		s.tell(l, fmt.Sprintf(form+`"consumer": "dome", "command_string": "open", "expires_at": %q}`, past))
		if m := s.await(l, "error"); m["code"] != "expired" || !strings.Contains(fmt.Sprint(m["message"]), "it expired 2.") {
			t.Errorf("the answer is %v", m)
		}
	}
	s.tell(l, fmt.Sprintf(`{"consumer": "dome", "command_string": "open", "expires_at": %d}`, time.Now().Unix()+10))
	if m := s.await(l, "error"); m["code"] != "away" {
		t.Errorf("in time it is not sent because of %v", m)
	}
	s.tell(l, `{"consumer": "dome", "command_string": "open", "expires_at": []}`)
	if m := s.await(l, "error"); m["code"] != "bad_request" {
		t.Errorf("the answer is %v", m)
	}
}

func TestATimeoutRunsFromTheExpiryOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := protocol.Fields{"timeout_ms": json.RawMessage("1000")}
		for ahead, want := range map[time.Duration]time.Duration{5 * time.Second: 6 * time.Second, -time.Second: time.Second} {
			if got, err := parseTimeout(f, &outgoing{expires: time.Now().Add(ahead)}); got != want || err != nil {
				t.Errorf("%v ahead: %v, %v, want %v", ahead, got, err, want)
			}
		}
		if got, err := parseTimeout(protocol.Fields{}, &outgoing{}); got != hub.MaxWait || err != nil {
			t.Errorf("without both: %v, %v", got, err)
		}
	})
}

func at(remote string) *client {
	c := new(client)
	c.setRemote(remote)
	return c
}

// inFlight returns a command that is registered.
func inFlight(t *testing.T) *outgoing {
	t.Helper()
	s := &outgoing{client: at("10.0.0.1:99")}
	var err error
	if s.flight, err = newHarness(t).hub.Inflight.Add(s.client, hub.CommandKey{ID: "1", Consumer: "dome"}, nil); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheDeadlineOfACommandIsTheEarlierOfItsTwo(t *testing.T) {
	came := time.Now()
	for ahead, want := range map[time.Duration]time.Duration{time.Millisecond: time.Millisecond, time.Minute: sendWithin} {
		s := inFlight(t)
		s.receivedAt, s.expires = came, came.Add(ahead)
		m := s.message(s.client, sendWithin)
		if got := m.Deadline.Sub(came); got != want {
			t.Errorf("with an expiry %v ahead it is %v ahead, want %v", ahead, got, want)
		}
		if m.From != s.client || m.Tenant != s.flight.Party() {
			t.Error("it has no turn of its client's, and of its address's")
		}
	}
}

func TestALongCommandIsNotKeptUntilItsOutcome(t *testing.T) {
	s := inFlight(t)
	s.CommandString = "goto " + strings.Repeat("x", 1<<20)
	if m := s.message(s.client, sendWithin); len(m.Body) < 1<<20 {
		t.Errorf("of the command %d bytes are sent", len(m.Body))
	}
	if len(s.CommandString) > maxVerbScan || firstWord(s.CommandString) != "goto" {
		t.Errorf("%d bytes are kept, with the verb %s", len(s.CommandString), firstWord(s.CommandString))
	}
}

func TestAClientIsGoneUnlessItHasSentACloseFrame(t *testing.T) {
	s := newHarness(t)
	for _, code := range []int{1000, 1005, 1006, 1008, 1013} {
		c := &client{}
		handler{s.Bridge}.Closed(engine.Conn{}, c, code, "")
		if !c.Gone() {
			t.Errorf("closed with %d, and not by its own word: it is there", code)
		}
	}
	polite := &client{}
	polite.commands.Store(1) // it waits for its outcome
	handler{s.Bridge}.Closing(engine.Conn{}, polite)
	handler{s.Bridge}.Closed(engine.Conn{}, polite, 1000, "")
	if polite.Gone() {
		t.Error("its command is not sent, although it has said goodbye")
	}
}

func TestEachCommandIsLoggedAndManyAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		log := slog.New(slog.NewTextHandler(&text, nil))
		b := &Bridge{log: log, commandLog: newCommandLog(log, true)}
		s := &outgoing{client: at("10.0.0.1:99"), receivedAt: time.Now()}
		s.Consumer, s.CommandID, s.CommandString = "dome", "7", " goto\n--password hush"
		time.Sleep(1500 * time.Microsecond)
		b.logCommand(s, "confirmed")
		const want = `level=INFO msg=command consumer=dome command_id=7 client=10.0.0.1:99 verb=goto outcome=confirmed ms=1.5`
		if !strings.Contains(text.String(), want) {
			t.Errorf("the line is %s", text.String())
		}
		for range 2*maxLogged - 1 {
			b.logCommand(s, "confirmed")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if lines := strings.Count(text.String(), "\n"); lines != maxLogged+1 || !strings.Contains(text.String(), `msg="more commands" count=50`) {
			t.Errorf("%d lines:\n%s", lines, text.String())
		}
		time.Sleep(time.Minute)
		text.Reset()
		for range maxLogged + 3 {
			b.logCommand(s, "away")
		}
		b.commandLog.end()
		if !strings.Contains(text.String(), "count=3") {
			t.Errorf("at the end:\n%s", text.String())
		}
	})
}

func TestTheLoggedVerbIsTheFirstWordAndShort(t *testing.T) {
	for text, want := range map[string]string{"": "", " \n ": "", "open": "open", "\topen now": "open", strings.Repeat("x", 99): strings.Repeat("x", 60) + "..."} {
		if got := firstWord(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestUnroutableFailuresAreBoundedForEachAddressAndInAll(t *testing.T) {
	now := time.Unix(1e9, 0)
	r := newFailureRate()
	r.now = func() time.Time { return now }
	count := func(address string) (allowed int) {
		for range 2 * maxFailures {
			if r.allow(address) {
				allowed++
			}
		}
		return allowed
	}
	for i := range maxFailures / maxAddressFailures {
		if got := count(fmt.Sprint(i)); got != maxAddressFailures {
			t.Errorf("address %d may have %d", i, got)
		}
	}
	if got := count("another"); got != 0 {
		t.Errorf("beyond all, %d", got)
	}
	now = now.Add(time.Second)
	if got := count("another"); got != maxAddressFailures || len(r.each) != 1 {
		t.Errorf("a second later it may have %d", got)
	}
}
