package access

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// secretKeys are the keys of a versioned secret: the previous one, which URLs may still be signed
// with, the current one, and the next one, with which another machine may sign already.
type secretKeys struct {
	keys [][]byte
	raw  []byte // the file that they were read from
}

// any reports whether one of the keys fits.
func (k *secretKeys) any(fits func(key []byte) bool) bool { return slices.ContainsFunc(k.keys, fits) }

// parseSecrets finds a secret in a secrets file of baseplate:
//
//	{"secrets": {"NAME": {"type": "versioned", "current": "...", "previous": "...", "next": "...", "encoding": "base64"}}}
//
// The encoding is identity if there is none. No error contains a part of a secret.
func parseSecrets(raw []byte, name string) (*secretKeys, error) {
	type secret struct {
		Type     string  `json:"type"`
		Current  *string `json:"current"`
		Previous *string `json:"previous"`
		Next     *string `json:"next"`
		Encoding *string `json:"encoding"`
	}
	var file struct {
		Secrets map[string]json.RawMessage `json:"secrets"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, errors.New(`the file is not a secrets file of baseplate, which is JSON such as {"secrets": {"NAME": {"type": "versioned", ...}}}`)
	}
	text, ok := file.Secrets[name]
	if !ok {
		return nil, fmt.Errorf("the file has no secret %q", name)
	}
	var s secret
	if err := json.Unmarshal(text, &s); err != nil || s.Type != "versioned" || s.Current == nil {
		return nil, fmt.Errorf(`the secret %q is not versioned; it must have "type": "versioned" and "current"`, name)
	}
	encoding := "identity"
	if s.Encoding != nil {
		encoding = *s.Encoding
	}
	k := &secretKeys{raw: raw}
	for _, version := range []*string{s.Current, s.Previous, s.Next} {
		if version == nil || *version == "" && version != s.Current {
			continue
		}
		key, err := decodeKey(*version, encoding)
		if err != nil {
			return nil, fmt.Errorf("the secret %q: %w", name, err)
		}
		k.keys = append(k.keys, key)
	}
	return k, nil
}

func decodeKey(text, encoding string) (key []byte, err error) {
	switch encoding {
	case "identity":
		key = []byte(text)
	case "base64":
		if key, err = base64.StdEncoding.DecodeString(text); err != nil {
			return nil, errors.New("a version of it is not base64")
		}
	default:
		return nil, fmt.Errorf("its encoding %.20q is neither base64 nor identity", encoding)
	}
	if len(key) == 0 {
		return nil, errors.New("a version of it is empty, so anyone could sign")
	}
	return key, nil
}
