package bridge

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

func TestAPanicOfADecisionIsLoggedAndRefuses(t *testing.T) {
	var log logBuffer
	b := &Bridge{log: slog.New(slog.NewTextHandler(&log, nil))}
	b.guarded("a decision", func() { panic("oops") })
	if !strings.Contains(log.String(), "oops") {
		t.Errorf("the log is %s", &log)
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
		if given != 1 || k.block < 0 || k.block > access.MaxBlock {
			t.Errorf("%s is read as %+v", text, k)
		}
	})
}
