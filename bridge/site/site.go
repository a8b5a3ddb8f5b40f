package site

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/model"
)

// Site is a configuration that was checked and compiled. It never changes, and may be used by many
// goroutines.
type Site struct {
	cfg        Config
	conditions []*Condition
	dangerous  []dangerousRule
}

// Condition says when something is wrong.
type Condition struct {
	// Key identifies the condition for as long as its name, or its keyword, stays the same.
	Key   string
	Name  string // "" is a limit of a keyword
	Level Level
	Text  string
	When  *Expr
	For   time.Duration // how long it must be true before it counts
	// Within is the critical limit beyond which this limit need not be told; nil is none.
	Within *Condition

	keywords []Keyword // what is known, or said by their names, of those of the expression, in the order of its Refs
}

// PathError is an error at a place of the section, such as conditions[0].when.
type PathError struct {
	Path string
	Err  error
}

func (e *PathError) Error() string { return e.Path + ": " + e.Err.Error() }
func (e *PathError) Unwrap() error { return e.Err }

func pathErrorf(path, format string, args ...any) error {
	return &PathError{path, fmt.Errorf(format, args...)}
}

// Bounds of a configuration, which each page gets whole.
const (
	maxKeywords   = 2000
	maxConditions = 500
	maxPins       = 12 // of an actor
	maxPinned     = 1000
	maxDangerous  = 200
	maxBoards     = 200
	maxItems      = 60  // of a board
	maxPlotted    = 20  // keywords in an item
	maxText       = 500 // bytes of a title, a text or a description
	maxName       = 100
)

// Compile checks a configuration. A nil configuration is an empty one. The error joins a [PathError]
// for each thing that is wrong.
func Compile(cfg *Config) (*Site, error) {
	if cfg == nil {
		cfg = new(Config)
	}
	s := &Site{cfg: *cfg}
	err := errors.Join(s.checkText("title", cfg.Title), s.compileLimits(), s.compileConditions(), s.checkPins(), s.compileDangerous(), s.checkBoards())
	if err != nil {
		return nil, err
	}
	for _, c := range s.conditions {
		for _, keyword := range c.When.Refs() {
			k := s.cfg.Keywords[keyword]
			if k.Unit == "" {
				k.Unit = model.UnitOf(keyword[strings.LastIndexByte(keyword, '.')+1:])
			}
			c.keywords = append(c.keywords, k)
		}
	}
	return s, nil
}

// Same reports whether two configurations are the same. A nil configuration is an empty one.
func Same(a, b *Config) bool {
	if a == nil {
		a = new(Config)
	}
	if b == nil {
		b = new(Config)
	}
	return reflect.DeepEqual(a, b)
}

// Title returns the observatory's name.
func (s *Site) Title() string { return s.cfg.Title }

// Keyword returns what is known of a keyword, ACTOR.KEYWORD.
func (s *Site) Keyword(name string) (k Keyword, ok bool) {
	if s == nil {
		return k, false
	}
	k, ok = s.cfg.Keywords[name]
	return k, ok
}

// Conditions returns the conditions and, after them, the limits of keywords.
func (s *Site) Conditions() []*Condition { return s.conditions }

func (s *Site) checkText(path, text string) error {
	if len(text) > maxText {
		return pathErrorf(path, "the text has %d bytes; write at most %d", len(text), maxText)
	}
	return nil
}

// compileLimits makes conditions of the limits of keywords.
func (s *Site) compileLimits() error {
	var errs []error
	if len(s.cfg.Keywords) > maxKeywords {
		errs = append(errs, pathErrorf("keywords", "there are %d keywords; describe at most %d", len(s.cfg.Keywords), maxKeywords))
	}
	for _, name := range slices.Sorted(maps.Keys(s.cfg.Keywords)) {
		path := "keywords." + name
		if err := checkKeyword(name); err != nil {
			errs = append(errs, pathErrorf(path, "%w", err))
			continue
		}
		k := s.cfg.Keywords[name]
		errs = append(errs, s.checkText(path+".description", k.Description), s.checkText(path+".unit", k.Unit), checkLimits(path, &k))
		s.addLimit(name, k.Unit, "low", "<", "below", k.Low, k.LowCritical)
		s.addLimit(name, k.Unit, "high", ">", "above", k.High, k.HighCritical)
	}
	return errors.Join(errs...)
}

