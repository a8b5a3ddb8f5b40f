package monitoring

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// prometheusServer is a Prometheus that scrapes one bridge as job "clu-ws".
type prometheusServer struct {
	url string
	at  time.Time // of which it is asked: a later scrape that fails on a busy machine ends all series
}

// startPrometheus starts a Prometheus, and waits until it has scraped the target at the URL often enough for rates.
func startPrometheus(t *testing.T, target string) prometheusServer {
	t.Helper()
	program, dir, port := testkit.Prometheus(t), t.TempDir(), testkit.FreePort(t)
	rules, err := filepath.Abs("clu-ws.rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf("global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [%q]\nscrape_configs: [{job_name: clu-ws, static_configs: [{targets: [%q]}]}]\n",
		rules, strings.TrimPrefix(target, "http://"))
	file := filepath.Join(dir, "prometheus.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	testkit.StartProcess(t, exec.CommandContext(t.Context(), program, "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port), "--log.level=warn"))
	p := prometheusServer{url: fmt.Sprintf("http://127.0.0.1:%d", port)}
	testkit.Eventually(t, testkit.Patience, "Prometheus has scraped the bridge twice", func() error {
		p.at = time.Now()
		n, err := p.count(`rate(cluws_replies_total[1m]) and on () (up == 1)`)
		if err == nil && n == 0 {
			err = errors.New("there is no rate yet")
		}
		return err
	})
	return p
}

// count returns how many series the answer to an expression has.
func (p prometheusServer) count(expr string) (int, error) {
	all, err := p.query(expr)
	return len(all), err
}

// query returns the labels of the series that the answer to an expression has.
func (p prometheusServer) query(expr string) (labels []map[string]string, err error) {
	response, err := http.Get(p.url + "/api/v1/query?" + url.Values{"query": {expr}, "time": {p.at.UTC().Format(time.RFC3339Nano)}}.Encode())
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Status, Error string
		Data          struct {
			Result []struct{ Metric map[string]string }
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Status != "success" {
		return nil, fmt.Errorf("%w: %s", errors.Join(err, errors.New(answer.Error)), body)
	}
	for _, one := range answer.Data.Result {
		labels = append(labels, one.Metric)
	}
	return labels, nil
}

// selector is a series of an expression, with its labels.
var selector = regexp.MustCompile(`\b(?:cluws|process|go)_[a-z_]+(?:\{[^}]*\})?|\bup\b(?:\{[^}]*\})?`)

// hasSeries checks that a bridge has each series that an expression names.
func (p prometheusServer) hasSeries(t *testing.T, what, expr string) {
	t.Helper()
	names := selector.FindAllString(expr, -1)
	if len(names) == 0 {
		t.Errorf("%s: %s names no series", what, expr)
	}
	for _, name := range names {
		if n, err := p.count(name); err != nil || n == 0 {
			t.Errorf("%s: a bridge has no %s (%v)", what, name, err)
		}
	}
}

// alternatives are the values of a label that a matcher with =~ lists.
var alternatives = regexp.MustCompile(`([a-z_]+)=~"([a-z_|]+)"`)

// hasAlternatives checks that each value that a matcher lists occurs.
func (p prometheusServer) hasAlternatives(t *testing.T, what, expr string) {
	t.Helper()
	for _, name := range selector.FindAllString(expr, -1) {
		for _, m := range alternatives.FindAllStringSubmatch(name, -1) {
			for value := range strings.SplitSeq(m[2], "|") {
				one := strings.Replace(name, m[0], fmt.Sprintf("%s=%q", m[1], value), 1)
				if n, err := p.count(one); err != nil || n == 0 {
					t.Errorf("%s: a bridge has no %s (%v)", what, one, err)
				}
			}
		}
	}
}
