package conventions

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"
)

const (
	mostLines         = 400 // of a file
	mostFunctionLines = 60
	medianLines       = 130 // half of the Go files have fewer
)

func TestNoFileIsTooLongToRead(t *testing.T) {
	var goFiles []int
	for _, f := range files(t, ".go", ".js", ".mjs", ".ts", ".css", ".html", ".sh", ".py") {
		lines := strings.Count(f.text, "\n")
		if lines > mostLines {
			t.Errorf("%s has %d lines: split it by its ideas", f.path, lines)
		}
		if strings.HasSuffix(f.path, ".go") {
			goFiles = append(goFiles, lines)
		}
	}
	slices.Sort(goFiles)
	if median := goFiles[len(goFiles)/2]; median >= medianLines {
		t.Errorf("the median Go file has %d lines", median)
	}
}

func TestEveryFunctionFitsOnAScreen(t *testing.T) {
	for _, f := range files(t, ".go") {
		positions := token.NewFileSet()
		parsed, err := parser.ParseFile(positions, f.path, f.text, parser.SkipObjectResolution)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, declaration := range parsed.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if !ok {
				continue
			}
			first, last := positions.Position(function.Pos()), positions.Position(function.End())
			if lines := last.Line - first.Line + 1; lines > mostFunctionLines {
				t.Errorf("%s:%d: %s has %d lines", f.path, first.Line, function.Name.Name, lines)
			}
		}
	}
}

func TestEveryPackageOpensWithADoc(t *testing.T) {
	documented := map[string]bool{} // by folder
	for _, f := range files(t, ".go") {
		folder := path.Dir(f.path)
		if path.Base(f.path) != "doc.go" {
			if _, seen := documented[folder]; !seen {
				documented[folder] = false
			}
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f.path, f.text, parser.ParseComments)
		if err != nil {
			t.Error(err)
			continue
		}
		documented[folder] = true
		if text := parsed.Doc.Text(); !strings.HasPrefix(text, "Package ") && !strings.HasPrefix(text, "Command ") {
			t.Errorf("%s does not say what its package is", f.path)
		}
	}
	for folder, ok := range documented {
		if !ok && !strings.Contains(folder, "testdata") {
			t.Errorf("%s has no doc.go", folder)
		}
	}
}