// checkLimits checks that the limits of a keyword are in their order.
func checkLimits(path string, k *Keyword) error {
	var last *float64
	lastName := ""
	for _, l := range []struct {
		name  string
		value *float64
	}{{"low_critical", k.LowCritical}, {"low", k.Low}, {"high", k.High}, {"high_critical", k.HighCritical}} {
		if l.value == nil {
			continue
		}
		if math.IsNaN(*l.value) || math.IsInf(*l.value, 0) {
			return pathErrorf(path+"."+l.name, "a limit must be a number")
		}
		if last != nil && *last > *l.value {
			return pathErrorf(path+"."+l.name, "%s is %v, which is less than %s, %v; the order is low_critical, low, high, high_critical", l.name, *l.value, lastName, *last)
		}
		last, lastName = l.value, l.name
	}
	return nil
}

// addLimit adds the conditions of a limit and of the critical one beyond it.
func (s *Site) addLimit(keyword, unit, name, op, word string, limit, critical *float64) {
	if unit != "" {
		unit = " " + unit
	}
	condition := func(name string, level Level, limit float64) *Condition {
		number := strconv.FormatFloat(limit, form(limit), -1, 64)
		t := &test{op: op, literal: literal{raw: []byte(number)}}
		return &Condition{
			Key: "limit:" + keyword + ":" + name, Level: level, Text: keyword + " is " + word + " " + number + unit,
			When: &Expr{text: keyword + " " + op + " " + number, refs: []string{keyword}, root: t},
		}
	}
	var beyond *Condition
	if critical != nil {
		beyond = condition(name+"_critical", Critical, *critical)
		s.conditions = append(s.conditions, beyond)
	}
	if limit != nil {
		c := condition(name, Warn, *limit)
		c.Within = beyond
		s.conditions = append(s.conditions, c)
	}
}

// form returns how a limit is written for people: 1000000, and not 1e+06.
func form(limit float64) byte {
	if a := math.Abs(limit); a == 0 || a >= 1e-6 && a < 1e15 {
		return 'f'
	}
	return 'g'
}

// maxFor bounds how long a condition must be true.
const maxFor = 24 * time.Hour

func (s *Site) compileConditions() error {
	var errs []error
	if len(s.cfg.Conditions) > maxConditions {
		errs = append(errs, pathErrorf("conditions", "there are %d conditions; write at most %d", len(s.cfg.Conditions), maxConditions))
	}
	places := map[string]int{}
	var compiled []*Condition
	for i := range s.cfg.Conditions {
		cfg, path := &s.cfg.Conditions[i], fmt.Sprintf("conditions[%d]", i)
		c, err := compileCondition(cfg, path)
		if first, twice := places[cfg.Name]; twice && cfg.Name != "" {
			err = errors.Join(err, pathErrorf(path+".name", "conditions[%d] is called %q, too; each needs a name of its own", first, cfg.Name))
		}
		places[cfg.Name] = i
		errs = append(errs, err, s.checkText(path+".text", cfg.Text))
		compiled = append(compiled, c)
	}
	s.conditions = append(compiled, s.conditions...)
	return errors.Join(errs...)
}

func compileCondition(cfg *ConditionConfig, path string) (c *Condition, err error) {
	c = &Condition{Key: "condition:" + cfg.Name, Name: cfg.Name, Level: Error, Text: cfg.Text, For: cfg.For}
	var errs []error
	if cfg.Name == "" || len(cfg.Name) > maxName {
		errs = append(errs, pathErrorf(path+".name", "a condition needs a name of at most %d bytes, by which pages and acknowledgements know it", maxName))
	}
	if c.When, err = parseExpr(cfg.When); err != nil {
		errs = append(errs, pathErrorf(path+".when", "%w", err))
	}
	if level, ok := parseLevel(cfg.Level); ok {
		c.Level = level
	} else if cfg.Level != "" {
		errs = append(errs, pathErrorf(path+".level", "%.40q is no level; write warn, error or critical", cfg.Level))
	}
	if cfg.For < 0 || cfg.For > maxFor {
		errs = append(errs, pathErrorf(path+".for", "the time is longer than a day"))
	}
	if c.Text == "" {
		c.Text = strings.TrimSpace(cfg.When)
		c.Text = c.Text[:min(len(c.Text), maxText)]
	}
	return c, errors.Join(errs...)
}
