package actor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// schema is an actor's data model: a JSON Schema of its keywords.
type schema struct {
	text       string                     // what get_schema answers
	properties map[string]json.RawMessage // by keyword
}

// cluProperties are the keywords of CLU's own commands, part of every model
// (clu.model.DEFAULT_SCHEMA).
const cluProperties = `{
	"text": {"type": "string"},
	"schema": {"type": "string"},
	"version": {"type": "string"},
	"help": {"oneOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]},
	"error": ` + cluException + `,
	"exception": ` + cluException + `,
	"exception_info": ` + cluException + `,
	"yourUserID": {"type": "integer"},
	"UserInfo": {"type": "array", "items": [{"type": "integer"}, {"type": "string"}]},
	"num_users": {"type": "integer"},
	"command_model": {"oneOf": [{"type": "array"}, {"type": "object"}]}
}`

const cluException = `{"oneOf": [
	{"type": "array", "items": {"type": "string"}},
	{"type": "string"},
	{"type": "object", "properties": {
		"module": {"type": "string"},
		"type": {"type": "string"},
		"message": {"type": "string"},
		"filename": {"oneOf": [{"type": "string"}, {"type": "null"}]},
		"lineno": {"oneOf": [{"type": "integer"}, {"type": "null"}]},
		"traceback": {"oneOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]}
	}}
]}`

// newSchema completes a schema as CLU does (clu.model.Model): the keywords of CLU's
// own commands are added, nothing is required, and no other keyword is allowed
// unless the schema says so. It is not checked against the rules of JSON Schema.
// The schema is nil if none is given.
func newSchema(raw json.RawMessage) (*schema, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(raw, &top); err != nil {
		return nil, fmt.Errorf("actor: the schema is not a JSON object: %w", err)
	}
	var kind string
	var given map[string]json.RawMessage
	if json.Unmarshal(top["type"], &kind) != nil || kind != "object" ||
		json.Unmarshal(top["properties"], &given) != nil || given == nil {
		return nil, errors.New(`actor: the schema must have "type": "object" and "properties"`)
	}
	var properties map[string]json.RawMessage
	if err := json.Unmarshal([]byte(cluProperties), &properties); err != nil {
		return nil, fmt.Errorf("actor: CLU's own properties: %w", err)
	}
	for name, property := range given {
		properties[name] = property
	}
	top["properties"] = marshal(properties)
	delete(top, "required")
	if _, ok := top["additionalProperties"]; !ok {
		top["additionalProperties"] = json.RawMessage("false")
	}
	return &schema{text: string(marshal(top)), properties: properties}, nil
}

// describe returns a keyword's schema in readable form: the lines of its JSON without
// quotes, each padded to the longest, with the keyword's name in the first.
func (s *schema) describe(keyword string) []string {
	var indented bytes.Buffer
	if json.Indent(&indented, s.properties[keyword], "", "  ") != nil {
		return nil
	}
	lines := strings.Split(indented.String(), "\n")
	longest := 0
	for _, line := range lines[1:] {
		// As in CLU, quotes count although they are removed.
		longest = max(longest, utf8.RuneCountInString(line))
	}
	lines[0] = keyword + " = {"
	for i, line := range lines {
		line = strings.ReplaceAll(line, `"`, "")
		lines[i] = line + strings.Repeat(" ", max(0, longest-utf8.RuneCountInString(line)))
	}
	return lines
}
