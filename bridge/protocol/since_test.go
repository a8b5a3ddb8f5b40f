package protocol

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestSinceNamesTheLastReplyThatAClientHasHad(t *testing.T) {
	for text, want := range map[string]Since{
		`{"epoch": "5f0c", "seq": 57}`:      {"5f0c", 57},
		` {"seq": 0.0, "epoch": "\u0061"} `: {"a", 0},
	} {
		var got Since
		if err := got.Read(json.RawMessage(text)); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

func TestAWrongSinceIsExplained(t *testing.T) {
	for text, want := range map[string]string{
		`5`:                              `"since" is a number; write {"epoch": "<text>", "seq": <number>}`,
		`["a"]`:                          `"since" is a list; write`,
		`{"epoch": "a", "sequence": 1}`:  `"since" has no field "sequence"; write`,
		`{"seq": 1}`:                     `"since" needs an "epoch"; write`,
		`{"epoch": 5, "seq": 1}`:         `"since" needs an "epoch"`,
		`{"epoch": "", "seq": 1}`:        `"since" needs an "epoch"`,
		`{"epoch": "a"}`:                 `"since" needs a "seq"; write`,
		`{"epoch": "a", "seq": null}`:    `"since" needs a "seq"`,
		`{"epoch": "a", "seq": -1}`:      `the "seq" in "since" is -1, but must be a whole number; write`,
		`{"epoch": "a", "seq": "1"}`:     `the "seq" in "since" is a string, but must be a whole number`,
		testkit.ObjectWithFields(65):     `"since" has more than 64 fields; write`,
		testkit.ObjectWithFields(64):     `"since" has no field "0"; write`,
		`{"x": 1, "b": 2, "epoch": "a"}`: `"since" has no field "b"`, // the first in alphabetical order, always
	} {
		var s Since
		if err := s.Read(json.RawMessage(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %s", text, err, want)
		}
	}
}
