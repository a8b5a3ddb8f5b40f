package site

import (
	"time"
)

// Config is the section "site" of the configuration file. The keys are given by the tags.
type Config struct {
	// Title is the observatory's name.
	Title string `json:"title"`
	// Keywords describes keywords, by ACTOR.KEYWORD.
	Keywords map[string]Keyword `json:"keywords"`
	// Conditions say when something is wrong.
	Conditions []ConditionConfig `json:"conditions"`
	// Pins are the keywords of each actor that the overview shows.
	Pins map[string][]string `json:"pins"`
	// Dangerous are the commands that a page asks about before it sends them.
	Dangerous []Dangerous `json:"dangerous"`
	// Boards are saved views.
	Boards Boards `json:"boards"`
}

// Keyword describes a keyword. Limits that are nil do not apply.
type Keyword struct {
	Unit        string `json:"unit,omitempty"`
	Description string `json:"description,omitempty"`
	// Below Low and above High, the value is a warning; beyond the others it is critical.
	Low          *float64 `json:"low,omitempty"`
	High         *float64 `json:"high,omitempty"`
	LowCritical  *float64 `json:"low_critical,omitempty"`
	HighCritical *float64 `json:"high_critical,omitempty"`
}

// ConditionConfig is a condition as it is written.
type ConditionConfig struct {
	Name string `json:"name"`
	// When is the expression; see the package.
	When string `json:"when"`
	// Level is warn, error or critical. "" is error.
	Level string `json:"level"`
	// Text is what the operator reads. "" is the expression.
	Text string `json:"text"`
	// For is how long the expression must be true before the problem is raised.
	For time.Duration `json:"for"`
}

// Dangerous selects commands by consumer and verb, which are globs. A nil list is no constraint.
type Dangerous struct {
	Consumer []string `json:"consumer,omitempty"`
	Verb     []string `json:"verb,omitempty"`
}

// Boards are boards in the file itself, or those in the files of a folder.
type Boards struct {
	// Dir is the folder with a file for each board; "" is none.
	Dir string
	// Files are the files that were read, for those who watch for changes.
	Files []string
	// List has all boards.
	List []Board
}

// Board is a saved view.
type Board struct {
	// Name is its name in the URL; that of a file is the file's name without its extension.
	Name  string `json:"name"`
	Title string `json:"title,omitempty"`
	Items []Item `json:"items"`
}

// Item is a part of a board: one of a plot, a table of keywords, a log and an actor.
type Item struct {
	// Plot has keywords, and Range how long it reaches back, such as 6h.
	Plot  []string `json:"plot,omitempty"`
	Range string   `json:"range,omitempty"`
	// Keywords has keywords.
	Keywords []string `json:"keywords,omitempty"`
	// Log is a search in the log, as in the URL of the page.
	Log string `json:"log,omitempty"`
	// Actor is the name of an actor.
	Actor string `json:"actor,omitempty"`
}

// Level is how bad a problem is. The zero Level is none.
type Level uint8

// The levels, in their order.
const (
	None Level = iota
	Warn
	Error
	Critical
)

var levelNames = [...]string{"none", "warn", "error", "critical"}

// String returns the level as the configuration and clients have it.
func (l Level) String() string { return levelNames[l] }

// Lighter returns the next lower level.
func (l Level) Lighter() Level { return max(l, 1) - 1 }

// parseLevel returns the level of a name.
func parseLevel(name string) (Level, bool) {
	for l := Warn; l <= Critical; l++ {
		if levelNames[l] == name {
			return l, true
		}
	}
	return None, false
}
