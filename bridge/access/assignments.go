package access

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Assignments say which role a client gets. They are in the order of the configuration: the
// first that fits counts, so that a user in several groups always gets the same role.
type Assignments []Assignment

// Assignment gives a role to the clients that match.
type Assignment struct {
	Match string // such as groups:observers, user:obs or group:staff
	Role  string
}

// UnmarshalJSON reads an object whose keys are what must match and whose values are roles.
func (a *Assignments) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	switch opening, err := d.Token(); {
	case err != nil:
		return err
	case opening == nil:
		*a = nil
		return nil
	case opening != json.Delim('{'):
		return errors.New(`must be an object of roles, such as {"groups:observers": "observer"}`)
	}
	all, seen := Assignments{}, map[string]bool{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		match, _ := key.(string)
		value, err := d.Token()
		if err != nil {
			return err
		}
		role, isText := value.(string)
		if !isText || role == "" {
			return fmt.Errorf("%q: must be the name of a role", match)
		}
		if seen[match] {
			return fmt.Errorf("%q is there twice", match)
		}
		seen[match] = true
		all = append(all, Assignment{match, role})
	}
	*a = all
	return nil
}

// MarshalJSON writes the object, in the same order.
func (a Assignments) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, one := range a {
		if i > 0 {
			b = append(b, ',')
		}
		for j, text := range []string{one.Match, one.Role} {
			quoted, err := json.Marshal(text)
			if err != nil {
				return nil, err
			}
			if b = append(b, quoted...); j == 0 {
				b = append(b, ':')
			}
		}
	}
	return append(b, '}'), nil
}
