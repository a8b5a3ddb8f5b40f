package configfile

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds of a file, whose aliases could otherwise make a tree without end.
const (
	maxDepth = 100
	maxNodes = 1_000_000
)

// parser makes a tree of what the YAML library has read.
type treeParser struct {
	f       *File
	anchors map[string]*node
	nodes   int
}

// parse parses the text of a file. Errors are added to the file.
func (f *File) parse() (root *node) {
	defer func() {
		// The library has met its own limits in texts that no editor writes.
		if r := recover(); r != nil {
			f.add(0, 0, "the file is not YAML (%v)", r)
		}
	}()
	if !utf8.Valid(f.text) {
		f.add(0, 0, "the file is not UTF-8; save it as UTF-8")
		return nil
	}
	if line, col, found := f.control(); found {
		f.add(line, col, "a control character stands here; remove it")
		return nil
	}
	file, err := parser.ParseBytes(f.text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		f.addSyntax(err)
		return nil
	}
	var body ast.Node
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil:
		case body != nil:
			line, col := position(doc.Body)
			f.add(line, col, "a second document begins here; the file must have one, without ---")
			return nil
		default:
			body = doc.Body
		}
	}
	if body == nil {
		f.add(0, 0, "the file is empty; write at least one key, as in name: bridge")
		return nil
	}
	p := &treeParser{f: f, anchors: map[string]*node{}}
	root = p.tree(body, 0)
	if root.kind != mapKind || len(root.entries) == 0 {
		f.add(root.line, root.col, "the file must have keys and values, as in name: bridge")
		return nil
	}
	return root
}

// control returns the place of the first control character. YAML has none but the tab and the
// ends of lines, and the library makes a blank of some.
func (f *File) control() (line, col int, found bool) {
	at := bytes.IndexFunc(f.text, func(r rune) bool {
		return unicode.Is(unicode.Cc, r) && r != '\t' && r != '\n' && r != '\r' && r != '\u0085'
	})
	if at < 0 {
		return 0, 0, false
	}
	before := f.text[:at]
	begin := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[begin:]) + 1, true
}

// addSyntax adds an error of the library.
func (f *File) addSyntax(err error) {
	var at yaml.Error
	if !errors.As(err, &at) || at.GetToken() == nil {
		f.add(0, 0, "the file is not YAML")
		return
	}
	// The message may quote the text at the place; a tab is the one case that matters.
	message := at.GetMessage()
	if strings.Contains(message, "\t") || strings.Contains(message, "tab") {
		message = "indent with spaces, not with tabs"
	}
	pos := at.GetToken().Position
	if f.hides(pos.Line, pos.Column) {
		message = "put the value into quotes"
	}
	f.addHidden(pos.Line, pos.Column, "this is not YAML: %s", message)
}

// position returns where a node begins.
func position(n ast.Node) (line, col int) {
	var t *token.Token
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return position(n.Values[0].Key)
		}
		t = n.Start
	case *ast.MappingValueNode:
		return position(n.Key)
	default:
		t = n.GetToken()
	}
	if t == nil || t.Position == nil {
		return 0, 0
	}
	return t.Position.Line, t.Position.Column
}

