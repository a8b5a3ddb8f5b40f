package monitoring

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// panel is a part of the dashboard; rows have no targets.
type panel struct {
	ID          int
	Type, Title string
	Description string
	GridPos     struct{ X, Y, W, H int }
	Targets     []struct{ RefID, Expr, LegendFormat string }
}

func panels(t *testing.T) []panel {
	t.Helper()
	var file struct{ Panels []panel }
	if err := json.Unmarshal([]byte(read(t, "grafana-dashboard.json")), &file); err != nil {
		t.Fatal(err)
	}
	return file.Panels
}

// grafanaVariables are what Grafana puts in place of variables.
var grafanaVariables = strings.NewReplacer("$job", "clu-ws", "$instance", ".*", "$__rate_interval", "1m", "$__range", "5m")

// Grafana itself cannot be had here. The panels fill its 24 columns, and none lies on another.
func TestThePanelsOfTheDashboardFillTheirRows(t *testing.T) {
	taken, ids := map[string]string{}, map[int]bool{}
	bottom := 0
	for _, p := range panels(t) {
		if ids[p.ID] || p.ID == 0 || p.Title == "" {
			t.Errorf("the panel %q has the id %d of another", p.Title, p.ID)
		}
		ids[p.ID] = true
		if (p.Type == "row") != (len(p.Targets) == 0) {
			t.Errorf("the panel %q has %d queries", p.Title, len(p.Targets))
		}
		for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				at := fmt.Sprint(x, ",", y)
				if taken[at] != "" {
					t.Fatalf("the panels %q and %q lie on each other", taken[at], p.Title)
				}
				taken[at] = p.Title
			}
		}
		bottom = max(bottom, p.GridPos.Y+p.GridPos.H)
	}
	if len(taken) != 24*bottom {
		t.Errorf("of %d cells %d are filled", 24*bottom, len(taken))
	}
}

// legendLabel is a label in a legend.
var legendLabel = regexp.MustCompile(`\{\{([a-z_]+)\}\}`)

// hasLegend checks that the series of an expression have the labels that its legend shows.
func (p prometheusServer) hasLegend(t *testing.T, what, expr, legend string) {
	t.Helper()
	series, err := p.query(strings.TrimSuffix(expr, "> 0"))
	for _, m := range legendLabel.FindAllStringSubmatch(legend, -1) {
		if !slices.ContainsFunc(series, func(labels map[string]string) bool { return labels[m[1]] != "" }) {
			t.Errorf("the panel %q: the legend shows %s, which no series of %s has (%v)", what, m[1], expr, err)
		}
	}
}
