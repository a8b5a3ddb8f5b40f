package bridge

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestWorkersRunABoundedNumberInOrder(t *testing.T) {
	w := workers{max: 2, maxWaiting: 2}
	release, began := make(chan struct{}), make(chan int, 10)
	accepted := 0
	for i := range 6 {
		if w.do(func() { began <- i; <-release }) {
			accepted++
		}
	}
	if accepted != 4 {
		t.Errorf("%d of 6 are accepted, want 2 that run and 2 that wait", accepted)
	}
	first := testkit.Receive(t, began) + testkit.Receive(t, began)
	if first != 0+1 || len(began) > 0 {
		t.Errorf("others than the first two began")
	}
	release <- struct{}{}
	if i := testkit.Receive(t, began); i != 2 {
		t.Errorf("then %d began", i)
	}
	close(release)
	testkit.Receive(t, began)
	testkit.WaitUntil(t, "the workers have ended", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.running == 0
	})
}

func TestAPanicOfADecisionIsLoggedAndRefuses(t *testing.T) {
	var log logBuffer
	b := &Bridge{log: slog.New(slog.NewTextHandler(&log, nil))}
	b.guarded("a decision", func() { panic("oops") })
	if !strings.Contains(log.String(), "oops") {
		t.Errorf("the log is %s", &log)
	}
}

func TestOnlySoManyNamesAreBlocked(t *testing.T) {
	var clock testkit.Clock
	l := blockList{now: clock.Now}
	for i := range maxBlocks {
		if !l.add(strings.Repeat("x", i+1), maxBlock) {
			t.Fatalf("number %d is not blocked", i)
		}
	}
	if l.add("one more", maxBlock) {
		t.Error("there is no bound")
	}
	clock.Pass(maxBlock)
	if !l.add("one more", maxBlock) || len(l.until) != 1 {
		t.Errorf("%d blocks are left after their time", len(l.until))
	}
	if l.refusal(&access.Principal{Name: "x"}) != nil || l.refusal(&access.Principal{Name: "one more"}) == nil {
		t.Error("the wrong names are blocked")
	}
}

func FuzzAuth(f *testing.F) {
	for _, text := range []string{`{"op":"auth","token":"a"}`, `{"op":"auth","id":"x","ticket":"b"}`, `{"op":"auth","token":"a","ticket":"b"}`, `{"op":"auth","token":1}`, `{"token":"a","token":""}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		fields, err := protocol.Parse(text)
		if err != nil {
			return
		}
		credential, err := readCredential(fields)
		if (err == nil) != (credential != "") || len(credential) > maxCredential {
			t.Errorf("%q, %v", credential, err)
		}
		if err != nil && credential != "" {
			t.Error("a credential is returned with an error")
		}
	})
}

func FuzzKick(f *testing.F) {
	for _, text := range []string{`{"name":"a","block":"10m"}`, `{"client":"b-1"}`, `{"id":"x","name":"y"}`, `{"name":"a","block":"9999999h"}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		k, wrong := readKick(text)
		if wrong != nil {
			return
		}
		given := 0
		for _, v := range []string{k.name, k.client, k.id} {
			if v != "" {
				given++
			}
		}
		if given != 1 || k.block < 0 || k.block > maxBlock {
			t.Errorf("%s is read as %+v", text, k)
		}
	})
}