// tree returns the tree of a node.
func (p *treeParser) tree(n ast.Node, depth int) *node {
	t := &node{}
	t.line, t.col = position(n)
	if p.nodes++; depth > maxDepth {
		p.f.add(t.line, t.col, "the file is nested too deeply")
		return t
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		p.mapping(t, n.Values, depth)
	case *ast.MappingValueNode:
		p.mapping(t, []*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		t.kind = listKind
		for _, item := range n.Values {
			t.items = append(t.items, p.tree(item, depth+1))
		}
	case *ast.AnchorNode:
		*t = *p.tree(n.Value, depth+1)
		p.anchors[n.Name.GetToken().Value] = t
	case *ast.AliasNode:
		name := n.Value.GetToken().Value
		found, ok := p.anchors[name]
		if !ok {
			if p.f.hides(t.line, t.col) {
				name = Hidden
			}
			p.f.add(t.line, t.col, "*%s is not defined before; write &%[1]s where its value is, or put a text into quotes", name)
			return t
		}
		if p.nodes += found.size(); p.nodes > maxNodes {
			p.f.add(t.line, t.col, "the file has too many values")
			return t
		}
		return found
	default:
		p.scalar(t, n)
	}
	return t
}

// size returns the number of nodes in a tree.
func (n *node) size() int {
	size := 1
	for _, item := range n.items {
		size += item.size()
	}
	for _, e := range n.entries {
		size += e.value.size()
	}
	return min(size, maxNodes+1)
}

// scalar reads a value that is neither a list nor a mapping.
func (p *treeParser) scalar(t *node, n ast.Node) {
	switch n := n.(type) {
	case *ast.NullNode:
		t.kind = nullKind
		// The library adds a token where there is no value.
		if line := []rune(p.f.line(t.line)); t.col <= len(line) && strings.HasPrefix(string(line[t.col-1:]), n.Token.Value) {
			t.literal = n.Token.Value
		}
	case *ast.BoolNode:
		t.kind, t.value, t.literal = boolKind, n.Value, n.Token.Value
	case *ast.IntegerNode:
		t.kind, t.value, t.literal = intKind, n.Value, n.Token.Value
	case *ast.FloatNode:
		t.kind, t.value, t.literal = floatKind, n.Value, n.Token.Value
		if math.IsInf(n.Value, 0) || math.IsNaN(n.Value) {
			p.f.add(t.line, t.col, "this number is too large")
		}
	case *ast.StringNode:
		t.kind, t.value, t.literal = textKind, n.Value, n.Value
		t.quoted = n.Token.Type == token.DoubleQuoteType || n.Token.Type == token.SingleQuoteType
	case *ast.LiteralNode:
		t.kind, t.value, t.literal, t.quoted = textKind, n.Value.Value, n.Value.Value, true
	case *ast.TagNode:
		tag := n.Start.Value
		if p.f.hides(t.line, t.col) {
			tag = "!" + Hidden
		}
		p.f.add(t.line, t.col, "tags such as %s are not used here; put a text into quotes instead", tag)
	default:
		p.f.add(t.line, t.col, "%s is not used here", strings.ToLower(fmt.Sprint(n.Type())))
	}
}

// mapping reads keys and values.
func (p *treeParser) mapping(t *node, values []*ast.MappingValueNode, depth int) {
	t.kind = mapKind
	var merged []*node
	lines := make(map[string]int, len(values)) // of the keys
	for _, v := range values {
		value := p.tree(v.Value, depth+1)
		if v.Key.IsMergeKey() {
			merged = append(merged, value)
			continue
		}
		e := entry{value: value}
		e.line, e.col = position(v.Key)
		switch key := v.Key.(type) {
		case *ast.StringNode:
			e.key = key.Value
		case ast.ScalarNode:
			e.key = key.GetToken().Value
		default:
			p.f.add(e.line, e.col, "a key must be a text")
			continue
		}
		if first, twice := lines[e.key]; twice {
			p.f.add(e.line, e.col, "%s stands here twice; the first is in line %d", p.f.keyName(e), first)
			continue
		}
		lines[e.key] = e.line
		t.entries = append(t.entries, e)
	}
	for _, m := range merged {
		p.merge(t, m)
	}
}

// merge adds the keys of a merged mapping (<<) that are not given.
func (p *treeParser) merge(t, from *node) {
	switch from.kind {
	case mapKind:
		for _, e := range from.entries {
			if t.get(e.key) == nil {
				t.entries = append(t.entries, e)
			}
		}
	case listKind:
		for _, item := range from.items {
			p.merge(t, item)
		}
	default:
		p.f.add(from.line, from.col, "<< needs keys and values, such as those of an alias")
	}
}
