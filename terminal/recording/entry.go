package recording

import (
	"encoding/json"
	"time"
)

// Version is the version of the format.
const Version = 1

// Header is the first line.
type Header struct {
	Version       int       `json:"clu_ws_recording"`
	URL           string    `json:"url,omitempty"` // of the bridge, without a credential
	Bridge        string    `json:"bridge"`
	BridgeVersion string    `json:"bridge_version"`
	Epoch         string    `json:"epoch"`
	Start         time.Time `json:"start"` // by the bridge's clock
}

// The kinds of lines beside envelopes.
const (
	OpGap     = "gap"     // replies may be missing
	OpDropped = "dropped" // the bridge left replies out, since they were read too slowly
	OpLink    = "link"    // the connection was lost, or is there again
)

// Note is a line that is no envelope.
type Note struct {
	Op      string   `json:"op"`
	Seconds *float64 `json:"seconds,omitempty"` // of a gap; nil if its beginning is not known
	Count   int      `json:"count,omitempty"`   // of replies that were left out
	Up      *bool    `json:"up,omitempty"`      // of a link
	Reason  string   `json:"reason,omitempty"`
	Heard   int64    `json:"heard"`
}

// Entry is a line after the first.
type Entry struct {
	Heard    time.Time       // zero if the line does not say
	Envelope json.RawMessage // nil for a note
	Note     Note
}

// entryOf reads a line.
func entryOf(line []byte) (Entry, error) {
	var n Note
	if err := json.Unmarshal(line, &n); err != nil {
		return Entry{}, err
	}
	var e Entry
	if n.Heard > 0 {
		e.Heard = time.UnixMicro(n.Heard)
	}
	if n.Op == "" {
		e.Envelope = line
	} else {
		e.Note = n
	}
	return e, nil
}
