package wsclient

import "encoding/json"

// The types below are answers of the bridge as docs/protocol.md describes them. Their times are texts, by the bridge's clock.

// ActorEntry is an actor that has sent replies.
type ActorEntry struct {
	Name       string  `json:"name"`
	Time       string  `json:"time"`
	Code       string  `json:"code"`
	Seq        *uint64 `json:"seq"`
	IntervalMS *int64  `json:"interval_ms"` // nil if it has no rhythm
	Consumer   *bool   `json:"consumer"`    // nil if it is not known
	Keywords   int     `json:"keywords"`
}

// CommandEntry is a command of anybody.
type CommandEntry struct {
	CommandID     string  `json:"command_id"`
	Consumer      string  `json:"consumer"`
	CommandString *string `json:"command_string"`
	Cut           bool    `json:"cut"`
	Commander     *string `json:"commander"`
	Client        *string `json:"client"`
	State         string  `json:"state"`
	Began         *string `json:"began"`
	Ended         *string `json:"ended"`
	MessageCode   *string `json:"message_code"`
	Message       *string `json:"message"`
	Replies       *int    `json:"replies"`
	Seq           *uint64 `json:"seq"`
}

// Problem is something that is wrong with an actor.
type Problem struct {
	Actor   string  `json:"actor"`
	Key     string  `json:"key"`
	Kind    string  `json:"kind"`
	Level   string  `json:"level"`
	Code    *string `json:"code"`
	Text    string  `json:"text"`
	Keyword *string `json:"keyword"`
	Began   string  `json:"began"`
	Time    string  `json:"time"`
	Count   int     `json:"count"`
	Seq     *uint64 `json:"seq"`
	Active  *bool   `json:"active"`
	Acked   *Acked  `json:"acked"`
}

// Acked says who has acknowledged a problem.
type Acked struct {
	By   *string `json:"by"`
	Time string  `json:"time"`
}

// Model is what an actor tells of its commands and keywords.
type Model struct {
	Actor    string                  `json:"actor"`
	State    string                  `json:"state"` // known, partial, none or asking
	Asked    string                  `json:"asked"`
	Source   *string                 `json:"source"`
	Commands []ModelCommand          `json:"commands"`
	Keywords map[string]ModelKeyword `json:"keywords"`
	Problem  *string                 `json:"problem"`
}

// ModelCommand is a command of an actor, or a group of commands.
type ModelCommand struct {
	Name       string         `json:"name"`
	Help       string         `json:"help"`
	Deprecated bool           `json:"deprecated"`
	Hidden     bool           `json:"hidden"`
	Unread     bool           `json:"unread"`
	Params     []ModelParam   `json:"params"`
	Commands   []ModelCommand `json:"commands"`
}

// ModelParam is an argument or an option of a command.
type ModelParam struct {
	Name     string          `json:"name"`
	Kind     string          `json:"kind"` // argument or option
	Opts     []string        `json:"opts"`
	OffOpts  []string        `json:"off_opts"`
	Type     string          `json:"type"`
	Choices  []string        `json:"choices"`
	Min      *json.Number    `json:"min"`
	Max      *json.Number    `json:"max"`
	MinOpen  bool            `json:"min_open"`
	MaxOpen  bool            `json:"max_open"`
	Required bool            `json:"required"`
	Nargs    int             `json:"nargs"`
	Multiple bool            `json:"multiple"`
	Default  json.RawMessage `json:"default"`
	Flag     bool            `json:"flag"`
	Count    bool            `json:"count"`
	Help     string          `json:"help"`
}

// ModelKeyword is what is known of a keyword.
type ModelKeyword struct {
	Type        string                  `json:"type"`
	Unit        string                  `json:"unit"`
	UnitFrom    string                  `json:"unit_from"`
	Description string                  `json:"description"`
	Min         *json.Number            `json:"min"`
	Max         *json.Number            `json:"max"`
	Enum        []json.RawMessage       `json:"enum"`
	Members     map[string]ModelKeyword `json:"members"`
	Items       json.RawMessage         `json:"items"`
}

// Site is what the operator configured about the observatory.
type Site struct {
	Title      string                 `json:"title"`
	Keywords   map[string]SiteKeyword `json:"keywords"`
	Conditions []SiteCondition        `json:"conditions"`
	Pins       map[string][]string    `json:"pins"`
	Dangerous  []CommandRule          `json:"dangerous"`
	Boards     json.RawMessage        `json:"boards"`
}

// SiteKeyword describes a keyword, and the limits beyond which there is a problem.
type SiteKeyword struct {
	Unit         string       `json:"unit"`
	Description  string       `json:"description"`
	Low          *json.Number `json:"low"`
	High         *json.Number `json:"high"`
	LowCritical  *json.Number `json:"low_critical"`
	HighCritical *json.Number `json:"high_critical"`
}

// SiteCondition raises a problem while its expression holds.
type SiteCondition struct {
	Name  string `json:"name"`
	When  string `json:"when"`
	Level string `json:"level"`
	Text  string `json:"text"`
}

// CommandRule selects commands: globs of consumers and verbs. One that is nil is all.
type CommandRule struct {
	Consumer []string `json:"consumer"`
	Verb     []string `json:"verb"`
}
