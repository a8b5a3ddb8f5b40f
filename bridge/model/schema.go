package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// schemaNode is a JSON Schema, or a part of one. Only what is used is decoded. unit and units are
// not of JSON Schema, but some actors say them.
type schemaNode struct {
	Type        json.RawMessage            `json:"type"` // a word, or a list of words
	Description json.RawMessage            `json:"description"`
	Title       json.RawMessage            `json:"title"`
	Unit        json.RawMessage            `json:"unit"`
	Units       json.RawMessage            `json:"units"`
	Minimum     json.RawMessage            `json:"minimum"`
	Maximum     json.RawMessage            `json:"maximum"`
	Enum        []json.RawMessage          `json:"enum"`
	Const       json.RawMessage            `json:"const"`
	Properties  map[string]json.RawMessage `json:"properties"`
	Items       json.RawMessage            `json:"items"` // a schema, or a list of them
	OneOf       []json.RawMessage          `json:"oneOf"`
	AnyOf       []json.RawMessage          `json:"anyOf"`
	Ref         string                     `json:"$ref"`

	nullable bool // whether it, or what led to it, allows null
}

// cluKeywords are the keywords of CLU's own commands, which CLU adds to every schema
// (clu.model.DEFAULT_SCHEMA). They say nothing of an actor.
var cluKeywords = []string{"text", "schema", "version", "help", "error", "exception", "exception_info", "yourUserID", "UserInfo", "num_users", "command_model"}

// schemaReader reads a schema.
type schemaReader struct {
	bounded
	definitions map[string]json.RawMessage // by reference
}

// ParseSchema reads the keyword schema of an answer to get_schema: a string that holds a JSON
// Schema of the actor's keywords, or the schema itself. left says in a sentence what was too much,
// or is "". Units come from the schema (unit, units), or from the names ([UnitOf]).
func ParseSchema(raw json.RawMessage) (keywords map[string]Keyword, left string, err error) {
	raw, err = unquote(raw)
	if err != nil {
		return nil, "", fmt.Errorf("the schema %w", err)
	}
	var top struct {
		schemaNode
		Definitions map[string]json.RawMessage `json:"definitions"`
		Defs        map[string]json.RawMessage `json:"$defs"`
	}
	if err := json.Unmarshal(raw, &top); err != nil {
		return nil, "", fmt.Errorf("the schema is not a JSON Schema of an object: %s", reasonOf(err))
	}
	if top.Properties == nil {
		return nil, "", errors.New(`the schema has no "properties"`)
	}
	r := &schemaReader{bounded: bounded{left: maxKeywords}, definitions: map[string]json.RawMessage{}}
	for prefix, all := range map[string]map[string]json.RawMessage{"#/definitions/": top.Definitions, "#/$defs/": top.Defs, "#/properties/": top.Properties} {
		for name, raw := range all {
			r.definitions[prefix+name] = raw
		}
	}
	keywords = r.members(top.Properties, 0)
	for _, name := range cluKeywords {
		if k, ok := keywords[name]; ok && k.Description == "" && k.Unit == "" {
			delete(keywords, name)
		}
	}
	return keywords, r.problem("schema"), nil
}

// members returns the keywords of an object.
func (r *schemaReader) members(all map[string]json.RawMessage, depth int) map[string]Keyword {
	if len(all) == 0 {
		return map[string]Keyword{}
	}
	members := make(map[string]Keyword, min(len(all), maxKeywords))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		switch {
		case depth >= maxDepth:
			r.drop("keywords deeper than %d objects", maxDepth)
			return members
		case len(name) > maxWordBytes:
			r.drop("keywords with names longer than %d bytes", maxWordBytes)
			continue
		case !r.take():
			r.drop("keywords beyond the first %d", maxKeywords)
			return members
		}
		members[name] = r.keyword(name, all[name], depth)
	}
	return members
}

// keyword reads one keyword. What cannot be read is of type any.
func (r *schemaReader) keyword(name string, raw json.RawMessage, depth int) Keyword {
	n := r.node(raw)
	k := Keyword{Type: r.typeOf(n), Nullable: n.nullable, Description: word(n.Description), Min: number(n.Minimum), Max: number(n.Maximum), Enum: values(n.Enum)}
	if k.Description == "" {
		k.Description = word(n.Title)
	}
	if k.Enum == nil && n.Const != nil {
		k.Enum = values([]json.RawMessage{n.Const})
	}
	k.Unit, k.UnitFrom = r.unit(name, n, k.Type)
	if len(n.Properties) > 0 {
		k.Members = r.members(n.Properties, depth+1)
	}
	if items := bytes.TrimSpace(n.Items); len(items) > 0 && items[0] == '{' && depth < maxDepth && r.take() {
		// The name's suffix is the unit of the items, too.
		of := r.keyword(name, items, depth+1)
		k.Items = &of
	}
	return k
}

