package configfile

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

var (
	rawType      = reflect.TypeFor[json.RawMessage]()
	durationType = reflect.TypeFor[time.Duration]()
)

// decode sets a value to what a node says. The keys of structs are given by their json tags. A
// [time.Duration] is written with a unit, a [json.RawMessage] may be anything, and a
// [json.Unmarshaler] gets JSON. Errors are added to the file; path is where the node is. The value
// must be addressable.
func (f *File) decode(n *node, to reflect.Value, path string) {
	switch to.Type() {
	case rawType:
		to.SetBytes(n.appendJSON(nil))
		return
	case durationType:
		f.decodeDuration(n, to, path)
		return
	case boardsType:
		f.decodeBoards(n, to, path)
		return
	}
	if own, ok := to.Addr().Interface().(json.Unmarshaler); ok {
		if err := own.UnmarshalJSON(n.appendJSON(nil)); err != nil {
			f.add(n.line, n.col, "%s: %w", path, err)
		}
		return
	}
	switch to.Kind() {
	case reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		f.decode(n, to.Elem(), path)
	case reflect.Struct:
		f.decodeStruct(n, to, path)
	case reflect.Map:
		if f.want(n, mapKind, path) {
			to.Set(reflect.MakeMapWithSize(to.Type(), len(n.entries)))
			for _, e := range n.entries {
				value := reflect.New(to.Type().Elem()).Elem()
				f.decode(e.value, value, path+"."+e.key)
				to.SetMapIndex(reflect.ValueOf(e.key), value)
			}
		}
	case reflect.Slice:
		if f.want(n, listKind, path) {
			to.Set(reflect.MakeSlice(to.Type(), len(n.items), len(n.items)))
			for i, item := range n.items {
				f.decode(item, to.Index(i), path)
			}
		}
	default:
		f.decodeScalar(n, to, path)
	}
}

func (f *File) decodeStruct(n *node, to reflect.Value, path string) {
	if !f.want(n, mapKind, path) {
		return
	}
	var known []string
	for _, field := range reflect.VisibleFields(to.Type()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		known = append(known, name)
		if value := n.get(name); value != nil {
			f.decode(value, to.FieldByIndex(field.Index), path+"."+name)
		}
	}
	for _, e := range n.entries {
		if !slices.Contains(known, e.key) {
			f.addUnknown(e, path, known)
		}
	}
}

func (f *File) decodeScalar(n *node, to reflect.Value, path string) {
	switch to.Kind() {
	case reflect.String:
		if f.want(n, textKind, path) {
			to.SetString(n.literal)
		}
	case reflect.Bool:
		if f.want(n, boolKind, path) {
			to.SetBool(n.value.(bool))
		}
	case reflect.Int, reflect.Int64:
		if f.want(n, intKind, path) {
			number, ok := asInt(n.value)
			if !ok || to.OverflowInt(number) {
				f.add(n.line, n.col, "%s: %s is too large", path, n.literal)
				return
			}
			to.SetInt(number)
		}
	case reflect.Float64:
		if n.kind == intKind {
			number, _ := asInt(n.value)
			to.SetFloat(float64(number))
		} else if f.want(n, floatKind, path) {
			to.SetFloat(n.value.(float64))
		}
	default:
		panic("configfile: no value can be decoded to a " + to.Type().String())
	}
}

// asInt returns an integer of the parser.
func asInt(v any) (n int64, ok bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case uint64:
		return int64(v), v <= math.MaxInt64
	}
	return 0, false
}

func (f *File) decodeDuration(n *node, to reflect.Value, path string) {
	if n.kind == textKind {
		if d, err := time.ParseDuration(n.literal); err == nil && d >= 0 {
			to.SetInt(int64(d))
			return
		}
	}
	f.add(n.line, n.col, "%s must be a time with a unit, such as 5s or 10m", path)
}

// want reports whether a node is of a kind, and adds an error if it is not.
func (f *File) want(n *node, k kind, path string) bool {
	if n.kind == k {
		return true
	}
	advice := ""
	if k == textKind && (n.kind == intKind || n.kind == floatKind || n.kind == boolKind || n.kind == nullKind && n.literal != "") {
		advice = "; write it in quotes"
	}
	is := n.kind.String()
	if n.kind == nullKind && n.literal != "" {
		is = n.literal
	}
	f.add(n.line, n.col, "%s must be %s, and is %s%s", path, k, is, advice)
	return false
}

// addUnknown adds an error about a key that is not known.
func (f *File) addUnknown(e entry, path string, known []string) {
	guess := Similar(e.key, known)
	if guess != "" {
		f.addKey(e, guess, "%s has no key %s; %s may be meant", path, f.keyName(e), guess)
		return
	}
	f.addKey(e, guess, "%s has no key %s; its keys are %s", path, f.keyName(e), strings.Join(known, ", "))
}

// keyName returns a key as an error quotes it: without what may be the rest of a secret with a
// comma or a colon that is not in quotes.
func (f *File) keyName(e entry) string {
	if f.hides(e.line, e.col) {
		return "(hidden: put a text with a comma or a colon into quotes)"
	}
	return strconv.Quote(e.key)
}

// addKey adds an error about a key that is not known, though another may be meant. Its value is
// shown only if that is none that may be secret.
func (f *File) addKey(e entry, guess, format string, args ...any) {
	err := f.errorAt(e.line, e.col, fmt.Errorf(format, args...))
	if guess == "" || secretWord().MatchString(guess) {
		shown := []rune(err.source)
		end := min(e.col-1-err.skipped+utf8.RuneCountInString(e.key), len(shown))
		err.source = string(shown[:max(end, 0)])
	}
	f.errs = append(f.errs, err)
}
