package protocol

import (
	"encoding/json"
	"fmt"

	"github.com/clu-ws/clu-ws/internal/quote"
)

// Since identifies the last reply that a client has received.
type Since struct {
	Epoch string
	Seq   uint64
}

// Read reads {"epoch": "...", "seq": 1}.
func (s *Since) Read(raw json.RawMessage) error {
	const form = `write {"epoch": "<text>", "seq": <number>} of the last reply that you had`
	if Kind(raw) != "an object" {
		return fmt.Errorf(`"since" is %s; %s`, Kind(raw), form)
	}
	f, many := parseObject(raw)
	if many {
		return fmt.Errorf(`"since" has more than %d fields; %s`, maxFields, form)
	}
	for _, name := range f.Names() {
		if name != "epoch" && name != "seq" {
			return fmt.Errorf(`"since" has no field %s; %s`, quote.Text(name), form)
		}
	}
	if f["epoch"] == nil || json.Unmarshal(f["epoch"], &s.Epoch) != nil || s.Epoch == "" {
		return fmt.Errorf(`"since" needs an "epoch"; %s`, form)
	}
	if f["seq"] == nil || string(f["seq"]) == "null" {
		return fmt.Errorf(`"since" needs a "seq"; %s`, form)
	}
	if readUint(f["seq"], &s.Seq) != nil {
		return fmt.Errorf(`the "seq" in "since" is %s, but must be a whole number; %s`, describe(f["seq"]), form)
	}
	return nil
}
