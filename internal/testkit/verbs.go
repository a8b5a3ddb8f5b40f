package testkit

import (
	_ "embed"
	"encoding/json"
	"strings"
	"testing"
)

//go:embed verbs.py
var verbsScript string

// Verbs returns the command that CLU's own parser runs for each command string, "" if none. The parser knows status,
// open, shutdown, a.b, a_b, op-en and 9, beside CLU's own commands.
func (p *Python) Verbs(t testing.TB, commandStrings []string) (verbs []string) {
	t.Helper()
	given, err := json.Marshal(commandStrings)
	if err != nil {
		t.Fatal(err)
	}
	cmd := p.Command(t, verbsScript)
	cmd.Stdin = strings.NewReader(string(given))
	var wrong strings.Builder
	cmd.Stderr = &wrong
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("CLU's parser: %v\n%s", err, wrong.String())
	}
	if err := json.Unmarshal(out, &verbs); err != nil || len(verbs) != len(commandStrings) {
		t.Fatalf("CLU's parser prints %s (%v)", out, err)
	}
	return verbs
}
