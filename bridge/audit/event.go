package audit

import (
	"encoding/json"
	"time"
)

// Who is the client that an event is about, and who it is known to be.
type Who struct {
	Name       string `json:"name"`                 // of the principal; "" for an anonymous client
	Source     string `json:"source,omitempty"`     // how it was identified
	Role       string `json:"role,omitempty"`       // that its grants come from
	Credential string `json:"credential,omitempty"` // id of the credential, never the credential
	Client     string `json:"client,omitempty"`     // id of the connection
	Remote     string `json:"remote,omitempty"`     // address, or unix
}

// Entered is a client that was let in, or was identified anew on its open connection.
type Entered struct {
	Who
	Path    string    `json:"path,omitempty"`   // without the query, which may hold a credential
	Origin  string    `json:"origin,omitempty"` // of the page
	Renewed bool      `json:"renewed,omitempty"`
	Expires time.Time `json:"expires,omitzero"`
}

// Refused is something that a client was not let do, entering included.
type Refused struct {
	Who
	Door     string `json:"door"` // what was asked: enter, command, room, publish, clients, admin, ...
	Path     string `json:"path,omitempty"`
	Consumer string `json:"consumer,omitempty"`
	// CommandString and CommandID are those of a refused command.
	CommandString string `json:"command_string,omitempty"`
	CommandID     string `json:"command_id,omitempty"`
	// Bytes is the length of a command string that is cut; it is set by the log.
	Bytes  int    `json:"command_bytes,omitempty"`
	Status int    `json:"status,omitempty"` // of HTTP
	Code   string `json:"code,omitempty"`   // the reason in one word
	Rule   string `json:"rule,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Command is a command that is about to be sent.
type Command struct {
	Who
	Consumer      string `json:"consumer"`
	CommandString string `json:"command_string"`
	CommandID     string `json:"command_id"`
	Rule          string `json:"rule,omitempty"` // that allows it
	// Bytes is the length of a command string that is cut; it is set by the log.
	Bytes int `json:"command_bytes,omitempty"`
}

// CommandEnd is how a command ended.
type CommandEnd struct {
	Command
	// Outcome is sent, the code of the error, or the status of a tracked command.
	Outcome string
	// Took is the time since the command was received.
	Took time.Duration
}

// Acknowledged is an acknowledgement of an actor's problems that is about to be published.
type Acknowledged struct {
	Who
	Actor string   `json:"actor"`
	Keys  []string `json:"keys"`
	Rule  string   `json:"rule,omitempty"` // that allows it
}

// Changed is a connected client whose grants have changed.
type Changed struct {
	Who
	Reason string          `json:"reason"`             // reload, renewed, callback
	Lost   []string        `json:"lost,omitempty"`     // subscriptions that it lost, by id
	Grants json.RawMessage `json:"grants,omitempty"`   // as they are now
	Was    string          `json:"role_was,omitempty"` // role that its grants came from
}

// Kicked is a connection that the bridge closed: by an operator, or because its credential
// expired or was revoked.
type Kicked struct {
	Who
	Code  string        // kicked, expired, revoked
	By    string        // name of the principal that asked; "" is the bridge itself
	Block time.Duration // for how long it may not come back
}

// Reloaded is a configuration file that was read again.
type Reloaded struct {
	Changed []string `json:"changed,omitempty"` // sections and flags that changed
	Kept    []string `json:"kept,omitempty"`    // those that change at the next start
	Error   string   `json:"error,omitempty"`   // why the file cannot be used, and nothing changed
}

// Entered records a client that was let in.
func (l *Log) Entered(e Entered) { l.record("entered", e) }

// Acknowledged records that a client acknowledges problems.
func (l *Log) Acknowledged(e Acknowledged) { l.record("acknowledged", e) }

// Changed records that the grants of a client changed.
func (l *Log) Changed(e Changed) { l.record("changed", e) }

// Reloaded records that the configuration was read again.
func (l *Log) Reloaded(e Reloaded) { l.record("reloaded", e) }

// Kicked records a connection that the bridge closed.
func (l *Log) Kicked(e Kicked) {
	l.record("kicked", struct {
		Who
		Code  string `json:"code"`
		By    string `json:"by,omitempty"`
		Block string `json:"block,omitempty"`
	}{e.Who, e.Code, e.By, spanText(e.Block)})
}

// CommandEnd records how a command ended.
func (l *Log) CommandEnd(e CommandEnd) {
	l.record("command_end", struct {
		Command
		Outcome string  `json:"outcome"`
		MS      float64 `json:"ms"`
	}{l.fit(e.Command), e.Outcome, float64(e.Took.Microseconds()) / 1000})
}

// Command records a command that is about to be sent, and then calls a function, exactly once.
// If its error is not nil, the log is required and does not have the command, which must then
// not be sent; the error is a sentence for the client. Functions are called in the order of the
// commands, and must not block: at once, unless the log is required, and otherwise mostly on a
// goroutine of the log.
func (l *Log) Command(e Command, then func(error)) {
	switch {
	case l == nil:
		then(nil)
	case !l.cfg.Required:
		l.record("command", l.fit(e))
		then(nil)
	default:
		l.require("command", l.fit(e), then)
	}
}

func spanText(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}
