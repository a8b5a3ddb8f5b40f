package complete

import (
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/bridge/model"
	"github.com/clu-ws/clu-ws/internal/shlex"
)

// Candidate is a word that could stand here.
type Candidate struct {
	Text   string // as it is written in a line, with quotes if it needs them
	Detail string // what it is, in words
}

// Completion is what could follow.
type Completion struct {
	From       int    // where in the line the word begins that a candidate replaces; it ends with the line
	Typed      string // what is there of the word, without its quotes
	Candidates []Candidate
	Hint       string // what is expected here, such as "ANGLE: a number from 0 to 90", or ""
}

// Source is what is known of the actors.
type Source struct {
	Actors []string
	// Commands returns the commands of an actor's model, none if it is not known.
	Commands func(actor string) []model.Command
}

// common are the commands that every CLU actor has.
var common = []string{"status", "ping", "version", "help"}

// Line completes a line that begins with the name of an actor.
func Line(line string, source Source) Completion {
	before, c := split(line)
	if len(before) == 0 {
		for _, name := range source.Actors {
			c.Candidates = append(c.Candidates, Candidate{Text: name})
		}
		return c.ranked()
	}
	return c.command(source.Commands(before[0]), before[1:])
}

// Command completes a command string for an actor with these commands.
func Command(line string, commands []model.Command) Completion {
	before, c := split(line)
	return c.command(commands, before)
}

// split returns the words before the one that is completed, which is at the end of the line.
func split(line string) (before []string, c Completion) {
	words, open := shlex.Lex(line)
	c.From = len(line)
	if n := len(words); n > 0 && (open != 0 || words[n-1].End == len(line)) {
		c.From, c.Typed = words[n-1].Start, words[n-1].Text
		words = words[:n-1]
	}
	for _, w := range words {
		before = append(before, w.Text)
	}
	return before, c
}

func (c Completion) command(commands []model.Command, before []string) Completion {
	if len(commands) > 0 {
		c.Candidates, c.Hint = follow(commands, before, c.Typed)
	} else if len(before) == 0 {
		for _, name := range common {
			c.Candidates = append(c.Candidates, Candidate{name, "every CLU actor has it"})
		}
	}
	return c.ranked()
}

// ranked returns the candidates that begin with what was typed, then those that have it inside, each in their order.
func (c Completion) ranked() Completion {
	want := strings.ToLower(c.Typed)
	var begin, inside []Candidate
	for _, one := range c.Candidates {
		switch strings.Index(strings.ToLower(strings.TrimLeft(one.Text, `'"`)), want) {
		case -1:
		case 0:
			begin = append(begin, one)
		default:
			inside = append(inside, one)
		}
	}
	c.Candidates = slices.Concat(begin, inside)
	return c
}

// Common returns the longest beginning that all candidates share that begin with what was typed, and whether it is the
// only one of them. It is "" if none does.
func (c Completion) Common() (text string, whole bool) {
	typed, count := strings.ToLower(c.Typed), 0
	for _, one := range c.Candidates {
		if !strings.HasPrefix(strings.ToLower(strings.TrimLeft(one.Text, `'"`)), typed) {
			continue
		}
		if count++; count == 1 {
			text = one.Text
			continue
		}
		n := 0
		for shared := []rune(one.Text); n < len(shared) && strings.HasPrefix(text, string(shared[:n+1])); n++ {
		}
		text = string([]rune(one.Text)[:n])
	}
	return text, count == 1
}