// node decodes a schema, following references and an alternative beside null.
func (r *schemaReader) node(raw json.RawMessage) (n schemaNode) {
	nullable := false
	defer func() { n.nullable = nullable }()
	for range maxDepth {
		n = schemaNode{}
		if json.Unmarshal(raw, &n) != nil {
			return schemaNode{}
		}
		nullable = nullable || n.allowsNull()
		target, ok := r.definitions[n.Ref]
		if !ok {
			if target, ok = onlyAlternative(&n); !ok {
				return n
			}
		}
		own := n
		raw = target
		if n = r.merge(own, raw); n.Ref == "" && n.OneOf == nil && n.AnyOf == nil {
			return n
		}
	}
	return n
}

// merge returns the schema that a reference or an alternative stands for, with the texts and the
// unit that stand beside the reference.
func (r *schemaReader) merge(own schemaNode, raw json.RawMessage) (n schemaNode) {
	if json.Unmarshal(raw, &n) != nil {
		return own
	}
	for _, of := range []struct{ own, of *json.RawMessage }{
		{&own.Description, &n.Description}, {&own.Title, &n.Title}, {&own.Unit, &n.Unit}, {&own.Units, &n.Units},
	} {
		if *of.own != nil {
			*of.of = *of.own
		}
	}
	return n
}

// onlyAlternative returns the alternative of a schema that allows only that one and null.
func onlyAlternative(n *schemaNode) (json.RawMessage, bool) {
	all := slices.DeleteFunc(slices.Concat(n.OneOf, n.AnyOf), func(raw json.RawMessage) bool {
		var of schemaNode
		return json.Unmarshal(raw, &of) == nil && string(of.Type) == `"null"`
	})
	if len(all) != 1 {
		return nil, false
	}
	return all[0], true
}

// allowsNull reports whether a schema lists null among its types, or is one of several alternatives.
func (n *schemaNode) allowsNull() bool {
	if slices.Contains(n.types(), "null") {
		return true
	}
	return slices.ContainsFunc(slices.Concat(n.OneOf, n.AnyOf), func(raw json.RawMessage) bool {
		var one schemaNode
		return json.Unmarshal(raw, &one) == nil && slices.Contains(one.types(), "null")
	})
}

// types returns the types that a schema allows; none if it does not say.
func (n *schemaNode) types() (words []string) {
	var one string
	if json.Unmarshal(n.Type, &one) == nil && one != "" {
		return []string{one}
	}
	if json.Unmarshal(n.Type, &words) != nil {
		return nil
	}
	return words
}

// typeOf returns the type of a keyword, beside null. It is any if there are several, or none is
// given.
func (r *schemaReader) typeOf(n schemaNode) string {
	words := slices.DeleteFunc(n.types(), func(w string) bool { return w == "null" })
	slices.Sort(words)
	switch words = slices.Compact(words); {
	case len(words) == 1 && slices.Contains([]string{"number", "integer", "string", "boolean", "array", "object"}, words[0]):
		return words[0]
	case slices.Equal(words, []string{"integer", "number"}):
		return "number"
	case len(words) == 0 && len(n.Properties) > 0:
		return "object"
	}
	return "any"
}

// unit returns a keyword's unit, and where it comes from.
func (r *schemaReader) unit(name string, n schemaNode, kind string) (unit, from string) {
	for _, raw := range []json.RawMessage{n.Unit, n.Units} {
		if unit := word(raw); unit != "" {
			return text(unit, maxUnit), fromSchema
		}
	}
	if kind == "string" || kind == "boolean" || kind == "object" {
		return "", ""
	}
	if unit := UnitOf(name); unit != "" {
		return unit, fromSuffix
	}
	return "", ""
}

// maxUnit is the length of the longest unit, in bytes.
const maxUnit = 32

// word returns a text of a schema, or "" if it is none.
func word(raw json.RawMessage) string {
	var s string
	if raw == nil || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return text(strings.TrimSpace(s), maxTextBytes)
}

// values returns the possible values of a keyword; nil if there are too many to be of use, or one
// is too long.
func values(all []json.RawMessage) []json.RawMessage {
	if len(all) > maxWords || slices.ContainsFunc(all, func(raw json.RawMessage) bool { return len(raw) > maxValueBytes }) {
		return nil
	}
	return all
}
