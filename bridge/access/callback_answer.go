package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/clu-ws/clu-ws/internal/jsonscan"
)

const (
	wordsMaxLength = 300                     // of an application's "error", in bytes
	renewMin       = time.Second             // of "renew_in"
	secondsMax     = 10 * 365 * 24 * 60 * 60 // of "expires_in" and "renew_in"
)

// answer is the body of an answer:
//
//	{"status": "ok", "name": "ada", "role": "observer", "grants": {...}, "allowed_rooms": [...],
//	 "expires_in": 3600, "renew_in": 600, "data": ..., "error": "..."}
//
// What else is in it is the application's own.
type answer struct {
	status, name, role, error string
	grants, rooms, data       json.RawMessage
	expiresIn, renewIn        *float64 // seconds
}

// parseAnswer reads the body of an answer. A null is as if it were not there; a key that is there
// twice could mean either, so it makes the answer unusable.
func parseAnswer(body []byte) (answer, error) {
	var a answer
	if ok, _ := jsonscan.Valid(body); !ok || !strings.HasPrefix(strings.TrimLeft(string(body), " \t\r\n"), "{") {
		return a, errors.New("its answer is not a JSON object")
	}
	into := map[string]any{
		"status": &a.status, "name": &a.name, "role": &a.role, "error": &a.error, "grants": &a.grants,
		"allowed_rooms": &a.rooms, "data": &a.data, "expires_in": &a.expiresIn, "renew_in": &a.renewIn,
	}
	seen := map[string]bool{}
	for members := jsonscan.MembersOf(body); ; {
		name, value, ok := members.Next()
		if !ok {
			break
		}
		key := string(name)
		field := into[key]
		if field == nil {
			continue
		}
		if seen[key] {
			return answer{}, fmt.Errorf("its answer has %q twice", key)
		}
		seen[key] = true
		if string(value) == "null" {
			continue
		}
		if json.Unmarshal(value, field) != nil {
			return answer{}, fmt.Errorf("%q in its answer is of the wrong type", key)
		}
	}
	return a, nil
}

// presentable returns words of the application in a form for clients and logs.
func presentable(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
	if len(text) > wordsMaxLength {
		text = strings.ToValidUTF8(text[:wordsMaxLength], "")
	}
	return text
}

// principal returns the principal that an application lets in. An answer that gives something that is not
// there, such as a role that is not configured, is no answer: it is unknown what it means.
func (c *callback) principal(a answer, r *renewal) (*Principal, *Refusal) {
	role, grants, err := c.grants(a)
	if errors.Is(err, errNothingGranted) {
		return nil, refuse(403, "no_role", "the application knows you, but gives you no role on this bridge; ask its operator for one").Refusal
	}
	if err == nil && a.name != "" && !isName(a.name) {
		err = errors.New("the name is longer than 255 bytes or has a control character")
	}
	now := c.now()
	p := &Principal{Name: a.name, Source: SourceCallback, Role: role, Data: a.data, IssuedAt: now, renewal: r, answer: a}
	if err == nil {
		p.Expires, err = after(now, a.expiresIn, "expires_in")
	}
	if err == nil {
		p.RenewAfter, err = after(now, a.renewIn, "renew_in")
	}
	if err != nil {
		c.health.noteUnusable(c, err)
		return nil, unavailable("the application that decides who may enter gives an answer that cannot be used; tell its operator", 0).Refusal
	}
	if !p.RenewAfter.IsZero() {
		p.RenewAfter = now.Add(sooner(max(p.RenewAfter.Sub(now), renewMin)))
	}
	if p.Grants, err = c.named.of(role, grants, a.name); err != nil {
		return nil, refuse(403, "no_role", err.Error()).Refusal
	}
	return p, nil
}

// current returns the principal of an answer to an earlier configuration: its role may be another.
func (c *callback) current(p *Principal) (*Principal, *Refusal) {
	role, grants, err := c.grants(p.answer)
	if err == nil {
		grants, err = c.named.of(role, grants, p.Name)
	}
	if err != nil {
		return nil, refuse(403, "no_role", "you no longer have a role here; ask the operator for one").Refusal
	}
	next := *p
	next.Role, next.Grants = role, grants
	if next.Equal(p) {
		return p, nil
	}
	return &next, nil
}

