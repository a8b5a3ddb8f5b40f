package access

import (
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// CLU's own parser says which command a string runs. A verb that is known is that command, or one
// that the parser does not know; and nothing that is forbidden gets past the rule by being spelled
// in another way.
func TestAVerbIsTheCommandThatCLURuns(t *testing.T) {
	var texts []string
	for _, verb := range []string{"status", "open", "shutdown", "a.b", "a_b", "op-en", "9"} {
		for _, form := range []string{
			"V", "V now", "V --fast", "V\tx", "V\nstatus", `"V"`, `'V' x`, ` V`, "\tV", `\V`, `""V`, "-- V", "-- -- V", "--x V", "-x V", "--", "-V",
			"V;status", "V\x0bx", "V\u00a0x", "V\u0085x", "V\u2028x", "V\x0cx", "\ufeffV", "V\rstatus", "status\nV", "#x\nV", "Vé", "V\x00", "V --help", "--help V", "help V", `V "`, `V\`, "status V", "V,", "#V", "V#", "$V", "{V}",
		} {
			texts = append(texts, strings.ReplaceAll(form, "V", verb))
		}
		half := len(verb) / 2
		texts = append(texts, verb[:half]+`"`+verb[half:]+`"`, verb[:half]+`\`+verb[half:], verb[:half]+`''`+verb[half:], strings.ToUpper(verb), verb[:half])
	}
	texts = append(texts, "", " ", "help", "helpful", "ping", "--help")
	p := &Principal{Grants: parse(t, `{"command": [{}], "forbid": [{"verb": "shutdown"}]}`)}
	ran := testkit.CLU(t).Verbs(t, texts)
	runs := 0
	for i, text := range texts {
		verb, known := Verb(text)
		if ran[i] != "" {
			runs++
		}
		// CLU runs help for whatever contains --help or begins with help.
		if known && ran[i] != "" && ran[i] != verb && ran[i] != "help" {
			t.Errorf("%q has the verb %q, but CLU runs %q", text, verb, ran[i])
		}
		if d := p.Decide(Request{Consumer: "dome", CommandString: text}); d.Allowed && ran[i] == "shutdown" {
			t.Errorf("%q runs shutdown, and is allowed", text)
		}
	}
	if runs < 60 {
		t.Errorf("CLU runs only %d of %d", runs, len(texts))
	}
}
