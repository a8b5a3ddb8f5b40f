package access

import (
	"fmt"
	"strings"
)

// allowedText says in words what grants allow, for the refusal of anything else. It is made
// once: a client may be refused many times a second.
type allowedText struct{ commands, rooms, publish string } // "" is nothing

// inWords returns what the grants allow in words.
func (g *Grants) inWords() (a allowedText) {
	a.rooms, a.publish = series(sortedRooms(g.rooms)), series(sortedRooms(g.publish))
	if len(g.command) == 0 {
		return a
	}
	a.commands = strings.Join(inWords(g.command), ", and ")
	if len(g.forbid) > 0 {
		a.commands += "; forbidden: " + strings.Join(inWords(g.forbid), ", and ")
	}
	return a
}

func inWords(rules []commandRule) (words []string) {
	for i := range rules {
		words = append(words, rules[i].String())
	}
	return shortened(words)
}

// String says which commands a rule selects, such as: dome and mount (status, open).
func (r *commandRule) String() string {
	f := r.form()
	text := "every actor"
	if len(f.Consumer) > 0 && f.Consumer[0] != "*" {
		text = series(f.Consumer)
	}
	if len(f.Verb) > 0 {
		text += " (" + strings.Join(shortened(f.Verb), ", ") + ")"
	}
	return text
}

// series joins words as in a sentence. Of many, it leaves some out.
func series(words []string) string {
	words = shortened(words)
	if last := len(words) - 1; last > 0 {
		return strings.Join(words[:last], ", ") + " and " + words[last]
	}
	return strings.Join(words, "")
}

// shortened returns the first words, and how many more there are.
func shortened(words []string) []string {
	const most = 8
	if len(words) <= most {
		return words
	}
	return append(append([]string{}, words[:most-1]...), fmt.Sprintf("%d more", len(words)-most+1))
}
