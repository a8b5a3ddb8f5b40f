package bridge

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/snapshot"
	"github.com/clu-ws/clu-ws/internal/jsonscan"
)

// Bounds of /metrics/keywords: the series, the length of a name, the items of a list, and the levels
// below a keyword.
const (
	maxExported     = 10_000
	maxExportedName = 512
	maxExportItems  = 16
	maxExportDepth  = 4
)

// keywordMetricsPath is where the last values are.
const keywordMetricsPath = "/metrics/keywords"

// checkExport returns an error for a filter that cannot choose what is exported.
func checkExport(f *filter.Filter) error {
	if f != nil && f.Mine() {
		return fmt.Errorf(`the filter of --export has the commander "me", but nobody in particular is meant; leave it out`)
	}
	return nil
}

// keywordMetrics serves /metrics/keywords: the last values of numeric and boolean keywords as gauges,
// for a system that keeps them for long. A client gets those that it may hear.
func (b *Bridge) keywordMetrics(w http.ResponseWriter, r *http.Request) {
	from := b.identifyAPI(w, r)
	if from == nil {
		return
	}
	if b.cfg.Export == nil {
		http.Error(w, "no keywords are exported; start the bridge with --export '{\"sender\": [\"weather\"]}', or with --export '{}' for all", http.StatusNotFound)
		return
	}
	e := &exporting{}
	b.hub.EachKeyword(b.cfg.Export, b.viewerNow(from), e.keyword)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write(e.page()) // an error means that the client is gone
}

// exporting is a page of /metrics/keywords in the making.
type exporting struct {
	values, times bytes.Buffer
	series        int
	leftOut       int

	actor string // escaped
	at    string // the time of the current reply, in seconds
}

// keyword adds a keyword. Internal replies are not meant for people.
func (e *exporting) keyword(k snapshot.Entry, value []byte) bool {
	if k.Internal || value == nil {
		return true
	}
	e.actor = escapeLabel(k.Actor)
	e.at = strconv.FormatFloat(float64(k.Time.UnixMicro())/1e6, 'f', -1, 64)
	e.value(k.Keyword, value, maxExportDepth)
	return true
}

// value adds a number or a boolean, or those among the members and items of a value.
func (e *exporting) value(name string, value []byte, depth int) {
	switch {
	case len(value) == 0 || len(name) > maxExportedName:
	case value[0] == '{' && depth > 0:
		for m := jsonscan.MembersOf(value); ; {
			key, member, ok := m.Next()
			if !ok {
				return
			}
			e.value(name+"."+string(key), member, depth-1)
		}
	case value[0] == '[' && depth > 0:
		i := 0
		for item := range jsonscan.Elements(value) {
			if i == maxExportItems {
				return
			}
			e.value(name+"."+strconv.Itoa(i), item, depth-1)
			i++
		}
	case string(value) == "true":
		e.gauge(name, "1")
	case string(value) == "false":
		e.gauge(name, "0")
	default:
		if f, err := strconv.ParseFloat(string(value), 64); err == nil && value[0] != '"' {
			e.gauge(name, strconv.FormatFloat(f, 'g', -1, 64))
		}
	}
}

func (e *exporting) gauge(keyword, value string) {
	if e.series == maxExported {
		e.leftOut++
		return
	}
	e.series++
	labels := `{actor="` + e.actor + `",keyword="` + escapeLabel(keyword) + `"} `
	e.values.WriteString("cluws_keyword" + labels + value + "\n")
	e.times.WriteString("cluws_keyword_time_seconds" + labels + e.at + "\n")
}

// labelEscapes are those of Prometheus's text format.
var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func escapeLabel(text string) string {
	return labelEscapes.Replace(strings.ToValidUTF8(text, "\ufffd"))
}

// page returns the page.
func (e *exporting) page() []byte {
	var p bytes.Buffer
	head := func(name, help string) { fmt.Fprintf(&p, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name) }
	head("cluws_keyword", "The last value of a keyword: a number, or 1 for true and 0 for false.")
	p.Write(e.values.Bytes())
	head("cluws_keyword_time_seconds", "When that was heard, in seconds since 1970.")
	p.Write(e.times.Bytes())
	head("cluws_keywords_left_out", "Keywords that are not here because there are too many.")
	fmt.Fprintf(&p, "cluws_keywords_left_out %d\n", e.leftOut)
	return p.Bytes()
}