var errNothingGranted = errors.New("the answer grants nothing")

// grants returns what an answer grants: its grants, or those of a role, to which allowed_rooms
// adds rooms. If it names no role, that of the configuration is meant.
func (c *callback) grants(a answer) (role string, g *Grants, err error) {
	switch {
	case a.grants != nil && (a.role != "" || a.rooms != nil):
		return "", nil, errors.New("it has grants and, in addition, role or allowed_rooms; leave out all but grants")
	case a.grants != nil:
		g, err = carried.parse(a.grants)
		return "", g, err
	}
	role = orElse(a.role, c.role)
	if g = c.roles[role]; g == nil && role != "" {
		return "", nil, unknownRole(presentable(role))
	}
	if a.rooms == nil {
		if g == nil {
			err = errNothingGranted
		}
		return role, g, err
	}
	rooms, err := allowedRooms(a.rooms)
	if err == nil {
		g, err = withRooms(g, rooms)
	}
	return "", g, err
}

// withRooms returns grants with more rooms; nil grants are none.
func withRooms(g *Grants, rooms []string) (*Grants, error) {
	form := map[string]json.RawMessage{}
	if g != nil {
		if err := json.Unmarshal(g.JSON(), &form); err != nil {
			return nil, err
		}
	}
	all := []string{}
	if before, ok := form["rooms"]; ok {
		if err := json.Unmarshal(before, &all); err != nil {
			return nil, err
		}
	}
	var err error
	if form["rooms"], err = json.Marshal(append(all, rooms...)); err != nil {
		return nil, err
	}
	text, err := json.Marshal(form)
	if err != nil {
		return nil, err
	}
	return carried.parse(text)
}

// allowedRooms returns the patterns of the rooms in an answer: texts are patterns, and
// High-templar's dictionaries become paths with sorted keys, /customer=1/target=chat.
func allowedRooms(raw json.RawMessage) (patterns []string, err error) {
	var rooms []any
	if err := json.Unmarshal(raw, &rooms); err != nil {
		return nil, errors.New("its allowed_rooms is not a list")
	}
	for _, room := range rooms {
		switch room := room.(type) {
		case string:
			patterns = append(patterns, room)
		case map[string]any:
			path, err := roomOf(room)
			if err != nil {
				return nil, err
			}
			patterns = append(patterns, path)
		default:
			return nil, errors.New("its allowed_rooms has something that is neither a path nor a dictionary")
		}
	}
	return patterns, nil
}

// roomOf returns the path of a dictionary. A key or value that would mean something else in a
// path is an error: it must not grant another room than the application meant.
func roomOf(room map[string]any) (string, error) {
	if len(room) == 0 {
		return "", errors.New("its allowed_rooms has an empty dictionary")
	}
	var path strings.Builder
	for _, key := range slices.Sorted(maps.Keys(room)) {
		text, err := roomValue(room[key])
		if err != nil || key == "" || strings.ContainsAny(key, "/=*$") || text != "*" && strings.ContainsAny(text, "/*$") {
			return "", fmt.Errorf("its allowed_rooms has %s with a key or value that cannot be in a path", presentable(key))
		}
		path.WriteString("/" + key + "=" + text)
	}
	return path.String(), nil
}

// roomValue returns a value of a dictionary as it is in a path: as JSON writes it, without quotes.
func roomValue(value any) (string, error) {
	switch value := value.(type) {
	case string:
		if value == "" {
			return "", errors.New("the value is empty")
		}
		return value, nil
	case map[string]any, []any:
		return "", errors.New("the value is no text, number or truth value")
	}
	text, err := json.Marshal(value)
	return string(text), err
}

// after returns the time after some seconds of an answer; the zero time if it names none.
func after(now time.Time, seconds *float64, key string) (time.Time, error) {
	switch {
	case seconds == nil:
		return time.Time{}, nil
	case *seconds <= 0:
		return time.Time{}, fmt.Errorf("%s must be more than 0", key)
	}
	return now.Add(time.Duration(min(*seconds, secondsMax) * float64(time.Second))), nil
}
