package conventions

import (
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// page is what links need of a Markdown file.
type page struct {
	anchors []string // of its headings, without #
	links   []string
	code    []string // its code spans
}

// parsePage reads a file as GitHub does.
func parsePage(t *testing.T, source string) (p page) {
	t.Helper()
	markdown := []byte(source)
	tree := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(markdown))
	err := ast.Walk(tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			p.anchors = append(p.anchors, nextAnchor(p.anchors, plainText(n, markdown)))
		case *ast.Link:
			p.links = append(p.links, string(n.Destination))
		case *ast.CodeSpan:
			p.code = append(p.code, plainText(n, markdown))
		case *ast.Image:
			p.links = append(p.links, string(n.Destination))
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// plainText returns the text of a node without its markup.
func plainText(n ast.Node, source []byte) (plain string) {
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		switch child := child.(type) {
		case *ast.Text:
			plain += string(child.Value(source))
		case *ast.String:
			plain += string(child.Value)
		default:
			plain += plainText(child, source)
		}
	}
	return plain
}

// nextAnchor returns GitHub's anchor of a heading: lower case, without punctuation, a hyphen for each space, and a
// number where the same anchor stands above.
func nextAnchor(above []string, heading string) string {
	anchor := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r) || unicode.IsNumber(r) || r == '-' || r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
	unique := anchor
	for n := 1; slices.Contains(above, unique); n++ {
		unique = anchor + "-" + strconv.Itoa(n)
	}
	return unique
}

func TestEveryRelativeLinkLeadsSomewhere(t *testing.T) {
	pages := map[string]page{}
	for _, f := range files(t, ".md") {
		pages[f.path] = parsePage(t, f.text)
	}
	links := 0
	for name, p := range pages {
		for _, link := range p.links {
			target, err := url.Parse(link)
			if err != nil {
				t.Errorf("%s: %s: %v", name, link, err)
				continue
			}
			if target.Scheme != "" || target.Host != "" {
				continue // of the network
			}
			links++
			file := name
			if target.Path != "" {
				file = path.Join(path.Dir(name), target.Path)
			}
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(file))); err != nil {
				t.Errorf("%s: %s leads to no file", name, link)
			} else if target.Fragment != "" && !slices.Contains(pages[file].anchors, target.Fragment) {
				t.Errorf("%s: %s leads to no heading; %s has %q", name, link, file, pages[file].anchors)
			}
		}
	}
	if links < 20 {
		t.Errorf("only %d links were found", links)
	}
}

// sourceFile matches the name of a source file, with or without folders.
var sourceFile = regexp.MustCompile(`^[\w./-]+\.(go|js|mjs|sh|py|md)$`)

func TestEverySourceFileThatAPageNamesExists(t *testing.T) {
	var paths []string
	for _, f := range files(t, ".go", ".js", ".mjs", ".sh", ".py", ".md") {
		paths = append(paths, "/"+f.path)
	}
	for _, f := range files(t, ".md") {
		if within(f.path, oldNames) {
			continue
		}
		for _, name := range parsePage(t, f.text).code {
			exists := func(path string) bool { return strings.HasSuffix(path, "/"+strings.TrimPrefix(name, "/")) }
			if sourceFile.MatchString(name) && !slices.ContainsFunc(paths, exists) {
				t.Errorf("%s: no file is named %s", f.path, name)
			}
		}
	}
}

func TestAnchorsAreGitHubs(t *testing.T) {
	const source = "# One, two & `three`\n\n## Same\n\n## Same\n\n```\n# [no](link.md)\n```\n\n" +
		"See [the\nnext](b.md#x), ![p](c.png) and [ref].\n\n[ref]: d.md\n"
	p := parsePage(t, source)
	if want := []string{"one-two--three", "same", "same-1"}; !slices.Equal(p.anchors, want) {
		t.Errorf("anchors %q, want %q", p.anchors, want)
	}
	if want := []string{"b.md#x", "c.png", "d.md"}; !slices.Equal(p.links, want) {
		t.Errorf("links %q, want %q", p.links, want)
	}
}
