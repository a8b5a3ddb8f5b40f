package access

import (
	"encoding/json"
	"os"
	"testing"
)

// tableAction is an action as clu.js names it. One of its fields is set.
type tableAction struct {
	Command *struct {
		Consumer string  `json:"consumer"`
		String   *string `json:"command_string"` // nil is any command, which is what it takes to acknowledge problems
	} `json:"command,omitempty"`
	Room    string `json:"room,omitempty"`
	Publish string `json:"publish,omitempty"`
	Clients bool   `json:"clients,omitempty"`
	Admin   bool   `json:"admin,omitempty"`
}

func (a tableAction) request() Request {
	switch {
	case a.Command != nil && a.Command.String == nil:
		return Request{Door: Acknowledge, Consumer: a.Command.Consumer}
	case a.Command != nil:
		return Request{Door: SendCommand, Consumer: a.Command.Consumer, CommandString: *a.Command.String}
	case a.Room != "":
		return Request{Door: EnterRoom, Room: a.Room}
	case a.Publish != "":
		return Request{Door: PublishToRoom, Room: a.Publish}
	case a.Clients:
		return Request{Door: ListClients}
	}
	return Request{Door: Administer}
}

// The same table tests clu.js, which shows what is not granted before anybody tries.
func TestDecisionsAreThoseOfTheTableThatThePageHas(t *testing.T) {
	text, err := os.ReadFile("testdata/decisions.json")
	if err != nil {
		t.Fatal(err)
	}
	var table []struct {
		Grants          json.RawMessage
		Allowed, Denied []tableAction
	}
	if err := json.Unmarshal(text, &table); err != nil || len(table) < 10 {
		t.Fatalf("%d rows: %v", len(table), err)
	}
	for _, row := range table {
		// The page gets the canonical form.
		for _, form := range []json.RawMessage{row.Grants, parse(t, string(row.Grants)).JSON()} {
			p := &Principal{Grants: parse(t, string(form))}
			for want, actions := range map[bool][]tableAction{true: row.Allowed, false: row.Denied} {
				for _, a := range actions {
					if d := p.Decide(a.request()); d.Allowed != want {
						t.Errorf("%s: %+v: %+v", form, a.request(), d)
					}
				}
			}
		}
	}
}
