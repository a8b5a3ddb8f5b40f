package bridge_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/rooms"
)

var metricName = regexp.MustCompile(`cluws_[a-z_]+`)

// docs/operating.md explains every metric, and names none that does not exist.
func TestTheOperatingPageListsEveryMetric(t *testing.T) {
	page, err := os.ReadFile("../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	everything, err := filter.Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := linked(t, embeddedBroker(t), withHistory, func(c *bridge.Config) {
		c.Presence = "who"
		c.KeywordHistory, c.Export = 1<<20, everything
		c.Access = withCallback(t)
		c.Sources = []rooms.Source{{Exchange: "live"}}
		c.CertificateEnd = time.Now
		withShouting(new(shouting))(c)
		made := c.Dialects[0].New
		c.Dialects[0].New = func(h dialect.Host) (dialect.Dialect, error) {
			_, err := h.NewPublisher("status")
			if err != nil {
				return nil, err
			}
			return made(h)
		}
	})
	help := regexp.MustCompile(`(?m)^# HELP (cluws_[a-z_]+)`)
	var exported []string
	_, keywords := b.admin(t, "/metrics/keywords")
	for _, m := range help.FindAllStringSubmatch(b.metrics(t)+keywords, -1) {
		exported = append(exported, m[1])
	}
	listed := metricName.FindAllString(string(page), -1)
	slices.Sort(listed)
	for _, name := range exported {
		if !slices.Contains(listed, name) {
			t.Errorf("docs/operating.md does not list %s", name)
		}
	}
	for _, name := range slices.Compact(listed) {
		if !slices.Contains(exported, name) {
			t.Errorf("docs/operating.md lists %s, which does not exist", name)
		}
	}
}

// withCallback is access control in which everybody may enter, and a callback may be asked.
func withCallback(t *testing.T) *access.Authority {
	t.Helper()
	a, err := access.New(access.Config{
		Roles: map[string]json.RawMessage{"all": json.RawMessage(`{"hear": [{}]}`)}, Anonymous: "all",
		Callback: &access.CallbackConfig{URL: "https://app.example/login"},
	}, access.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}
