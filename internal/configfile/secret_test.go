package configfile

import (
	"strings"
	"testing"
)

func TestAnErrorShowsNoPartOfASecretThatShouldBeInQuotes(t *testing.T) {
	for _, text := range []string{
		"password: !hunter2\n",
		"password: *hunter2\n",
		"password: |hunter2\n",
		"password: 'a'hunter2'\n",
		"password:\n  hunter2: more\n",
		"password:\n  - hunter2\n",
		"password:\n- hunter2\n",
		"password:\n\n  # a comment\n  a: hunter2\n",
		"pasword: hunter2\n",
		"pass: hunter2\n",
		"access: {callback: {url: 'http://x/', secret: ab,hunter2}}\n",
		"access: {callback: {url: 'http://x/', secret: ab,hunter2: 1}}\n",
		"access: {callback: {url: 'http://x/', secret: ab,hunter2,hunter2}}\n",
		"access:\n  callback:\n    secrets: hunter2\n",
		"access:\n  callback:\n    secret:\n      hunter2: hunter2\n",
	} {
		f := Parse("f", []byte(text))
		for _, s := range f.Settings {
			if s.Name == "password" {
				s.Text(false)
			} else {
				s.Unknown([]string{"password", "name"})
			}
		}
		err := f.Err()
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q:\n%v", text, err)
		}
	}
}

func TestALineIsShownIfNothingAboveItIsSecret(t *testing.T) {
	f := Parse("f", []byte("password: hunter2\nsite:\n  titel: A\n"))
	if got := f.Err(); got == nil || !strings.Contains(got.Error(), "  titel: A\n") {
		t.Errorf("%v", got)
	}
}

func TestOfALongLineTheErrorShowsThePartAroundItsPlace(t *testing.T) {
	f := Parse("f", []byte("site: {title: "+strings.Repeat("x", 500)+", titel: A, "+strings.Repeat("y", 500)+": B}\n"))
	lines := strings.Split(f.Err().Error(), "\n")
	if len(lines[1]) > 150 || lines[1][strings.Index(lines[2], "^"):][:5] != "titel" {
		t.Errorf("it shows\n%s\n%s", lines[1], lines[2])
	}
}

func TestAByteOrderMarkIsNoPartOfTheFirstKey(t *testing.T) {
	f := Parse("f", []byte("\ufeffname: bridge\r\nsite: {title: A}\r\n"))
	if err := f.Err(); err != nil || f.Settings[0].Name != "name" || f.Site.Title != "A" {
		t.Errorf("%v, %+v", err, f)
	}
}

func TestAControlCharacterIsRefusedWithItsPlace(t *testing.T) {
	for _, c := range []string{"\x00", "\x1b", "\x7f", "\u009b"} {
		if err := Parse("f", []byte("a: b\nname: ü"+c+"c\n")).Err(); err == nil || !strings.HasPrefix(err.Error(), "f:2:8: a control character") {
			t.Errorf("%q: %v", c, err)
		}
	}
}

func TestAnErrorOfAKeyThatIsMissingNamesIt(t *testing.T) {
	f := Parse("f", []byte("access: {jwt: [{audience: x}]}\n"))
	err := f.At("access.jwt[0].issuer", errWanted)
	if !strings.HasPrefix(err.Error(), "f:1:16: access.jwt[0].issuer: is wanted") {
		t.Errorf("%v", err)
	}
	if err := f.At("access.jwt[0].audience", errWanted); !strings.HasPrefix(err.Error(), "f:1:27: is wanted") {
		t.Errorf("%v", err)
	}
}

type wanted string

func (w wanted) Error() string { return string(w) }

const errWanted = wanted("is wanted")
