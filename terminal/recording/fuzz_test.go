package recording

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"
)

// A recording may be cut short, or damaged: what is whole is read, and each damaged line is told.
func FuzzReader(f *testing.F) {
	const header = `{"clu_ws_recording": 1, "bridge": "b", "bridge_version": "1", "epoch": "e", "start": "2026-11-21T03:38:40Z"}` + "\n"
	for _, seed := range []string{
		"", header, header + `{"headers": {}, "body": {"n": 1}, "heard": 5}` + "\n" + `{"op": "gap", "seconds": 1, "heard": 6}` + "\n" + `{"hea`,
		header + "no JSON\n{}\n\x00\x00", `{"clu_ws_recording": 2}` + "\n", header + `{"heard": -1}` + "\n[]\nnull\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := NewReader(bytes.NewReader(text))
		if err != nil {
			return
		}
		whole := bytes.Count(text, []byte("\n")) - 1
		for read := 0; ; read++ {
			e, err := r.Next()
			if err == io.EOF {
				if read != whole {
					t.Errorf("%d lines were read of %d", read, whole)
				}
				return
			}
			if damaged := (*LineError)(nil); err != nil && (!errors.As(err, &damaged) || damaged.Line != read+2) {
				t.Fatalf("line %d: %v", read+2, err)
			}
			if err == nil && e.Envelope != nil && !json.Valid(e.Envelope) {
				t.Errorf("line %d is an envelope that is not JSON: %q", read+2, e.Envelope)
			}
		}
	})
}
