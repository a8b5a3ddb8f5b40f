package terminal

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// What an actor or a server says does not act on the terminal, nor end a line.
func FuzzPlain(f *testing.F) {
	for _, seed := range []string{`"open"`, `"\u001b[2J\u009b31m"`, "{\"a\":\n[1, \"\u2028\"]}", "\"\x9b31m\"", "\x1b]0;title\a", `12345678901234567890`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		got := plain(value)
		if strings.ContainsFunc(got, isControl) || !utf8.ValidString(got) {
			t.Errorf("%q is written as %q", value, got)
		}
	})
}

// A pattern that can be read matches the names that it has, and its readings are those of its parts.
func FuzzParsePattern(f *testing.F) {
	for _, seed := range []string{"weather", "weather.wind_*", "mount.axes.0.torque", "lvm.sci.foc.temp", "[", "a..b", `\`, "a.[b-", "*.?"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePattern(text)
		if err != nil {
			return
		}
		readings := p.readings()
		if len(readings) != strings.Count(text, ".")+1 {
			t.Errorf("%q has %d readings", text, len(readings))
		}
		for _, r := range readings {
			if again := strings.Join(append(append([]string{r.Actor}, nonEmpty(r.Keyword)...), r.Path...), "."); again != text {
				t.Errorf("%q is read as %q", text, again)
			}
		}
		if bare := !strings.ContainsAny(text, `*?[\`); bare && !p.matches(p.Actor, p.Keyword) {
			t.Errorf("%q does not match what it names", text)
		}
	})
}

func nonEmpty(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}
