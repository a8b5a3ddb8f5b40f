package conventions

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// quotation matches a code span of words only, as log lines and error texts are.
var quotation = regexp.MustCompile(`^[a-z]+( [\w-]+)+$`)

// typed are the first words of what a person types, which no program says.
var typed = []string{"clu", "clu-ws", "go", "make", "rabbitmq-queues", "rabbitmqctl", "systemctl", "weather"}

func TestWhatAPageQuotesIsSaid(t *testing.T) {
	var source strings.Builder
	for _, f := range files(t, ".go", ".js") {
		source.WriteString(f.text)
	}
	said, quotations := source.String(), 0
	for _, f := range files(t, ".md") {
		if within(f.path, oldNames) {
			continue
		}
		for _, quoted := range parsePage(t, f.text).code {
			if !quotation.MatchString(quoted) || slices.Contains(typed, quoted[:strings.IndexByte(quoted, ' ')]) {
				continue
			}
			if quotations++; !strings.Contains(said, quoted) {
				t.Errorf("%s quotes %q, which nothing in the source says", f.path, quoted)
			}
		}
	}
	if quotations < 10 {
		t.Errorf("only %d quotations were found", quotations)
	}
}

// goFile matches the name of a Go file in a comment.
var goFile = regexp.MustCompile(`[\w./-]*\w\.go\b`)

func TestEveryFileThatAPackageCommentNamesExists(t *testing.T) {
	all := files(t, ".go")
	for _, f := range all {
		if path.Base(f.path) != "doc.go" {
			continue
		}
		for _, name := range goFile.FindAllString(f.text, -1) {
			exists := func(other file) bool {
				return other.path == path.Join(path.Dir(f.path), name) || strings.Contains(name, "/") && strings.HasSuffix(other.path, "/"+name)
			}
			if !slices.ContainsFunc(all, exists) {
				t.Errorf("%s names %s, which does not exist", f.path, name)
			}
		}
	}
}

// benchName matches what a command line of a page selects: a benchmark of Go, or scenarios of clu-ws bench.
var benchName = regexp.MustCompile(`(-bench|--only) (\w*[a-z][\w,-]*)`)

func TestEveryBenchmarkThatAPageRunsExists(t *testing.T) {
	var source strings.Builder
	for _, f := range files(t, ".go") {
		source.WriteString(f.text)
	}
	defined, runs := source.String(), 0
	for _, f := range files(t, ".md") {
		for _, m := range benchName.FindAllStringSubmatch(f.text, -1) {
			for name := range strings.SplitSeq(m[2], ",") {
				runs++
				if m[1] == "-bench" && !strings.Contains(defined, "func Benchmark"+name) ||
					m[1] == "--only" && !strings.Contains(defined, `"`+name) {
					t.Errorf("%s runs %s %s, which does not exist", f.path, m[1], name)
				}
			}
		}
	}
	if runs < 10 {
		t.Errorf("only %d were found", runs)
	}
}
