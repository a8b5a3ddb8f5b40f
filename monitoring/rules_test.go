package monitoring

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/clu-ws/clu-ws/internal/eventlog"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// alert is a rule of clu-ws.rules.yaml.
type alert struct {
	Alert       string
	Expr        string
	Labels      map[string]string
	Annotations struct{ Summary, Action string }
}

func alerts(t *testing.T) (all []alert) {
	t.Helper()
	var file struct{ Groups []struct{ Rules []alert } }
	if err := yaml.Unmarshal([]byte(read(t, "clu-ws.rules.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	if len(all) == 0 {
		t.Fatal("there are no alerts")
	}
	return all
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheAlertsFireWhenTheyShouldAndNotOtherwise(t *testing.T) {
	for _, args := range [][]string{{"check", "rules", "clu-ws.rules.yaml"}, {"test", "rules", "clu-ws.rules_test.yaml"}} {
		if out, err := testkit.Promtool(t, "", args...); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// Whoever an alert wakes up learns what is wrong and what to do about it; that it fires is tested; docs/operating.md
// names it.
func TestEachAlertIsExplainedAndTested(t *testing.T) {
	tests, page := read(t, "clu-ws.rules_test.yaml"), read(t, "../docs/operating.md")
	names := map[string]bool{}
	for _, a := range alerts(t) {
		names[a.Alert] = true
		if a.Annotations.Summary == "" || a.Annotations.Action == "" {
			t.Errorf("%s has no summary or no action", a.Alert)
		}
		if s := a.Labels["severity"]; s != "page" && s != "ticket" {
			t.Errorf("the severity of %s is %q", a.Alert, s)
		}
		if !strings.Contains(tests, `alertname="`+a.Alert+`"`) {
			t.Errorf("nothing tests that %s fires", a.Alert)
		}
		if !strings.Contains(page, "`"+a.Alert+"`") {
			t.Errorf("docs/operating.md does not name %s", a.Alert)
		}
	}
	for _, m := range regexp.MustCompile("`((?:CluWs|Actor)[A-Z][A-Za-z]+)`").FindAllStringSubmatch(page, -1) {
		if !names[m[1]] {
			t.Errorf("docs/operating.md names the alert %s, which does not exist", m[1])
		}
	}
}

// The events that alerts tell to look for are in the log, and the sections of the page exist.
func TestTheAlertsPointAtEventsAndSectionsThatExist(t *testing.T) {
	events := ""
	for _, e := range eventlog.Entries() {
		events += "event=" + e.Event + "\n"
	}
	rules, page := read(t, "clu-ws.rules.yaml"), read(t, "../docs/operating.md")
	for _, event := range regexp.MustCompile(`event=[a-z_]+`).FindAllString(rules, -1) {
		if !strings.Contains(events, event) {
			t.Errorf("an alert points at %s, which does not exist", event)
		}
	}
	for _, m := range regexp.MustCompile(`See "([^"]+)" in docs/operating.md`).FindAllStringSubmatch(rules, -1) {
		if !strings.Contains(page, "### "+m[1]+"\n") {
			t.Errorf("an alert points at the section %q, which does not exist", m[1])
		}
	}
}
