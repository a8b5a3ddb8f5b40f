package bridge

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

func TestTheFieldsOfARequestForTheLogAreChecked(t *testing.T) {
	for text, want := range map[string]string{
		`{}`:                               ``,
		`{"before": null, "after": null}`:  ``,
		`{"before": 18446744073709551615}`: ``,
		`{"after": 1e3, "limit": 1000, "epoch": "e"}`: ``,
		`{"before": 1, "after": 2}`:                   `leave out "before" or "after"`,
		`{"before": -1}`:                              `"before" is -1, but must be a whole number`,
		`{"before": "5"}`:                             `"before" is a string, but must be a whole number`,
		`{"after": 1.5}`:                              `"after" is 1.5, but must be a whole number`,
		`{"limit": 0}`:                                `limit is 0; it may be from 1 to 1000`,
		`{"limit": 1001}`:                             `limit is 1001; it may be`,
		`{"limit": "all"}`:                            `"limit" is a string, but must be a whole number`,
		`{"epoch": 5}`:                                `"epoch" is a number, but must be a text`,
	} {
		var d hub.LogRequest
		f, err := protocol.Parse([]byte(text))
		if err == nil {
			err = readLog(f, &d)
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func FuzzLogRequest(f *testing.F) {
	f.Add([]byte(`{"before": 5, "limit": 10, "epoch": "x"}`))
	f.Add([]byte(`{"after": 1e19, "limit": 1e2}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		fields, err := protocol.Parse(text)
		if err != nil {
			return
		}
		var d hub.LogRequest
		if readLog(fields, &d) == nil && (d.Limit < 1 || d.Limit > hub.MaxLogLimit || d.Before != nil && d.After != nil) {
			t.Errorf("%s is read as %+v", text, d)
		}
		for name, n := range map[string]*uint64{"before": d.Before, "after": d.After} {
			if n != nil && !json.Valid(fields[name]) {
				t.Errorf("%s: %d is read from %s", text, *n, fields[name])
			}
		}
	})
}
